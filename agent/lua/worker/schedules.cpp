#include "schedules.hpp"

#include <algorithm>
#include <utility>

namespace netcluster::worker {

void Schedules::add(std::string function, std::chrono::milliseconds period, Time now) {
    entries_.push_back({std::move(function), period, now + period});
}

std::optional<Schedules::Time> Schedules::next() const {
    std::optional<Time> soonest;
    for (const Entry& entry : entries_) {
        if (!soonest || entry.next < *soonest) soonest = entry.next;
    }
    return soonest;
}

std::vector<std::string> Schedules::due(Time now) {
    std::vector<std::string> functions;
    for (Entry& entry : entries_) {
        if (entry.next > now) continue;
        const auto missed = (now - entry.next) / entry.period;
        leftOut_ += static_cast<std::uint64_t>(missed) + (entry.underWay ? 1 : 0);
        entry.next += (missed + 1) * entry.period;
        if (entry.underWay) continue;
        entry.underWay = true;
        functions.push_back(entry.function);
    }
    return functions;
}

void Schedules::ended(const std::string& function) {
    for (Entry& entry : entries_) {
        if (entry.function == function) entry.underWay = false;
    }
}

}  // namespace netcluster::worker
