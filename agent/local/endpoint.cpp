#include "endpoint.hpp"

#include <unistd.h>

#include <cstdlib>

namespace netcluster::local {
namespace {

std::string fromEnvironment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::string userDirectory() {
    if (const std::string runtime = fromEnvironment("XDG_RUNTIME_DIR"); !runtime.empty()) {
        return runtime + "/netcluster";
    }
    return fromEnvironment("HOME") + "/.netcluster/run";
}

}  // namespace

std::string runDirectory() {
    if (std::string chosen = fromEnvironment("NETCLUSTER_DIR"); !chosen.empty()) return chosen;
    return geteuid() == 0 ? systemDirectory : userDirectory();
}

std::vector<std::string> searchDirectories(const std::string& dir) {
    if (!dir.empty()) return {dir};
    if (std::string chosen = fromEnvironment("NETCLUSTER_DIR"); !chosen.empty()) return {chosen};
    if (geteuid() == 0) return {systemDirectory};
    return {userDirectory(), systemDirectory};
}

std::string endpointPath(const std::string& dir, std::string_view channel) {
    return dir + "/" + std::string(channel) + ".sock";
}

std::string legacyPath(std::string_view channel) {
    return "/run/netcluster-" + std::string(channel);
}

bool validChannel(std::string_view name) {
    if (name.empty() || name.size() > 64 || name.front() == '.') return false;
    return name.find_first_not_of(
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
           std::string_view::npos;
}

}  // namespace netcluster::local
