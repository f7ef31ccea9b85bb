// Datagrams of all other daemons -> their events, each sender's in order; and who is there.
// Owned by Link, called on the loop thread; pure: no socket, no clock of its own, no logging.
//
// Bounds: 64 sessions; memory for what is incomplete as `memoryLimit` says. What a session needs
// beyond that is dropped and counted. Nothing is ever answered.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "datagram.hpp"
#include "remote.hpp"

namespace netcluster::daemon::link {

/// Sessions known at a time. Reason: several times the hosts of a LAN that share one bus; each may
/// hold a window of 300 KB.
inline constexpr std::size_t maxSessions = 64;
/// A session that was silent for this long loses its unfinished message, and its place when a new
/// one needs it. Until then its number is remembered, so that what a host sent while the network
/// was split is reported as a gap and not taken for a late join.
inline constexpr std::chrono::seconds sessionIdle{30};
/// Heartbeats a host may miss before it counts as gone.
inline constexpr int heartbeatsMissed = 5;

/// 64 MiB for many senders, and always room for one event of the largest size.
constexpr std::size_t memoryLimit(std::size_t maxEvent) {
    return (std::size_t{64} << 20) + maxEvent + wire::maxEventOverhead;
}

class Receiver {
  public:
    Receiver(std::size_t maxEvent, std::chrono::milliseconds heartbeat, ReceiverEvents& events);

    /// One datagram of another session, header already read; `body` is what follows it.
    void onDatagram(Time now, const Header& header, std::string_view body, const Endpoint& from);

    /// Gives up the holes whose time has come. The caller has read all there is to read.
    void expireHoles(Time now);
    /// When `expireHoles` has something to do, if ever.
    std::optional<Time> deadline() const;
    /// Finds hosts that fell silent, and messages they left unfinished. Called with each heartbeat;
    /// the caller has read all there is to read.
    void expireSilent(Time now);

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
    Remote* heard(Time now, const wire::Uuid& session, std::string_view name, const Endpoint& from);
    bool makeRoom(Time now);
    void gone(Remote& remote, std::string_view why);

    std::chrono::milliseconds silence_;  ///< after which a host is gone
    std::chrono::milliseconds idle_;     ///< after which a session may be forgotten
    MemoryBudget budget_;
    RemoteContext context_;
    Remotes remotes_;
    Remote::Counts forgotten_;
    std::uint64_t forgottenIncomplete_ = 0;
};

}  // namespace netcluster::daemon::link
