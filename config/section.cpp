#include "section.hpp"

#include <algorithm>

namespace netcluster::config {

void reportUnknownKey(const Member& member, const Value& object,
                      std::span<const std::string_view> known,
                      std::span<const std::string_view> elsewhere, std::string_view there) {
    std::string what = "unknown key";
    if (std::find(elsewhere.begin(), elsewhere.end(), member.key) != elsewhere.end()) {
        what += "; it belongs " + std::string(there);
    } else if (const auto meant = closest(member.key, known)) {
        what += "; did you mean \"" + std::string(*meant) + "\"?";
    }
    object.report.problem(member.place, object.pointer + pointerStep(member.key), what);
}

}  // namespace netcluster::config
