// What this process says of how its nodes are doing (Node::stats). Owned by a Hub. Pure: it is told
// what the system counts.
#pragma once

#include <chrono>
#include <mutex>
#include <netcluster/event.hpp>
#include <optional>

#include "process_stats.hpp"

namespace netcluster {

class StatsReport {
  public:
    /// Most of what programs may add, as JSON text. Reason: with ours it stays well below what a
    /// daemon takes (2 KiB).
    static constexpr std::size_t maxMembers = 1024;

    /// Any thread. What the program adds, or with null takes away. Throws Error when that is no
    /// object, cannot travel, or would be too much; nothing has changed then.
    void set(const Json& members);

    /// One thread. The next report; `load` is over the time since the last one, at first since the
    /// process began.
    Json next(const ProcessStats& now);

  private:
    std::mutex mutex_;  // of:
    Json members_ = Json::object();
    std::optional<ProcessStats> last_;
};

}  // namespace netcluster
