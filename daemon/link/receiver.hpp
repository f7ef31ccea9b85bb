// Datagrams of all other daemons -> their events, each sender's in order; what to ask them for; and
// who is there. Owned by Link, called on the loop thread; pure: no socket, no clock of its own, no
// logging.
//
// Bounds: 64 sessions; memory for what is incomplete as `memoryLimit` says. What a session needs
// beyond that is dropped and counted.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "datagram.hpp"
#include "inflow.hpp"
#include "relayed.hpp"
#include "remote.hpp"

namespace netcluster::daemon::link {

/// Sessions known at a time. Reason: several times the hosts of a LAN that share one bus.
inline constexpr std::size_t maxSessions = 64;
/// A session that was silent for this long loses what was unfinished, and its place when a new one
/// needs it. Until then its number is remembered, so that what a host sent while the network was
/// split is asked for and not taken for a late join.
inline constexpr std::chrono::seconds sessionIdle{60};
/// Heartbeats a host may miss before it counts as expired.
inline constexpr int heartbeatsMissed = 5;
/// Turns of reading, a heartbeat apart, after which what a host said before them has been read, or
/// has been lost. Reason: a receive buffer of 16 MiB is read in less than a second.
inline constexpr int turnsUnread = 2 * heartbeatsMissed;
/// A sender of DATA within this has a share of our window. Reason: longer than a pause in a flood.
inline constexpr std::chrono::milliseconds activeTime{500};

/// 64 MiB for many senders, and always room for one event of the largest size.
constexpr std::size_t memoryLimit(std::size_t maxEvent) {
    return (std::size_t{64} << 20) + maxEvent + wire::maxEventOverhead + relayedOverhead;
}

class Receiver {
  public:
    /// What is to be sent to others now.
    struct Requests {
        std::vector<Nak> naks;
        std::vector<Status> statuses;
        bool empty() const { return naks.empty() && statuses.empty(); }
    };

    /// `seed`: for the chance in back-offs.
    Receiver(std::size_t maxEvent, std::chrono::milliseconds heartbeat, unsigned seed,
             ReceiverEvents& events);

    /// Told of all that is heard; outlives us. To be set before the first datagram, if at all.
    void setRelay(Relay& relay) { context_.relay = &relay; }
    /// The number of the last event that came directly from this session; 0: none.
    std::uint64_t lastEventOf(const wire::Uuid& session) const;
    /// A whole event frame that this session brought earlier goes to our clients. False: it is no
    /// good event, or the session is forgotten.
    bool handOn(const wire::Uuid& session, std::string_view event, std::string_view host);

    /// Datagrams that our buffers have room for; shared by those who send. 0: nobody is told of
    /// more room before he asks.
    void setWindow(std::uint32_t datagrams) { window_ = datagrams; }

    /// DATA, HEARTBEAT, END or NAK of another session, header already read; `body` is what follows
    /// it.
    void onDatagram(Time now, const Header& header, std::string_view body, const Endpoint& from);
    /// All that was read has been handed in: events are handed on. They stand still until
    /// `forgetEvents`.
    void endBatch() { inflow_.flush(); }
    void forgetEvents() { inflow_.reset(); }
    /// True when there is more to hand on, that only waits for its turn; `deliverReady` adds some
    /// of it to the batch.
    bool ready() const;
    void deliverReady(Time now);

    /// Collects what is due; gives up what was asked for in vain. The caller has read all there is.
    void requests(Time now, Requests& due);
    /// When `requests` has something to do, if ever.
    std::optional<Time> deadline() const;
    /// Finds hosts that fell silent, and what they left unfinished. Called with each heartbeat,
    /// after reading. Where that has not read all there is (`allRead`), which is never so under a
    /// load as high as can be, a host may have spoken unheard: it has `turnsUnread` calls more.
    void expireSilent(Time now, bool allRead);

    using Remotes = std::map<wire::Uuid, std::unique_ptr<Remote>>;
    /// All sessions remembered; the hosts that are there are those with `online` set.
    const Remotes& remotes() const { return remotes_; }
    std::size_t memoryUsed() const { return budget_.used(); }
    /// Counters of all sessions ever heard, also of those forgotten.
    Remote::Counts totals() const;
    std::uint64_t incomplete() const;

  private:
    void onData(Time now, const Header& header, std::string_view body, const Endpoint& from);
    void onHeartbeat(Time now, const Header& header, std::string_view body, const Endpoint& from);
    void onEnd(Time now, const Header& header, std::string_view body);
    void onNak(Time now, std::string_view body);
    Remote* find(const wire::Uuid& session);
    Remote* heard(Time now, const wire::Uuid& session, std::string_view name, const Endpoint& from);
    bool makeRoom(Time now);
    void expire(Remote& remote, std::string_view why);
    void expireEarlier(Time now, const Remote& remote);
    std::chrono::microseconds backoff();
    std::uint32_t share(Time now) const;

    std::chrono::milliseconds heartbeat_;
    std::chrono::milliseconds idle_;  ///< after which a session may be forgotten
    MemoryBudget budget_;
    ReceiverEvents& events_;
    Inflow inflow_;
    RemoteContext context_;
    Remotes remotes_;
    Remote* last_ = nullptr;  ///< of thousands of datagrams in a row most are of one sender
    Nak nak_;                 ///< the one being read
    Heartbeat said_;          ///< the one being read
    std::uint32_t window_ = 256;
    std::minstd_rand random_;
    Remote::Counts forgotten_;
    std::uint64_t forgottenIncomplete_ = 0;
};

}  // namespace netcluster::daemon::link
