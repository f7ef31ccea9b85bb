// What is sent to whom and when, and what has come: everything that a Server decides. Pure: values
// in, values out, no socket, no thread, no clock of its own. docs/cluster-guide.md says what
// servers say to each other. Owned by Server, under its lock.
//
// Each start of a server has a name of its own, `<pid>-<random>`, which is also its host's name on
// the link. A server is sent envelopes from when it has said (`hello`) that it has heard us: from
// then on its link has our stream, and nothing is missed. Envelopes are numbered, and a receiver
// says up to which number it has them (`ack`).
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <netcluster/cluster.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster::cluster {

using Time = std::chrono::steady_clock::time_point;

/// Bytes and envelopes on their way to one server, not confirmed yet. Reason: what a server that
/// does not read its inbox gets beyond its limit, of each of 64 others; and enough to keep a LAN
/// busy for the milliseconds that a confirmation takes.
inline constexpr std::size_t window = std::size_t{1} << 20;
inline constexpr std::size_t windowCount = 1024;
/// What has come is confirmed after this, or when a quarter of the window has.
inline constexpr std::chrono::milliseconds confirmAfter{20};
/// A server that is heard but has not said that it hears us is greeted again, less and less often.
inline constexpr std::chrono::milliseconds firstGreeting{100};
inline constexpr std::chrono::milliseconds lastGreeting{1'000};

/// The pid in the name of a start, if it is one.
std::optional<Pid> pidOfName(std::string_view name);

class Post {
  public:
    struct Limits {
        std::chrono::milliseconds holdTime{};
        std::size_t holdLimit = 0;
    };
    /// An event to be emitted.
    struct Outgoing {
        std::string event;
        Json data;
        std::uint64_t serial = 0;  ///< of an envelope; 0: something else
    };

    /// `name`: of this start. `peers`: those that there may be.
    Post(std::string name, const std::vector<Pid>& peers, Limits limits);

    static std::string eventFor(Pid pid);  ///< of envelopes for one server
    static constexpr std::string_view eventForAll = "envelope.all";
    static constexpr std::string_view hello = "hello";
    static constexpr std::string_view ack = "ack";

    // -- from the program
    void setBlacklist(std::set<Pid> pids);
    bool listed(Pid pid) const { return blacklist_.contains(pid); }
    /// False: some server that is there has fallen behind; take nothing from the outbox yet.
    bool takesMore(Time now) const;
    void accept(Time now, Envelope envelope, std::size_t bytes);
    /// It cannot be sent, to nobody whom it is for.
    void refuse(Pid pid, std::int64_t msgId);

    // -- from the link; names that are none of ours are left alone
    void onOnline(Time now, const std::string& name);
    /// `forGood`: it said so, or was started anew.
    void onExpired(Time now, const std::string& name, bool forGood);
    void onHello(Time now, const std::string& name, const std::vector<std::string>& heard);
    void onAck(Time now, const std::string& name, std::uint64_t upTo);
    /// An envelope has come. False: it is not for the inbox.
    bool onEnvelope(Time now, const std::string& name, std::uint64_t serial, std::size_t bytes,
                    const std::vector<Pid>& notFor);

    // -- to be done
    /// Envelopes wait no longer than they may.
    void tick(Time now);
    /// What to emit now, one by one. `confirm`: there is room for more in the inbox.
    std::optional<Outgoing> next(Time now, bool confirm);
    /// It could not be emitted, and never will.
    void onRefused(std::uint64_t serial);
    /// When `tick` or `next` has something to do, if nothing else happens.
    std::optional<Time> deadline(bool confirm) const;
    /// Everything has been confirmed, by others and by us.
    bool settled() const;
    /// The end: nothing that is left will be delivered.
    void finish();

    std::vector<Undelivered> takeUndelivered() { return std::exchange(undelivered_, {}); }
    std::vector<Pid> online() const;
    const Counters& counters() const { return counters_; }

  private:
    struct Letter {
        std::int64_t msgId = 0;
        Json msg;
        std::size_t bytes = 0;
    };
    struct Held {
        std::shared_ptr<const Letter> letter;
        Time since;
    };
    struct Flying {
        std::uint64_t serial = 0;
        std::int64_t msgId = 0;
        std::size_t bytes = 0;
    };
    struct Peer {
        Pid pid = 0;
        // To it.
        std::string name{};  ///< of its last start that has heard us
        bool up = false;
        Time moved{};  ///< when it last came, went, confirmed something, or began to owe that
        std::deque<Held> held{};
        std::size_t heldBytes = 0;
        std::deque<Flying> flying{};
        std::size_t flyingBytes = 0;
        // From it.
        std::string from{};  ///< the start that sent last
        std::uint64_t taken = 0;
        std::uint64_t confirmed = 0;
        std::size_t unconfirmedBytes = 0;
        std::optional<Time> confirmDue{};
    };

    Peer* find(const std::string& name);
    bool hasRoom(const Peer& peer, std::size_t bytes) const;
    void hold(Time now, Peer& peer, const std::shared_ptr<const Letter>& letter);
    void fly(Time now, Peer& peer, const Letter& letter, std::uint64_t serial);
    Outgoing envelope(std::string event, const Letter& letter, std::uint64_t serial) const;
    void sendToAll(Time now, const std::shared_ptr<const Letter>& letter);
    void report(const Peer& peer, std::int64_t msgId, Undelivered::Why why);
    void dropHeld(Peer& peer, Undelivered::Why why);
    void dropFlying(Peer& peer);
    bool stuck(Time now, const Peer& peer) const;
    bool unanswered() const;
    std::optional<Outgoing> greeting(Time now);
    std::optional<Outgoing> confirmation(Time now);
    std::optional<Outgoing> fromHeld(Time now);

    const std::string name_;
    const Limits limits_;
    std::map<Pid, Peer> peers_;
    std::set<Pid> blacklist_;
    std::uint64_t serial_ = 0;
    std::deque<Outgoing> ready_;  ///< made by `accept`

    std::set<std::string> online_;  ///< names that the link hears
    std::set<std::string> heard_;   ///< of these, those that have greeted
    bool greet_ = false;
    std::chrono::milliseconds greetPause_ = firstGreeting;
    Time greetAgain_{};

    std::vector<Undelivered> undelivered_;
    Counters counters_;
};

}  // namespace netcluster::cluster
