// Lines of the log that others can cause: tasks that fail, what scripts say. Bounded in number, and
// each is one line whatever is in it. One thread.
#pragma once

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace netcluster::worker {

class LogLines {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// Lines per second, and at once. Reason: a disk holds that for a while, and a person sees more
    /// in it than in a flood.
    static constexpr double rate = 100;
    static constexpr double burst = 200;

    /// Logs it, or counts it; how many were only counted is said before the next one.
    void tell(spdlog::level::level_enum level, std::string_view text);

    /// Whether there is room for one more. Pure.
    bool admits(Time now);

  private:
    double room_ = burst;
    Time last_{};
    std::uint64_t leftOut_ = 0;
};

}  // namespace netcluster::worker
