// How long somebody waits, as programs may ask for it. Pure; any thread.
#pragma once

#include <algorithm>
#include <chrono>

namespace netcluster::cluster {

/// Longest. Reason: any moment of the clock and this are still a moment of the clock, and so are
/// two of them.
inline constexpr std::chrono::milliseconds longestWait = std::chrono::hours(24 * 365);

/// Not less than nothing, not more than a year.
constexpr std::chrono::milliseconds boundedWait(std::chrono::milliseconds wait) {
    return std::clamp(wait, std::chrono::milliseconds(0), longestWait);
}

}  // namespace netcluster::cluster
