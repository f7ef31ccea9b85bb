#include "stats_report.hpp"

#include <cmath>
#include <netcluster/control.hpp>
#include <netcluster/error.hpp>

#include "outgoing_event.hpp"
#include "process.hpp"

namespace netcluster {
namespace {

// More would say what nobody measured.
double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

double load(const ProcessStats& then, const ProcessStats& now) {
    const auto passed = now.uptime - then.uptime;
    if (passed <= std::chrono::milliseconds(0)) return 0;
    const std::chrono::duration<double> worked = now.processorTime - then.processorTime;
    return rounded(worked / std::chrono::duration<double>(passed));
}

}  // namespace

void StatsReport::set(const Json& members) {
    if (!members.is_object()) throw Error("stats are the members of an object");
    checkData(control::nodeStats, members);
    const std::lock_guard lock(mutex_);
    Json merged = members_;
    for (const auto& [name, value] : members.items()) {
        if (value.is_null()) {
            merged.erase(name);
        } else {
            merged[name] = value;
        }
    }
    if (const std::size_t size = merged.dump().size(); size > maxMembers) {
        throw Error("stats of " + std::to_string(size) + " bytes; at most " +
                    std::to_string(maxMembers) + " are told");
    }
    members_ = std::move(merged);
}

Json StatsReport::next(const ProcessStats& now) {
    const ProcessStats then = last_.value_or(ProcessStats{});
    Json report{
        {"pid", processId()},
        {"version", NETCLUSTER_VERSION},
        {"memory", now.memory},
        {"uptime", std::chrono::duration_cast<std::chrono::seconds>(now.uptime).count()},
        {"load", load(then, now)},
        {"cpus", now.cpus},
        {"requests", 0},
        {"busy", 0},
    };
    if (now.hostLoad) report["hostload"] = rounded(*now.hostLoad);
    last_ = now;
    const std::lock_guard lock(mutex_);
    report.update(members_);
    return report;
}

}  // namespace netcluster
