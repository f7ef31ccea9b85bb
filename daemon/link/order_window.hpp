// The order of one sender's datagrams, and what to ask for again. What came too early waits for
// what is missing; what is missing is asked for after a short random while, and again, until it
// comes, the sender says that it is gone, or too many askings went unanswered: then it is reported.
// Pure; the caller brings the clock and the chance.
//
// After Aeron's loss detector and RFC 5401 (NORM): a random back-off before the first asking, so
// that of many who miss the same one asks; hearing another ask, or the repetition itself, puts off
// one's own.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "datagram.hpp"
#include "stream.hpp"

namespace netcluster::daemon::link {

/// The first asking is put off by a random part of this for each other host heard, ten at most.
/// Reason: ten hosts spread over 2 ms, of which most then hear the first one's; two hosts repair
/// within half a millisecond.
inline constexpr std::chrono::microseconds nakBackoff{200};
inline constexpr unsigned nakBackoffHosts = 10;
/// An asking that brought nothing is repeated after this, half as long again each time, up to the
/// last. Reason: several round trips of a LAN; a busy host answers late.
inline constexpr std::chrono::milliseconds nakRetry{4};
inline constexpr std::chrono::milliseconds nakRetryMost{80};
/// A hole is given up when it was asked for so often while its sender was heard, and is this old.
/// Reason: at 20 % loss both ways, one in 40 million is still missing after 17 askings.
inline constexpr int nakTries = 17;
inline constexpr std::chrono::seconds nakPatience{2};
/// Datagrams handed on in one go. Reason: 300 KB, as much as one read brings.
inline constexpr std::size_t orderBurst = 256;
/// A larger jump is not loss but another stream of numbers: half a minute at full speed.
inline constexpr std::uint64_t maxJump = 16'000'000;

class OrderWindow {
  public:
    /// Told in the order of the numbers.
    class Out {
      public:
        virtual ~Out() = default;
        virtual void inOrder(std::string_view body) = 0;
        /// These will not come any more. Whatever of them arrives later is dropped. `gone`: the
        /// sender no longer keeps them; else they were asked for in vain.
        virtual void missing(Range range, bool gone) = 0;
    };

    enum class Result {
        taken,
        announced,  ///< nothing came, but news of what there is
        old,        ///< delivered, waiting or given up before: a duplicate or too late
        ahead,      ///< no room to keep it: it will be asked for when there is
        reset,  ///< the number jumps by more than `maxJump`: nothing was done, forget this sender
    };

    /// At most `room` datagrams wait.
    OrderWindow(std::uint32_t room, MemoryBudget& budget, Out& out)
        : room_(room), budget_(budget), out_(out) {}
    ~OrderWindow() { forget(); }
    OrderWindow(const OrderWindow&) = delete;
    OrderWindow& operator=(const OrderWindow&) = delete;

    /// `backoff`: what the first asking is put off by, if a hole is found. The first call decides
    /// where this receiver joins: nothing before is missed.
    Result add(Time now, std::uint64_t sequence, std::string_view body,
               std::chrono::microseconds backoff);
    /// The sender says what it has sent and what it keeps.
    Result announce(Time now, std::uint64_t highest, std::uint64_t oldest,
                    std::chrono::microseconds backoff);
    /// Another receiver has asked for these.
    void othersAsked(Time now, Range range);

    /// What to ask for now, for the first time or again, about `most` datagrams; gives up what was
    /// asked for in vain. `heard`: the sender has said anything since the last asking, so that
    /// silence on its side costs no tries.
    void ask(Time now, bool heard, std::uint32_t most, std::vector<Range>& ranges);
    /// When `ask` has something to do, if ever.
    std::optional<Time> deadline() const;
    /// Gives up all holes.
    void giveUp();
    /// True when the next datagrams are here and wait only for their turn: a hole that closes may
    /// set thousands free, and whoever takes them is not to be drowned.
    bool ready() const { return waiting_ != 0 && !place(next_).empty(); }
    /// Hands on the next of them, `orderBurst` at most.
    void deliverReady();
    /// The same, and looks for what is missing behind them.
    void goOn(Time now, std::chrono::microseconds backoff);

    /// Back to the beginning; what waits is dropped.
    void forget();
    std::size_t waiting() const { return waiting_; }
    /// The number expected next; 0 before the first.
    std::uint64_t next() const { return next_; }
    /// Datagrams that were missing and came after all.
    std::uint64_t repaired() const { return repaired_; }

  private:
    struct Hole {
        Range range;
        Time due;  ///< to ask (again)
        Time since;
        bool asked = false;  ///< for all of it, whoever heard
        int tries = 0;       ///< while the sender was heard
        std::chrono::microseconds retry = nakRetry;
    };

    std::string& place(std::uint64_t sequence) { return ring_[sequence % ring_.size()]; }
    const std::string& place(std::uint64_t sequence) const {
        return ring_[sequence % ring_.size()];
    }
    void keep(std::uint64_t sequence, std::string_view body);
    void deliver(std::string_view body);
    void lookTo(Time now, std::uint64_t end, std::chrono::microseconds backoff);
    void split(std::size_t hole, std::uint64_t count);
    void fill(std::uint64_t sequence);
    void giveUpBefore(std::uint64_t sequence, bool gone);
    std::deque<Hole>::iterator holeOf(std::uint64_t sequence);

    const std::uint32_t room_;
    MemoryBudget& budget_;
    Out& out_;
    std::uint64_t next_ = 0;
    std::uint64_t seen_ = 0;     ///< all below are delivered, waiting, or in a hole
    std::uint64_t highest_ = 0;  ///< the sender has sent up to here, as far as we know
    std::vector<std::string>
        ring_;  ///< `room_` places once needed; an empty one waits for its datagram
    std::size_t waiting_ = 0;
    std::deque<Hole> holes_;  ///< sorted, apart from each other
    std::uint64_t repaired_ = 0;
};

}  // namespace netcluster::daemon::link
