#include <windows.h>
// after it
#include <psapi.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <mutex>

#include "host_stats.hpp"

namespace netcluster::daemon {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t ticks(const FILETIME& time) {
    return std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime;
}

unsigned usableProcessors() {
    DWORD_PTR ours = 0;
    DWORD_PTR all = 0;
    if (::GetProcessAffinityMask(::GetCurrentProcess(), &ours, &all) && ours != 0) {
        return static_cast<unsigned>(std::popcount(ours));
    }
    return ::GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);  // more than a mask has room for
}

// Windows counts busy time, not how many threads would run: the load is the processors that were
// busy, averaged as other systems average theirs. So it does not go beyond their number.
class BusyAverage {
  public:
    double next() {
        FILETIME idleTime{};
        FILETIME kernelTime{};  // the idle time is a part of it
        FILETIME userTime{};
        if (!::GetSystemTimes(&idleTime, &kernelTime, &userTime)) return 0;
        const std::lock_guard lock(mutex_);
        const std::uint64_t idle = ticks(idleTime);
        const std::uint64_t all = ticks(kernelTime) + ticks(userTime);
        const Clock::time_point now = Clock::now();
        if (all_ != 0 && all > all_ && idle >= idle_) add(now, idle - idle_, all - all_);
        // Too little time for a share of it: with the next.
        if (all_ == 0 || all > all_) {
            idle_ = idle;
            all_ = all;
            then_ = now;
        }
        return average_;
    }

  private:
    void add(Clock::time_point now, std::uint64_t idle, std::uint64_t all) {
        constexpr double minute = 60;
        const double passed = std::chrono::duration<double>(now - then_).count();
        const double share =
            idle < all ? 1 - static_cast<double>(idle) / static_cast<double>(all) : 0;
        const double busy = share * ::GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
        const double weight = std::exp(-passed / minute);
        average_ = average_ * weight + busy * (1 - weight);
    }

    std::mutex mutex_;
    std::uint64_t idle_ = 0;
    std::uint64_t all_ = 0;
    Clock::time_point then_{};
    double average_ = 0;
};

double oneMinuteLoad() {
    static BusyAverage average;
    return average.next();
}

void readMemory(HostStats& stats) {
    MEMORYSTATUSEX status{};
    status.dwLength = sizeof status;
    if (!::GlobalMemoryStatusEx(&status)) return;
    stats.memoryTotal = status.ullTotalPhys;
    stats.memoryAvailable = status.ullAvailPhys;
}

std::uint64_t residentBytes() {
    PROCESS_MEMORY_COUNTERS counters{};
    return ::K32GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters)
               ? counters.WorkingSetSize
               : 0;
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
