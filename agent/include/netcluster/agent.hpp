// netcluster's agent: emit named events, listen to them, in this process, on this host and beyond.
//
//     #include <netcluster/agent.hpp>
//     #include <iostream>
//
//     int main() {
//         netcluster::Agent agent("A");                       // a channel of the host's ncserver
//         agent.on("sensor\\..*", [](const netcluster::Event& event) {
//             std::cout << event.name() << " = " << event.data() << '\n';
//         });
//         agent.connect();                                    // from here on, nothing is missed
//         agent.emit("sensor.temperature", {{"celsius", 21.5}});
//         agent.sync();                                       // the daemon has taken it
//     }
//
// THREADS. An Agent may be used from any thread. `emit` calls the listeners of this process on the
// calling thread, in the order they were registered, before it returns. Listeners for events of
// other processes run on the agent's own thread, one after the other; or, with Options::executor,
// wherever that runs its tasks; or, with Options::poll, inside `poll()`. The same listener may
// therefore run on two threads at once if two threads emit. Handlers (onConnect, …) and callbacks
// run where listeners for events of other processes run; onError, for a listener that threw, on the
// thread where it did.
//
// ORDER. Events that one agent emits from one thread reach each receiver in that order. What a
// listener emits follows the event it hears.
//
// SHARING. All agents of a process on the same channel (of the same run directory) share one
// connection, and see each other's events in memory, without a socket, connected or not. Each
// decides for itself, by `connect`, whether it takes part in what is outside of the process.
//
// LIFE. Agents may be static objects. After fork(), the child must not use the agents of its
// parent (the thread of their connection is not there): it makes its own. Destroying its parent's
// does nothing there.
//
// PATTERNS are regular expressions in RE2 syntax that must match the whole event name: `A.*`
// matches `AAA`, `A` matches only `A`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <netcluster/error.hpp>
#include <netcluster/event.hpp>
#include <netcluster/export.hpp>
#include <netcluster/node.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster {

/// How far an event may travel. The host's config.json may narrow it further.
enum class Scope {
    process,    ///< listeners of this process only
    host,       ///< this host
    everywhere  ///< wherever the rules of the hosts let it go
};

/// What became of an emitted event. Listeners of this process have heard it either way.
enum class Emitted {
    accepted,   ///< handed to the connection, or there is nobody to hand it to: not connected yet,
                ///< scope `process`, or nobody else on the host wants it and it goes nowhere else
    queueFull,  ///< the daemon is away or slow and the queue is full: other processes will not hear
                ///< it
};

struct EmitOptions {
    bool broadcast = false;  ///< to every channel and every host that allows it
    Scope scope = Scope::everywhere;
    /// For the nodes that this target means and nobody else: `a:b` (ids and regions), an expression
    /// over tags (`region=eu & disk=ssd`), or `client=<uuid>` (Event::sender) for one connection.
    /// In this process: for its agents on the channel if one of its nodes is meant, or none at all.
    /// docs/cluster-guide.md has all of it.
    std::string_view to{};
    std::string_view id{};       ///< ties an answer to its question, passed on as it is
    std::string_view replyTo{};  ///< where an answer is expected, passed on as it is
};

struct ListenOptions {
    bool skipOwn = false;  ///< do not hear what this same Agent emits
};

/// A registered listener, to remove it by. A small value: copying it does not register anything,
/// and letting it go does not remove anything.
struct Listener {
    std::uint64_t id = 0;
    bool operator==(const Listener&) const = default;
};

/// Something that was meant for this process and will not come: because the process did not keep up
/// (`host` is empty), or because the link between hosts could not bring it (`host` says from
/// where).
struct Gap {
    enum class Why {
        slow,     ///< this process did not keep up; `count` events
        lost,     ///< `count` datagrams of `host` did not arrive and could not be had in time
        gone,     ///< `host` did not keep them any more when it was asked for them; datagrams
        dropped,  ///< `host` left out `count` events: its own queue to the link was full
        reset,    ///< the numbers of `host` jumped; how much is missing nobody knows
    };
    std::uint64_t count = 0;
    /// The first and the last of them. `slow`: sequence among the events meant for this connection,
    /// from 1; both 0 when this process dropped them: `poll` was called too seldom, or the executor
    /// was too slow. Else numbers of `host`'s datagrams, each of which may hold many events or a
    /// part of one, for this channel or for others.
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::string host{};  ///< name of the host whose events are missing
    Why why = Why::slow;
};

