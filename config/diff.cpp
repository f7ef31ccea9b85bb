#include "diff.hpp"

#include <algorithm>
#include <set>

#include "parse.hpp"
#include "spelling.hpp"

namespace netcluster::config {
namespace {

using nlohmann::json;

json valueAt(const json& object, const std::string& key) {
    const auto found = object.find(key);
    return found == object.end() ? json() : *found;
}

std::set<std::string> keysOfBoth(const json& one, const json& other) {
    std::set<std::string> keys;
    for (const auto& item : one.items()) keys.insert(item.key());
    for (const auto& item : other.items()) keys.insert(item.key());
    return keys;
}

// Goes `levels` objects deep (document, channels, channel), but not where one side has nothing:
// what comes or goes is one change.
void compare(const json& before, const json& after, const std::string& pointer, int levels,
             std::vector<Change>& changes) {
    if (before == after) return;
    if (levels == 0 || !before.is_object() || !after.is_object()) {
        changes.push_back({pointer, before, after});
        return;
    }
    for (const auto& key : keysOfBoth(before, after)) {
        compare(valueAt(before, key), valueAt(after, key), pointer + pointerStep(key), levels - 1,
                changes);
    }
}

}  // namespace

std::vector<Change> diff(const Settings& before, const Settings& after) {
    std::vector<Change> changes;
    compare(toJson(before), toJson(after), "", 3, changes);
    std::sort(changes.begin(), changes.end(),
              [](const Change& one, const Change& other) { return one.pointer < other.pointer; });
    return changes;
}

}  // namespace netcluster::config
