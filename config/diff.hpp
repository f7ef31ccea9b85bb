// Settings x Settings -> the keys that differ. Used by reload, which reports each one.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "settings.hpp"

namespace netcluster::config {

struct Change {
    std::string pointer;    ///< JSON pointer of the key, e.g. "/channels/A/propagatetonet"
    nlohmann::json before;  ///< null when the key (a channel) is new
    nlohmann::json after;   ///< null when it is gone

    bool operator==(const Change&) const = default;
};

/// Sorted by pointer. A channel that comes or goes is one change: its whole object.
std::vector<Change> diff(const Settings& before, const Settings& after);

}  // namespace netcluster::config
