// Envelopes: servers that know each other by number and send each other messages, with nothing but
// a file that says who is where. Each line of it is one server, in any order, the same on all:
//
//     {"Pid": 2345432, "Addr": "127.0.0.1:23454"}
//     {"Pid": 3456543, "Addr": "127.0.0.1:34565"}
//
//     #include <netcluster/cluster.hpp>
//     #include <iostream>
//
//     int main() {
//         namespace cluster = netcluster::cluster;
//         cluster::Server server(3456543, "peers.json");
//         server.start();                                       // bound to 127.0.0.1:34565
//         (void)server.outbox().send({cluster::BROADCAST, 1729, "Hi there!"});
//         while (const auto envelope = server.inbox().receive(std::chrono::seconds(10))) {
//             std::cout << envelope->pid << " says " << envelope->msg << '\n';
//         }
//     }
//
// WHAT IT IS. A Server holds a daemon of its own (server.hpp), whose link has the other addresses
// of the file as unicast peers, and an agent (agent.hpp). There is no ncserver to be started, and
// none is spoken to. Datagrams are UDP; what the network loses is sent again.
//
// WHAT IS PROMISED. Envelopes of one server reach each other one in the order in which its outbox
// took them, broadcasts among them, each once. One for a server that is not there yet, or takes
// nothing, waits for Options::holdTime and is then reported (onUndelivered), as is what a server
// had not confirmed when it went: no envelope is lost in silence. A server that does not read its
// inbox holds up those who send to it, and nobody else.
//
// THREADS. All functions may be called from any thread; start and stop one after the other, and not
// from a handler: there they throw Error, and the Server must not be destroyed there. onUndelivered
// runs on the Server's own thread, onError there or on its agent's; neither may block. What
// onUndelivered throws onError is told, what onError throws is a line on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <netcluster/error.hpp>
#include <netcluster/event.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster::cluster {

using Pid = std::int64_t;

/// As the pid of an envelope to be sent: to all other servers of the file but those on the
/// blacklist.
inline constexpr Pid BROADCAST = -1;

struct Envelope {
    Pid pid = BROADCAST;     ///< to be sent: to whom. Received: from whom
    std::int64_t msgId = 0;  ///< the sender's own, passed on as it is
    Json msg{};              ///< up to 16 MiB of JSON text, nested up to 30 deep
    bool operator==(const Envelope&) const = default;
};

/// An envelope that was not delivered to `pid`, as far as this server knows.
struct Undelivered {
    enum class Why {
        unreachable,  ///< the server was not heard, or took nothing, for Options::holdTime
        unconfirmed,  ///< sent, but the server went before it said that it had it; it may have
        full,         ///< too much waits for this server already (Options::holdLimit)
        blacklisted,  ///< it is on our blacklist
        refused,      ///< the message cannot be sent: nested too deep
        stopped,      ///< this server was stopped first
    };
    Pid pid = 0;
    std::int64_t msgId = 0;
    Why why = Why::unreachable;
};
/// "unreachable", "unconfirmed", "full", "blacklisted", "refused", "stopped".
std::string_view nameOf(Undelivered::Why why);