/// Somebody came or went: a host of the link, or a node. More kinds may come: leave what you do not
/// know alone.
struct Presence {
    enum class Kind {
        hostOnline,   ///< the daemon of another host is heard
        hostExpired,  ///< it is not any more
        nodeOnline,   ///< there is a node, on this host or another
        nodeChanged,  ///< it says something else of itself
        nodeExpired,  ///< it is gone
    };
    Kind kind = Kind::hostOnline;
    std::string id{};       ///< of the host; the same after each start of its daemon
    std::string name{};     ///< of the host, as events from there name it (Event::host)
    std::string address{};  ///< where its datagrams come from
    std::string version{};  ///< of its daemon; empty until it has said so
    /// Why it expired: "goodbye", it said so; "silent", nothing was heard of it for 5 heartbeats;
    /// "forgotten", our host's daemon has closed its link or opened it anew; "restarted", it was
    /// started anew, and hostOnline follows; "away", it went while we were not connected to our
    /// host's daemon.
    /// A node: "unregistered"; "disconnected", its connection ended; "refused", another node has
    /// its id; "host", its host expired; "away" as above.
    std::string reason{};
    Node node{};  ///< of a node; `id` and `name` above are then its id and its host's name
};

struct Options {
    /// The daemon's run directory. Empty: $NETCLUSTER_DIR, else the user's own daemon, else the
    /// system's (docs/agent-guide.md).
    std::string dir{};
    /// Name of this program, for `ncctl showclient`. Empty: the name of the executable.
    std::string name{};
    /// Bytes of events kept while the daemon is away or slow; larger events never go. The first
    /// agent of a channel decides, about this and the name.
    std::size_t queueLimit = std::size_t{8} << 20;
    /// Runs each task given to it, in order, on one thread at a time; for example
    /// `[&io](std::function<void()> task) { boost::asio::post(io, std::move(task)); }`.
    std::function<void(std::function<void()>)> executor{};
    /// Listeners for events of other processes run inside `poll()` only.
    bool poll = false;
    /// Bytes of events that have come and wait for the executor or `poll`. Reached: the oldest go,
    /// and onGap is told how many they were. Reason for the default: as for queueLimit.
    std::size_t waitingLimit = std::size_t{8} << 20;
};

class NETCLUSTER_API Agent {
  public:
    using Handler = std::function<void(const Event&)>;

    /// Connects nothing yet. Throws Error when `channel` is not a channel name.
    explicit Agent(std::string channel, Options options = {});
    /// Removes this agent's listeners (see removeListener about waiting) and, with the last
    /// connected agent of the channel, closes the connection after what was emitted has been
    /// written, or after 2 s. Inside a listener it does not wait for that, and what was emitted is
    /// written after it has returned. Callbacks that have not run yet never will.
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    // -- connection
    // --------------------------------------------------------------------------------

    /// Returns when the daemon has accepted the connection and all listeners registered so far:
    /// from then on they hear every later emit of any process on the host. Tries again until
    /// `timeout`, then throws Error naming the socket and the reason; at once when the daemon
    /// answers that it does not want us. Once connected, a lost connection is made anew by itself
    /// (after 50 ms to 5 s, with jitter) and listeners are restored. Must not be called from a
    /// listener (throws Error).
    void connect(std::chrono::milliseconds timeout = std::chrono::seconds(5));
    /// The same without waiting: `done` is called once, with an empty string or with the reason.
    void connectAsync(std::function<void(const std::string& error)> done,
                      std::chrono::milliseconds timeout = std::chrono::seconds(5));
    bool connected() const;
    /// Leaves: no more reconnecting. The process's other agents of the channel stay connected. Does
    /// not wait; what was emitted is still written, for up to 2 s. Cancels a `connect` under way.
    void disconnect();

    /// Returns when the daemon has taken all that this agent sent, and every listener registered
    /// before. Throws Error when the connection is lost (or is not there now) or `timeout` passes.
    /// Must not be called from a listener (throws Error).
    void sync(std::chrono::milliseconds timeout = std::chrono::seconds(5));
    /// The same without waiting.
    void syncAsync(std::function<void(const std::string& error)> done,
                   std::chrono::milliseconds timeout = std::chrono::seconds(5));

    // -- emitting
    // ----------------------------------------------------------------------------------

    /// Throws Error when the name is not 1 to 255 bytes of UTF-8 without NUL or begins with `nc-`
    /// (reserved; allowed on the channel `control`), when the data is larger than the daemon takes
    /// (4 MiB unless its config says otherwise; looked at when the event leaves the process, or
    /// would be too large in any spelling), nested deeper than 32, or holds text that is not UTF-8.
    /// Nothing has been delivered then. Never waits for the daemon.
    Emitted emit(std::string_view event, const Json& data = nullptr,
                 const EmitOptions& options = {});
    /// Opaque bytes; listeners find them in Event::bytes.
    Emitted emitBytes(std::string_view event, std::span<const std::byte> bytes,
                      const EmitOptions& options = {});

