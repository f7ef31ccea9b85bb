// ncserver's command line. For main, and for its manual page and shell completions, which are made
// from what `describe` tells (service/packaging/manual). The name of a value's type says there what
// it is: FILE and DIR are completed as such, and the words of a check are offered.
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
