// What one call of a script may use, and what it has used. Values only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace netcluster::lua {

using Clock = std::chrono::steady_clock;

/// Bounds of each call (a task, a hook, a scheduled run), except `total`.
struct Limits {
    /// Instructions of Lua's virtual machine. Reason: cuts off what computes without end, and does
    /// so alike on a slow machine and a fast one; about 1 s of a 2020s processor.
    std::uint64_t instructions = 100'000'000;
    /// Time that Lua itself runs for the call; waiting does not count.
    std::chrono::milliseconds run{1000};
    /// Time from the call's first instruction to its end, waiting included. Reason: a call that
    /// waits holds a place, and after a reload the scripts it belongs to.
    std::chrono::milliseconds wall{30'000};
    /// Bytes by which the memory of Lua grows while the call runs.
    std::size_t memory = std::size_t{16} << 20;
    /// Bytes of all that the scripts hold together. At least `memory`.
    std::size_t total = std::size_t{64} << 20;
    /// A call that has run this long lets others run before it goes on; one that runs shorter is
    /// never interrupted. Reason: a call that never ends delays others by no more than this.
    std::chrono::microseconds slice{2000};
};

/// Why a call was cut off.
enum class Cut {
    none,
    instructions,
    run,
    wall,
    memory,     ///< its own has grown too much
    allMemory,  ///< that of all scripts would have
    noMemory,   ///< the system gives no more
    stopped,    ///< with everything else
};

/// "ran for more than 1000 ms (--run-time 1)": what has been reached, and by which option of
/// ncworker that is set.
std::string reasonOf(Cut cut, const Limits& limits);
/// As an option takes it: "0.5" seconds.
std::string secondsText(std::chrono::milliseconds time);

struct Usage {
    std::uint64_t instructions = 0;
    std::chrono::nanoseconds ran{0};
    std::ptrdiff_t growth = 0;
    Cut cut = Cut::none;
    /// "tasks.lua:34", where it was suspended last or went over a bound of memory; may be empty.
    std::string where{};
};

}  // namespace netcluster::lua
