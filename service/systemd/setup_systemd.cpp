#include <filesystem>

#include "setup.hpp"

namespace netcluster::service {

std::string systemConfigFile() {
    const std::string file = "/etc/netcluster/config.json";
    std::error_code error;
    return std::filesystem::exists(file, error) ? file : "";
}

void describeCommands(CLI::App&) {}

std::optional<int> runCommand(const CLI::App&) {
    return {};
}

}  // namespace netcluster::service
