// What the agents of one process on one channel share: the listeners, the connection, and who is
// around. One for each choice of run directory and channel; lives from the first agent to the last.
// Any thread. What it does about nodes is in hub_nodes.cpp.
//
// Each agent is a member of the connection from its `connect` to its `disconnect` or destruction:
// only then do its listeners hear other processes, and only then does what it emits leave this one.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <netcluster/agent.hpp>
#include <string>
#include <vector>

#include "connection.hpp"
#include "emitter.hpp"
#include "mailbox.hpp"
#include "own_nodes.hpp"
#include "stats_report.hpp"

namespace netcluster {

class Hearing;

class Hub final : public Connection::Receiver, public std::enable_shared_from_this<Hub> {
  public:
    /// The hub for this channel, made if there is none. Throws Error. Pairs with `leave`.
    static std::shared_ptr<Hub> enter(const std::string& channel, const Options& options);
    /// The agent is going. With the last member, gives what was emitted `closingTime` to be
    /// written, and waits for that unless called inside a listener.
    void leave(Mailbox& agent);
    ~Hub() override;

    /// True in a child that fork() made: the hub's thread is the parent's and not here.
    bool inherited() const;
    /// What remains to do with an inherited one: nothing. It is kept as it is, for its end would
    /// wait for that thread and disturb the parent's descriptors.
    void abandon();

    const std::shared_ptr<Emitter>& emitter() const { return emitter_; }
    const Connection& connection() const { return *connection_; }

    /// `done` runs on the connection's thread.
    void connect(const std::shared_ptr<Mailbox>& agent, std::chrono::milliseconds timeout,
                 Connection::Done done);
    /// `done` runs on the connection's thread, or here when nobody of this process has connected.
    void sync(const Mailbox& agent, std::chrono::milliseconds timeout, Connection::Done done);
    void disconnect(const std::shared_ptr<Mailbox>& agent);
    /// Its handler for them is a new one. Does not wait.
    void tellAround(const std::shared_ptr<Mailbox>& agent);

    Emitted emit(const Mailbox& from, std::string_view event, const Json& data,
                 const EmitOptions& options);
    Emitted emitBytes(const Mailbox& from, std::string_view event, std::span<const std::byte> bytes,
                      const EmitOptions& options);

    /// `<host>-<process id>`; empty before the first connect.
    std::string defaultNodeId() const;
    /// `done` runs on the connection's thread, or here when the agent is not connected.
    void registerNode(const std::shared_ptr<Mailbox>& agent, NodeDescription said,
                      std::chrono::milliseconds timeout, Connection::Done done);
    bool unregisterNode(const Mailbox& agent, std::string_view id);
    /// What this process's nodes say of themselves beside what the system counts. Throws Error.
    void reportStats(const Json& members) { stats_.set(members); }
    /// All that are known, or those that `target` means.
    std::vector<Node> nodes(const Target* target) const;

    static constexpr std::chrono::milliseconds closingTime{2000};
    /// Between two reports of how this process's nodes are doing.
    static constexpr std::chrono::milliseconds betweenStats{1000};

  private:
    struct Member {
        std::shared_ptr<Mailbox> agent;
        int connecting = 0;        // its calls of `connect` that are under way
        bool established = false;  // one of them has succeeded
    };

    Hub(std::string key, Connection::Setup setup);

    // Connection::Receiver
    void onEvents(const wire::EventRun& events) override;
    void onGap(const wire::Gap& gap) override;
    std::string onGreeting() override;
    void onWelcomed() override;
    void onOnline() override;
    void onOffline(const std::string& reason) override;
    void onTrouble(const std::string& what) override;

    bool takeNotices(const wire::EventRun& events);
    void takeNotice(const wire::EventView& event);
    void tell(const Change& change);
    bool unregister();
    std::string connectEnded(const std::shared_ptr<Mailbox>& agent, const std::string& error);
    std::vector<Member>::iterator findMember(const Mailbox& agent);
    bool removeMember(Mailbox& agent);
    std::vector<std::shared_ptr<Mailbox>> members();

    // hub_nodes.cpp
    void request(std::string_view what, std::string_view json, std::uint64_t number);
    std::string ask(const std::shared_ptr<Mailbox>& agent, NodeDescription said,
                    std::chrono::milliseconds timeout, const Connection::Done& done);
    void takeAnswer(const wire::EventView& event);
    void takeBack(const std::string& id);
    bool awaitsAnswer(const Change& change) const;
    void confirmNode(const OwnNodes::Answered& answered, bool awaited);
    Connection::Done takeAsking(std::uint64_t number);
    void endAsking(const Mailbox* agent, const std::string& why);
    void nodeLost(const Change& change);
    void forgetNodes(Mailbox& agent);
    void watchStats();
    void tellStats();
    bool isMeant(const EmitOptions& options) const;

    bool leaves(Hearing& hearing, const Mailbox& from, std::string_view event,
                const EmitOptions& options) const;
    Emitted send(std::string_view event, std::string_view payload, std::uint8_t flags,
                 const EmitOptions& options);
    void deliver(Hearing& hearing, const Mailbox& from, std::string_view name, const Json* data,
                 std::string_view bytes, const EmitOptions& options) const;

    const std::string key_;
    const std::string channel_;
    const long process_;
    std::size_t agents_ = 0;  // under the registry's lock
    const std::shared_ptr<Connection> connection_;
    const std::shared_ptr<Emitter> emitter_;
    Around around_;  // changed by the connection's thread alone, and with this:
    mutable std::mutex aroundMutex_;
    bool welcoming_ = false;  // a daemon tells how things stand; the connection's thread only
    OwnNodes ownNodes_;
    /// Who waits for the answer to a request about a node.
    struct Asking {
        const Mailbox* agent = nullptr;
        Connection::Done done;
        Connection::Timer timer;
    };
    std::map<std::uint64_t, Asking> asking_;  // by its number; the connection's thread only
    StatsReport stats_;
    Connection::Timer statsTimer_;  // of the next report; the connection's thread only
    std::mutex mutex_;  // of the members, and of the order of what they ask the connection for
    std::vector<Member> members_;
};

}  // namespace netcluster
