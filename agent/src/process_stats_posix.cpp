// Systems that are neither Linux nor Windows: what all of them have. How much memory is resident
// each tells in its own way, or not at all.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

#include "process_stats.hpp"

namespace netcluster {
namespace {

// As good as when the process began: the library is loaded with it.
const auto began = std::chrono::steady_clock::now();

std::chrono::microseconds inMicroseconds(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

ProcessStats processStats() {
    ProcessStats stats;
    if (rusage usage{}; getrusage(RUSAGE_SELF, &usage) == 0) {
        stats.processorTime = inMicroseconds(usage.ru_utime) + inMicroseconds(usage.ru_stime);
    }
    stats.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began);
    if (double load = 0; getloadavg(&load, 1) == 1) stats.hostLoad = load;
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    stats.cpus = online > 0 ? static_cast<unsigned>(online) : 0;
    return stats;
}

}  // namespace netcluster
