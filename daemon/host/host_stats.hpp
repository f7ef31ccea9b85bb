// What other hosts are told of this one with each heartbeat: load and memory, as the system says
// now. A leaf of its own, for the link and for whoever shows it. One file per system. Any thread;
// keeps nothing but what the average needs where the system has none (Windows).
#pragma once

#include <cstdint>

namespace netcluster::daemon {

/// What the system does not say is 0.
struct HostStats {
    /// Average over one minute: runnable threads. On Windows busy processors, since the first call.
    double load = 0;
    unsigned cpus = 0;                  ///< processors this process may run on
    std::uint64_t memoryTotal = 0;      ///< bytes of the machine
    std::uint64_t memoryAvailable = 0;  ///< bytes that programs could have without swapping
    std::uint64_t rss = 0;              ///< bytes of memory this process holds

    bool operator==(const HostStats&) const = default;
};

/// Costs a few system calls and no allocation that lasts: made to be called once per heartbeat.
HostStats readHostStats();

}  // namespace netcluster::daemon
