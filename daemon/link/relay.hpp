// Events that come by more than one way, and hosts that are heard through others only. Decides of
// each event whether it is new, and whether this host, if it is a relay, passes it on; and who is
// there, directly or behind relays. Every link has one; only that of a relay passes anything on.
// Owned by Link, loop thread only; pure: no socket, no clock but the heartbeats it is told of, no
// logging.
//
// A relay passes on what the origin's rules let go to the net, to all of its neighbours at once,
// and only if one of them, other than where it came from, does not hear the origin by itself: what
// each hears stands in its heartbeats. Where everybody hears everybody, relays are silent.
//
// Bounds: 576 sessions, of each a heartbeat (1.2 KB), what its neighbours lack and an OriginWindow.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datagram.hpp"
#include "origin_window.hpp"
#include "relayed.hpp"

namespace netcluster::daemon::link {

/// Sessions of other hosts known at a time, heard directly or not. Reason: the hosts of eight links
/// that are full. One that is heard directly has a place beyond them, of which there are as many as
/// a Receiver has (`maxSessions`); if need be one that is gone, or is said to be there, gives way.
inline constexpr std::size_t maxOrigins = 512;
/// New neighbours that are told at once of all who are there, between two heartbeats of our own;
/// more learn it with the heartbeats of those, within one. Reason: whoever opens sessions without
/// end is not to make relays speak without end.
inline constexpr int greetingsPerTurn = 8;
/// A session that is gone is remembered for so long: late copies of its events may still be under
/// way. Half a minute more than a link keeps what it was split from.
inline constexpr std::chrono::seconds originIdle{90};

/// An event that is ahead of others waits for them so long. Reason: what a neighbour lost is there
/// again within a few of its questions (80 ms apart); a listener hardly notices.
inline constexpr std::chrono::milliseconds holdTime{250};
/// Bytes that wait so, of all origins together; more go on out of order. Reason: at 60 MB/s what
/// comes in `holdTime`.
inline constexpr std::size_t maxHeld = std::size_t{16} << 20;

/// An event that waits for those before it.
struct HeldEvent {
    Time until{};
    wire::Uuid from{};
    std::uint8_t hops = 0;
    std::uint32_t back = 0;
    std::string content;
};

/// One session of another host.
struct Origin {
    wire::Uuid session{};
    wire::Uuid host{};  ///< zero until it has said so
    std::string name;
    std::int64_t started = 0;  ///< ms since 1970, by its own clock

    bool direct = false;   ///< heard by ourselves, and online
    bool behind = false;   ///< heard through relays, and online
    bool ended = false;    ///< it has said goodbye
    bool told = false;     ///< for its host, this session is what the owner was told of
    bool wasTold = false;  ///< it is, or was

    // The newest sign of life, however it came.
    std::string said;          ///< the body of its heartbeat
    std::uint64_t packet = 0;  ///< its number
    wire::Uuid saidBy{};       ///< the neighbour it came from; for one heard directly itself
    std::uint8_t saidHops = 0;
    bool saidOn = false;  ///< it has been passed on

    // The newest that came through a relay.
    wire::Uuid via{};
    std::string viaName;
    std::uint8_t hops = 0;
    std::uint64_t aliveTurn = 0;

    std::uint64_t usedTurn = 0;
    bool watched = false;  ///< its own events are held against `window` as well
    OriginWindow window;
    std::map<std::uint64_t, HeldEvent> held;
    std::vector<wire::Uuid> lacking;  ///< neighbours that do not hear it, as of `lackingAsOf`
    std::uint64_t lackingAsOf = 0;
};

/// Without what differs from event to event.
Relayed ofOrigin(const Origin& origin, Relayed::Kind kind, std::uint64_t number);

/// What the relay tells its owner. Nothing here may call the relay.
class RelayEvents {
  public:
    virtual ~RelayEvents() = default;
    /// To be sent to all neighbours; gone after the call.
    virtual void onPassOn(std::string_view message) = 0;
    /// A host is there, whichever way; and is not any more. `why`: "silent", "goodbye",
    /// "restarted".
    virtual void onThere(const Origin& origin) = 0;
    virtual void onGone(const Origin& origin, std::string_view why) = 0;
    /// An event whose turn has come, from that neighbour, for our clients. False: it is no good.
    virtual bool onHeld(const wire::Uuid& from, std::string_view event, std::string_view host) = 0;
    /// Something of this origin may never come: what is behind it has waited for long enough.
    virtual void onHole(const Origin& origin) = 0;
    /// The number of the last event that came directly from this session; 0: none.
    virtual std::uint64_t directPosition(const wire::Uuid& session) const = 0;
};

class Relay {
  public:
    struct Counts {
        std::uint64_t passedOn = 0;    ///< events
        std::uint64_t duplicates = 0;  ///< events that had come before
        std::uint64_t returned = 0;    ///< events of this host that came back
        std::uint64_t held = 0;        ///< events that waited for others before them
        std::uint64_t outOfOrder = 0;  ///< of those, went on without them
        std::uint64_t covered = 0;     ///< not passed on, for all others hear the origin
        std::uint64_t hopLimit = 0;    ///< not passed on, for they had passed `maxHops` relays
        std::uint64_t noRoom = 0;      ///< dropped: no place for another session
    };
    enum class Verdict { take, drop, malformed };

