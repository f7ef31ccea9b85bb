#include "arguments.hpp"

#include <cstdlib>

#include "host.hpp"
#include "setup.hpp"

namespace netcluster::daemon {

void describe(CLI::App& app, Arguments& arguments) {
    app.set_version_flag("--version", "ncserver " NETCLUSTER_VERSION);
    auto* position = app.add_option("CONFIG", arguments.config, "the configuration file");
    app.add_option("-c,--config", arguments.configOption, "the same")->excludes(position);
    app.add_flag("-t,--test-config", arguments.test, "check the configuration and exit: 0 or 2");
    app.add_option("--rundir", arguments.runDir, "where the sockets are");
    app.add_option("--log-level", arguments.logLevel, "trace, debug, info, warn, error or off")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
    app.add_option("--log-file", arguments.logFile, "log to this file, not to standard error");
    app.add_option("--pid-file", arguments.pidFile, "write the pid here");
}

std::string findConfig(const Arguments& arguments) {
    if (!arguments.config.empty()) return arguments.config;
    if (!arguments.configOption.empty()) return arguments.configOption;
    if (const char* chosen = std::getenv("NETCLUSTER_CONFIG"); chosen && *chosen) return chosen;
    const std::string system = service::systemConfigFile();
    return !system.empty() ? system : executableDirectory() + "/config.json";
}

}  // namespace netcluster::daemon
