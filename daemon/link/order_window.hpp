// The order of one sender's datagrams: what came too early waits a little for what is missing, what
// stays missing is reported, what came before is dropped. Pure; the caller brings the clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "reassembler.hpp"

namespace netcluster::daemon::link {

/// How long a hole may stay open. Reason: a switch or a second path (another interface, a peer
/// beside multicast) reorders within a few milliseconds; later there is nobody left to wait for, as
/// long as nobody repeats. Each waiting datagram delays its sender's later events.
inline constexpr std::chrono::milliseconds holeTime{20};
/// How many datagrams may wait behind holes. Reason: 300 KB, or 8 ms at the full rate, which is
/// what a second path lags behind; one receive batch of one path is 64.
inline constexpr std::size_t holeDatagrams = 256;
/// A larger jump is not loss but another stream of numbers: half a minute at the full rate.
inline constexpr std::uint64_t maxJump = 1'000'000;

class OrderWindow {
  public:
    /// Told by `add` and `expire`, in the order of the numbers.
    class Out {
      public:
        virtual ~Out() = default;
        virtual void inOrder(Time now, std::string_view datagram) = 0;
        /// These will not come any more. Whatever of them arrives later is dropped.
        virtual void missing(std::uint64_t first, std::uint64_t last) = 0;
    };

    enum class Result {
        taken,
        old,    ///< delivered, waiting or given up before: a duplicate or too late
        reset,  ///< the number jumps by more than `maxJump`: nothing was done, forget this sender
    };

    OrderWindow(MemoryBudget& budget, Out& out) : budget_(budget), out_(out) {}
    ~OrderWindow() { forget(); }
    OrderWindow(const OrderWindow&) = delete;
    OrderWindow& operator=(const OrderWindow&) = delete;

    /// The first call decides where this receiver joins: nothing before is missed.
    Result add(Time now, std::uint64_t sequence, std::string_view datagram);
    /// The sender says that it has sent up to `highest`: what is missing below is a lost tail.
    Result announce(Time now, std::uint64_t highest);

    /// Gives up the holes whose time has come.
    void expire(Time now);
    /// When `expire` has something to do, if ever.
    std::optional<Time> deadline() const;

    /// Back to the beginning; what waits is dropped.
    void forget();
    std::size_t waiting() const { return waiting_.size(); }
    /// The number expected next; 0 before the first.
    std::uint64_t next() const { return next_; }

  private:
    struct Waiting {
        Time since;
        std::string datagram;
    };
    struct Tail {
        Time since;
        std::uint64_t highest;
    };

    void deliver(Time now, std::string_view datagram);
    void deliverWaiting(Time now);
    void giveUpBefore(Time now, std::uint64_t sequence);

    MemoryBudget& budget_;
    Out& out_;
    std::uint64_t next_ = 0;
    std::map<std::uint64_t, Waiting> waiting_;  ///< at most `holeDatagrams`
    std::optional<Tail> tail_;
};

}  // namespace netcluster::daemon::link