/// Times, here and as `timeout` of functions, are taken as from 0 to a year.
struct Options {
    /// Bytes of messages that were received and not read yet. Beyond it senders are not told that
    /// theirs has come, and wait (1 MiB of each may be on its way then).
    std::size_t inboxLimit = std::size_t{64} << 20;
    /// Bytes of messages that wait to be sent; `Outbox::send` waits beyond it.
    std::size_t outboxLimit = std::size_t{8} << 20;
    /// How long an envelope waits for a server that is not there or takes nothing.
    std::chrono::milliseconds holdTime{10'000};
    /// Bytes of messages that wait for one such server.
    std::size_t holdLimit = std::size_t{8} << 20;
    /// How long `stop` waits for what has been sent to be confirmed.
    std::chrono::milliseconds linger{2'000};
    /// A file of group keys (docs/security.md), the same on all servers. Empty: whoever is in the
    /// network can read envelopes, and send them as anybody.
    std::string keyFile{};
    /// Takes the warnings of the daemon inside, a line each, on its thread or that which calls
    /// `start` or `stop`; it must not call the Server. Empty: they go to stderr. A healthy daemon
    /// has one at most: at its start, that it has no keyFile.
    std::function<void(const std::string& line)> onWarning{};
};

/// Since the Server was made. A broadcast counts once for each server it is for.
struct Counters {
    std::uint64_t sent = 0;         ///< envelopes given to the link
    std::uint64_t confirmed = 0;    ///< of these, those that their receivers have
    std::uint64_t undelivered = 0;  ///< reported by onUndelivered
    std::uint64_t received = 0;     ///< put into the inbox
    std::uint64_t ignored = 0;      ///< received from pids on the blacklist
    std::uint64_t gaps = 0;         ///< times that the link could not bring something (onError)
    /// What came and is nothing that servers say; onError is told once for each server it came from.
    std::uint64_t malformed = 0;
};

enum class [[nodiscard]] Sent{
    accepted,  ///< it will be sent, or reported as undelivered
    full,      ///< no room until the deadline; it was not taken
    stopped,   ///< the server does not run; it was not taken
};

/// What is to be sent, in order. Throws Error when the pid is neither in the file nor BROADCAST, is
/// the server's own, or the message is too large or holds text that is not UTF-8.
class Outbox {
  public:
    /// Waits for room as long as the server runs.
    Sent send(Envelope envelope);
    Sent send(Envelope envelope, std::chrono::milliseconds timeout);
    Sent trySend(Envelope envelope);

  private:
    friend class Server;
    class Impl;
    explicit Outbox(Impl& impl) : impl_(impl) {}
    Impl& impl_;
};

/// What was received, in order. What is unread when the server stops can still be read.
class Inbox {
  public:
    /// Waits as long as the server runs; none: it does not, and there is nothing left.
    std::optional<Envelope> receive();
    std::optional<Envelope> receive(std::chrono::milliseconds timeout);
    std::optional<Envelope> tryReceive();
    std::size_t size() const;

  private:
    friend class Server;
    class Impl;
    explicit Inbox(Impl& impl) : impl_(impl) {}
    Impl& impl_;
};

class Server {
  public:
    /// Reads the file and opens nothing. Throws Error naming the file and the line: it cannot be
    /// read, a line is no server, a pid or an address is there twice, `pid` is not there, there are
    /// more than 65 servers (a link knows 64 others).
    Server(Pid pid, const std::string& peersFile, Options options = {});
    ~Server();  ///< stops it
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    Pid pid() const;
    /// The other servers of the file, there or not, in the order of their pids.
    std::vector<Pid> peers() const;
    /// Those of them that are there, and have heard us.
    std::vector<Pid> online() const;

    Inbox& inbox();
    Outbox& outbox();

    /// Binds this server's address. Does not wait for others. Throws Error naming the address when
    /// it is taken, is not this host's, or is IPv4 and another one of the file IPv6 (or the other
    /// way round: they would not reach each other); and when the server runs already.
    void start();
    /// Sends what the outbox holds, waits until it is confirmed (Options::linger), says goodbye,
    /// lets the address go. What cannot be delivered is reported. May be started again. Idempotent.
    void stop();

    /// From now on nothing is sent to these pids or taken from them, until it is said anew. Throws
    /// Error for a pid that is not in the file.
    void blacklist(const std::vector<Pid>& pids);
    std::vector<Pid> blacklist() const;

    Counters counters() const;

    /// Set them before `start`. Default: onError is told how many there were, and the last one.
    void onUndelivered(std::function<void(const Undelivered&)> handler);
    /// Something is missing or wrong, and nobody else would say so. Default: a line on stderr.
    void onError(std::function<void(const std::string& what)> handler);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace netcluster::cluster
