#include <unistd.h>

#include <cstdlib>

#include "endpoint.hpp"
#include "endpoint_system.hpp"

namespace netcluster::local {
namespace {

std::string fromEnvironment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

}  // namespace

std::string chosenDirectory() {
    return fromEnvironment("NETCLUSTER_DIR");
}

std::string systemDirectory() {
    return "/run/netcluster";
}

std::string userDirectory() {
    if (const std::string runtime = fromEnvironment("XDG_RUNTIME_DIR"); !runtime.empty()) {
        return runtime + "/netcluster";
    }
    return fromEnvironment("HOME") + "/.netcluster/run";
}

bool isSystem() {
    return geteuid() == 0;
}

std::string endpointPath(const std::string& dir, std::string_view channel) {
    return dir + "/" + std::string(channel) + ".sock";
}

std::string legacyPath(std::string_view channel) {
    return "/run/netcluster-" + std::string(channel);
}

}  // namespace netcluster::local
