// How this process is doing, as the system counts it; each system in its own way. Any thread. A few
// system calls and nothing kept: made to be called once a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace netcluster {

/// What the system does not say is 0, or nothing.
struct ProcessStats {
    std::uint64_t memory = 0;                    ///< resident bytes
    std::chrono::microseconds processorTime{0};  ///< of all its threads, since it began
    std::chrono::milliseconds uptime{0};
    std::optional<double> hostLoad{};  ///< the host's average over 1 min; Windows has none
    unsigned cpus = 0;                 ///< processors it may run on
};

ProcessStats processStats();

}  // namespace netcluster
