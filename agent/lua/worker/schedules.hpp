// When what is to be called. Pure: knows no clock. A schedule keeps to the multiples of its period
// from its start, however late it is looked at: it does not drift. While a call of it is under way,
// and for times that have passed unseen, it is left out, and that is counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace netcluster::worker {

class Schedules {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// First due one period after `now`.
    void add(std::string function, std::chrono::milliseconds period, Time now);

    /// When to look again; none: there are no schedules.
    std::optional<Time> next() const;
    /// Those to be called now; they count as under way until `ended`.
    std::vector<std::string> due(Time now);
    void ended(const std::string& function);

    std::uint64_t leftOut() const { return leftOut_; }

  private:
    struct Entry {
        std::string function;
        std::chrono::milliseconds period;
        Time next;
        bool underWay = false;
    };
    std::vector<Entry> entries_;
    std::uint64_t leftOut_ = 0;
};

}  // namespace netcluster::worker