    /// `host` and `session` are ours. `passesOn`: this host is a relay.
    Relay(const wire::Uuid& host, const wire::Uuid& session, std::chrono::milliseconds heartbeat,
          bool passesOn, RelayEvents& events);

    // -- events. What is to be taken, the caller hands to its clients, to `passOn` if it is good,
    // and calls `release` then. All else is done with.

    /// The clock; to be set before each datagram is handed in.
    void setTime(Time now) { now_ = now; }
    /// An event of the session itself is to be judged by `takeDirect`; null: nobody has a copy of
    /// it, and it need not be.
    Origin* watched(const wire::Uuid& session, std::string_view name);
    Verdict takeDirect(Origin& origin, const Relayed& event);
    /// What a neighbour passed on. `take`: it is a new event of `origin`.
    Verdict judge(const wire::Uuid& from, std::string_view fromName, const Relayed& relayed,
                  Origin*& origin);
    void passOn(const wire::Uuid& from, const Relayed& relayed, Origin& origin);
    /// Events behind it may have waited for it.
    void release(Origin& origin) {
        if (!origin.held.empty()) releaseInOrder(origin);
    }
    /// When an event has waited for long enough, if one waits.
    std::optional<Time> deadline() const;
    void releaseDue(Time now);

    // -- hosts

    void onNeighbour(const wire::Uuid& session, std::string_view name, const Heartbeat& heartbeat,
                     std::uint64_t packet, std::string_view body);
    void onNeighbourGone(const wire::Uuid& session, std::string_view why);
    /// A heartbeat of our own is due: passes on who is there, and finds who is not any more.
    /// `allRead`: as for Receiver::expireSilent.
    void onTurn(bool allRead);
    /// Our own heartbeats since it last gave a sign of life through a relay.
    std::uint64_t turnsSilent(const Origin& origin) const { return turn_ - origin.aliveTurn; }

    const std::map<wire::Uuid, Origin>& origins() const { return origins_; }
    const Counts& counts() const { return counts_; }
    bool passesOn() const { return passesOn_; }

  private:
    Origin* find(const wire::Uuid& session);
    Origin* findOrMake(const wire::Uuid& session, std::string_view name);
    Origin& make(const wire::Uuid& session, std::string_view name);
    bool makeRoom();
    void makeRoomForDirect();
    bool forgetOne(bool alsoWhatCounts);
    const std::vector<wire::Uuid>& lacking(Origin& origin);
    bool wanted(Origin& origin, const wire::Uuid& from);
    void write(Relayed relayed);
    Verdict takeEvent(const wire::Uuid& from, const Relayed& relayed, Origin*& origin);
    Verdict place(const wire::Uuid& from, const Relayed& event, Origin& origin);
    void hold(const wire::Uuid& from, const Relayed& event, Origin& origin);
    void releaseInOrder(Origin& origin);
    void releaseFirst(Origin& origin);
    Verdict takeSign(const wire::Uuid& from, std::string_view fromName, const Relayed& relayed);
    Verdict takeEnd(const wire::Uuid& from, const Relayed& relayed);
    void end(Origin& origin, const wire::Uuid& from, std::uint8_t hops);
    void correct(Origin& origin, std::string_view name, const wire::Uuid& host);
    void passOnSign(Origin& origin);
    void retell(const wire::Uuid& host, std::string_view why);
    void forgetIdle();

    const wire::Uuid host_;
    const wire::Uuid session_;
    const bool passesOn_;
    const std::uint64_t idleTurns_;
    RelayEvents& events_;
    std::map<wire::Uuid, Origin> origins_;
    Origin* last_ = nullptr;  ///< of thousands of events in a row most are of one origin
    std::size_t watchedCount_ = 0;
    /// What each neighbour hears: the first 8 bytes of the sessions.
    std::map<wire::Uuid, std::vector<std::uint64_t>> neighbours_;
    std::uint64_t neighboursAsOf_ = 1;  ///< +1 with each change of them
    std::uint64_t turn_ = 0;
    int greetingsLeft_ = greetingsPerTurn;
    Time now_{};
    std::size_t heldBytes_ = 0;
    std::size_t heldCount_ = 0;
    std::string message_;
    Counts counts_;
};

}  // namespace netcluster::daemon::link
