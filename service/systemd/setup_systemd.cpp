#include <filesystem>
#include <iostream>

#include "setup.hpp"

namespace netcluster::service {

std::string systemConfigFile() {
    const std::string file = "/etc/netcluster/config.json";
    std::error_code error;
    return std::filesystem::exists(file, error) ? file : "";
}

void describeCommands(CLI::App&) {}

/// Windows' commands, which somebody may know, are no names of files here unless there is such a
/// file.
std::optional<int> runCommand(const CLI::App& app) {
    const CLI::Option* option = app.get_option_no_throw("CONFIG");
    const std::string word = option && option->count() > 0 ? option->as<std::string>() : "";
    const bool isCommand = word == "install" || word == "uninstall" || word == "start" ||
                           word == "stop" || word == "reload" || word == "run";
    if (!isCommand || std::filesystem::exists(word)) return {};
    std::cerr << "ncserver: " << word
              << " is a command of Windows; here systemd looks after the service: systemctl start, "
                 "stop, reload, enable or disable netcluster\n";
    return 2;
}

}  // namespace netcluster::service
