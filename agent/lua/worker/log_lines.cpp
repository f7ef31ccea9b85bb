#include "log_lines.hpp"

#include <algorithm>
#include <utility>

#include "texts.hpp"

namespace netcluster::worker {

bool LogLines::admits(Time now) {
    if (last_ != Time{}) {
        const std::chrono::duration<double> passed = now - last_;
        room_ = std::min(burst, room_ + passed.count() * rate);
    }
    last_ = now;
    if (room_ < 1) return false;
    room_ -= 1;
    return true;
}

void LogLines::tell(spdlog::level::level_enum level, std::string_view text) {
    if (!spdlog::should_log(level)) return;
    if (!admits(std::chrono::steady_clock::now())) {
        ++leftOut_;
        return;
    }
    if (leftOut_ > 0) spdlog::warn("{} lines are left out", std::exchange(leftOut_, 0));
    spdlog::log(level, "{}", lua::oneLine(text));
}

}  // namespace netcluster::worker