    // -- listening
    // ---------------------------------------------------------------------------------

    /// Throws Error, with RE2's message, when the pattern does not compile. May be called from a
    /// listener; a listener added during an event does not hear that event.
    Listener on(std::string_view pattern, Handler handler, ListenOptions options = {});
    /// As `on`, for one event: removed before it runs.
    Listener once(std::string_view pattern, Handler handler, ListenOptions options = {});

    /// After this returns the listener is not running and will not run again; to make that true it
    /// waits for a run that is under way on another thread. From inside a listener it does not
    /// wait. False when there is no such listener of this agent.
    bool removeListener(Listener listener);
    /// As above, and only if it was registered with exactly this pattern (the 1.x form).
    bool removeListener(std::string_view pattern, Listener listener);
    void removeAllListeners();
    void removeAllListeners(std::string_view pattern);

    std::size_t listenerCount() const;
    std::size_t listenerCount(std::string_view pattern) const;
    /// The patterns listened to, each once, in the order first registered.
    std::vector<std::string> eventNames() const;

    // -- nodes. The channel does not matter for who is known; it does for who can be reached.

    /// From now on this process is a node, in addition to those it is already, until `unregister`
    /// or the end of its connection; after a lost connection it is registered anew. Registering the
    /// same id again changes what it says of itself. Returns its id. Throws Error when the
    /// description is not valid, the id belongs to somebody else, the agent is not connected, or
    /// the daemon does not answer until `timeout`. Must not be called from a listener (throws
    /// Error).
    std::string registerNode(NodeDescription node,
                             std::chrono::milliseconds timeout = std::chrono::seconds(5));
    /// The same without waiting: `done` is called once, with an empty string or with the reason.
    void registerNodeAsync(NodeDescription node, std::function<void(const std::string& error)> done,
                           std::chrono::milliseconds timeout = std::chrono::seconds(5));
    /// False when this agent has registered no such node. Does not wait.
    bool unregisterNode(std::string_view id);
    /// Those that are known now, on all hosts, in the order of their ids; what an earlier
    /// connection knew while there is none. With `target`: those that it means; throws Error when
    /// it is none.
    std::vector<Node> nodes() const;
    std::vector<Node> nodes(std::string_view target) const;
    /// Members of an object that are to be part of Node::stats of this process's nodes from the
    /// next second on; null removes one. Throws Error when they are more than 1 KiB of JSON.
    void reportStats(const Json& members);

    // -- what happens beside events
    // ---------------------------------------------------------------- One handler each; setting it
    // anew replaces it, an empty one removes it.

    void onConnect(std::function<void()> handler);
    void onDisconnect(std::function<void(const std::string& reason)> handler);
    /// Something is missing at this point of the stream. What other hosts sent and this one did not
    /// get is told on each channel that accepts events from the net, for nobody knows what was in
    /// it.
    void onGap(std::function<void(const Gap&)> handler);
    /// Hosts of the link come and go, this one not among them, and nodes, those of this process
    /// among them. Once connected, the handler hears of each that is there already, then of
    /// changes, in order with events; a handler that is set later begins in the same way. Each
    /// hostExpired or nodeExpired is about one it was told of, and none is told twice without one
    /// between. While the connection to the daemon is lost nothing is told; when it is back, hosts
    /// that are still there are not told again, and those that went meanwhile are told as expired
    /// (at once, or when a daemon that was started anew has had 5 heartbeats of time to hear the
    /// others). A host that came and went before `poll` or the executor came to it is left out. If
    /// this process does not keep up with its events (onGap), it may miss a change until the next
    /// connection.
    void onPresence(std::function<void(const Presence&)> handler);
    /// A node of this agent is none any more, though it was not unregistered: another one has its
    /// id. `why` says who. May register it again. Default: onError.
    void onNodeLost(std::function<void(const std::string& id, const std::string& why)> handler);
    /// A listener threw, the daemon refused something, data was not JSON, emitted events could not
    /// be sent before the connection was closed. Default: a line on stderr.
    void onError(std::function<void(const std::string& what)> handler);

    /// With Options::poll: runs what is waiting; returns how many events and notices it handled.
    /// Waits up to `timeout` for the first one. Keeps at most Options::waitingLimit between two
    /// calls: then the oldest events go, and onGap is told. Throws Error without Options::poll.
    std::size_t poll(std::chrono::milliseconds timeout = std::chrono::milliseconds(0));

    const std::string& channel() const;
    /// The uuid the daemon gave this process's connection; empty before the first connect.
    std::string uuid() const;
    /// The name of this host as other hosts see it; empty before the first connect.
    std::string host() const;

  private:
    friend class Tasks;
    void onPresenceOfTasks(std::function<void(const Presence&)> handler);

    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace netcluster
