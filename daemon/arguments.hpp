// ncserver's command line. For main.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace netcluster::daemon {

struct Arguments {
    std::string config;
    std::string configOption;
    bool test = false;
    std::string runDir;
    std::string logLevel = "info";
    std::string logFile;
    std::string pidFile;
};

/// `arguments` is filled when `app` parses.
void describe(CLI::App& app, Arguments& arguments);

/// Argument, $NETCLUSTER_CONFIG, the host's own, the default beside the binary.
std::string findConfig(const Arguments& arguments);

}  // namespace netcluster::daemon
