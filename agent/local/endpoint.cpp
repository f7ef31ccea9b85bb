#include "endpoint.hpp"

#include "endpoint_system.hpp"

namespace netcluster::local {

std::string runDirectory() {
    if (std::string chosen = chosenDirectory(); !chosen.empty()) return chosen;
    return isSystem() ? systemDirectory() : userDirectory();
}

std::vector<std::string> searchDirectories(const std::string& dir) {
    if (!dir.empty()) return {dir};
    if (std::string chosen = chosenDirectory(); !chosen.empty()) return {chosen};
    if (isSystem()) return {systemDirectory()};
    return {userDirectory(), systemDirectory()};
}

bool validChannel(std::string_view name) {
    if (name.empty() || name.size() > 64 || name.front() == '.') return false;
    return name.find_first_not_of(
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
           std::string_view::npos;
}

}  // namespace netcluster::local
