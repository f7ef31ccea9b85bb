#include "process_stats.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace netcluster {
namespace {

std::uint64_t residentBytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    const long page = sysconf(_SC_PAGESIZE);
    return file >> size >> resident && page > 0 ? resident * static_cast<std::uint64_t>(page) : 0;
}

std::chrono::microseconds processorTime() {
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) != 0) return {};
    const auto of = [](const timeval& time) {
        return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

// The 22nd field of /proc/self/stat says when it began, in ticks since the system did. The second
// is the program's name in brackets, which may hold anything.
std::chrono::milliseconds uptime() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name = line.rfind(')');
    timespec now{};
    const long ticks = sysconf(_SC_CLK_TCK);
    if (name == std::string::npos || ticks <= 0 || clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
        return {};
    }
    std::istringstream fields(line.substr(name + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) fields >> skipped;
    std::int64_t began = 0;
    if (!(fields >> began)) return {};
    const auto sinceBoot = std::chrono::milliseconds(now.tv_sec * 1000 + now.tv_nsec / 1'000'000);
    return sinceBoot - std::chrono::milliseconds(began * 1000 / ticks);
}

unsigned usableProcessors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
    const long online = sysconf(_SC_NPROCESSORS_ONLN);  // more than a cpu_set_t has room for
    return online > 0 ? static_cast<unsigned>(online) : 0;
}

}  // namespace

ProcessStats processStats() {
    ProcessStats stats;
    stats.memory = residentBytes();
    stats.processorTime = processorTime();
    stats.uptime = uptime();
    if (double load = 0; getloadavg(&load, 1) == 1) stats.hostLoad = load;
    stats.cpus = usableProcessors();
    return stats;
}

}  // namespace netcluster
