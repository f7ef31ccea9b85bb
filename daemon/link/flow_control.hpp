// How far the sender may run ahead of those who listen. Every receiver says from time to time what
// it has and how much room it has behind that (STATUS); the sender never has more under way than
// the slowest of them has room for, so that nobody is drowned and nothing is lost for speed's sake.
// Pure; the caller brings the clock.
//
// One slow host must not silence the group: a receiver that holds the others up and hardly moves
// for `stallTime` is no longer waited for ("lagging"). It is again when it has nearly caught up,
// the first time at once, then not before a penalty that doubles each time. What it misses
// meanwhile it can ask for as long as it is kept, and reports as a gap after that.
//
// Beside the receivers' own room there is the network's: when much of what is sent has to be sent
// again, the way is taken to be too narrow and the window shrinks, as it grows again when that
// ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

#include "datagram.hpp"

namespace netcluster::daemon::link {

/// How long one receiver may hold up the others. Reason: as `stalltimeout`, what a process of the
/// same host is given; a busy machine leaves a process alone for that long.
inline constexpr std::chrono::milliseconds stallTime{250};
/// A receiver that takes fewer datagrams than this in `stallTime` while it holds the sender up is
/// too slow to be waited for. Reason: 1 MB/s, what the slowest network worth a bus brings.
inline constexpr std::uint64_t leastProgress = 200;
/// Not asked for so long whether it is held, the sender was not. Reason: while it is, it asks every
/// 5 ms.
inline constexpr std::chrono::milliseconds heldBreak{50};
/// How long a receiver that was too slow for the second time is not waited for; twice as long each
/// time, up to the second. All is forgiven when it kept up for as long as that.
inline constexpr std::chrono::milliseconds secondPenalty{500};
inline constexpr std::chrono::milliseconds longestPenalty{32'000};
/// Windows that a receiver may be behind when it is waited for again. Reason: to catch up with so
/// much takes about as long as `stallTime`.
inline constexpr std::uint64_t nearlyCaughtUp = 4;
/// Room of a receiver that has not said. Reason: what the smallest default buffer of Linux takes.
inline constexpr std::uint32_t defaultWindow = 64;

/// Between two looks at how much had to be repeated.
inline constexpr std::chrono::milliseconds lossSpan{20};
/// The window shrinks when more than one in so many datagrams is sent again. Reason: a radio loses
/// 5 %, whatever the rate; a way that is too narrow loses most of what is too much.
inline constexpr std::uint64_t lossShare = 6;
inline constexpr std::uint64_t smallestWindow = 64;
inline constexpr std::uint64_t largestWindow = 1 << 16;

class FlowControl {
  public:
    struct Receiver {
        std::uint64_t next = 1;  ///< it has all below
        std::uint32_t window = defaultWindow;
        bool lagging = false;
        std::uint64_t timesLagging = 0;

      private:
        friend class FlowControl;
        bool watched = false;
        Time watchedSince{};
        std::uint64_t watchedNext = 0;
        Time excludedUntil{};
        std::chrono::milliseconds penalty{0};
    };

    /// A receiver that is there from now on: of what was sent before, up to `sent`, it owes
    /// nothing.
    void join(const wire::Uuid& session, std::uint64_t sent);
    void leave(const wire::Uuid& session);
    void onStatus(Time now, const wire::Uuid& session, const Status& status, std::uint64_t sent);
    /// How many datagrams were sent for the first time and again.
    void onSent(Time now, std::uint64_t fresh, std::uint64_t again);

    /// The highest number that may be sent now.
    std::uint64_t limit() const { return limit_; }
    /// To be called while something waits behind `limit`: finds receivers that are too slow. True
    /// when the limit has changed.
    bool onHeld(Time now);

    const Receiver* find(const wire::Uuid& session) const;
    std::uint64_t window() const { return window_; }

  private:
    void updateLimit();
    void exclude(Time now, Receiver& receiver);
    std::uint64_t end(const Receiver& receiver) const;

    std::map<wire::Uuid, Receiver> receivers_;
    std::uint64_t limit_ = ~std::uint64_t{0};
    std::uint64_t window_ = largestWindow;  ///< the network's
    Time heldLast_{};
    Time spanBegan_{};
    std::uint64_t fresh_ = 0;
    std::uint64_t again_ = 0;
};

}  // namespace netcluster::daemon::link
