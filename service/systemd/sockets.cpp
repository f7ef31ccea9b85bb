#include "sockets.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "environment.hpp"
#include "handed_over.hpp"

namespace netcluster::service {
namespace {

constexpr int firstDescriptor = 3;  // SD_LISTEN_FDS_START

// `a:b:c`, one for each descriptor.
std::string takeName(std::string_view& names) {
    const std::size_t end = names.find(':');
    const std::string name(names.substr(0, end));
    names.remove_prefix(end == std::string_view::npos ? names.size() : end + 1);
    return name.empty() ? "unknown" : name;
}

}  // namespace

void takeSockets() {
    const auto process = variableNumber("LISTEN_PID");
    const auto count = variableNumber("LISTEN_FDS");
    if (!count || process != static_cast<unsigned long long>(getpid())) return;
    std::string_view names = variable("LISTEN_FDNAMES");
    for (unsigned long long at = 0; at < *count; ++at) {
        local::adopt(firstDescriptor + static_cast<int>(at), takeName(names));
    }
}

void warnOfUnusedSockets() {
    for (const std::string& path : local::unusedHandedOver()) {
        spdlog::warn(
            "{}: systemd listens here for us, but no channel does: whoever connects waits for "
            "ever (a channel's socket is CHANNEL.sock in the run directory)",
            path);
    }
}

}  // namespace netcluster::service
