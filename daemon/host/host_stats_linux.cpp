#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "host_stats.hpp"

namespace netcluster::daemon {
namespace {

double oneMinuteLoad() {
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : 0;
}

unsigned usableProcessors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
    const long online = sysconf(_SC_NPROCESSORS_ONLN);  // more than a cpu_set_t has room for
    return online > 0 ? static_cast<unsigned>(online) : 0;
}

// Lines `MemTotal:  123 kB`; both stand among the first.
void readMemory(HostStats& stats) {
    std::ifstream file("/proc/meminfo");
    std::string key;
    std::string unit;
    std::uint64_t kibibytes = 0;
    while (file >> key >> kibibytes) {
        if (key == "MemTotal:") stats.memoryTotal = kibibytes * 1024;
        if (key == "MemAvailable:") {
            stats.memoryAvailable = kibibytes * 1024;
            return;
        }
        std::getline(file, unit);
    }
}

std::uint64_t residentBytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    const long page = sysconf(_SC_PAGESIZE);
    return file >> size >> resident && page > 0 ? resident * static_cast<std::uint64_t>(page) : 0;
}

}  // namespace

HostStats readHostStats() {
    HostStats stats;
    stats.load = oneMinuteLoad();
    stats.cpus = usableProcessors();
    readMemory(stats);
    stats.rss = residentBytes();
    return stats;
}

}  // namespace netcluster::daemon
