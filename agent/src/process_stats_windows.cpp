#include <windows.h>
// after it
#include <psapi.h>

#include <bit>

#include "process_stats.hpp"

namespace netcluster {
namespace {

// In units of 100 ns.
std::int64_t ticks(const FILETIME& time) {
    return std::int64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime;
}

std::uint64_t residentBytes() {
    PROCESS_MEMORY_COUNTERS counters{};
    return ::K32GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters)
               ? counters.WorkingSetSize
               : 0;
}

unsigned usableProcessors() {
    DWORD_PTR ours = 0;
    DWORD_PTR all = 0;
    if (::GetProcessAffinityMask(::GetCurrentProcess(), &ours, &all) && ours != 0) {
        return static_cast<unsigned>(std::popcount(ours));
    }
    return ::GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);  // more than a mask has room for
}

}  // namespace

ProcessStats processStats() {
    ProcessStats stats;
    stats.memory = residentBytes();
    FILETIME began{};
    FILETIME ended{};
    FILETIME kernel{};
    FILETIME user{};
    if (::GetProcessTimes(::GetCurrentProcess(), &began, &ended, &kernel, &user)) {
        FILETIME now{};
        ::GetSystemTimeAsFileTime(&now);
        stats.processorTime = std::chrono::microseconds((ticks(kernel) + ticks(user)) / 10);
        stats.uptime = std::chrono::milliseconds((ticks(now) - ticks(began)) / 10'000);
    }
    stats.cpus = usableProcessors();
    return stats;
}

}  // namespace netcluster
