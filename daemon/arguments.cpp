#include "arguments.hpp"

#include <cstdlib>

#include "host.hpp"
#include "setup.hpp"

namespace netcluster::daemon {

void describe(CLI::App& app, Arguments& arguments) {
    app.name("ncserver");
    app.description("netcluster's daemon: routes events between processes and hosts");
    app.set_help_flag("-h,--help", "show help and exit");
    app.set_version_flag("--version", "ncserver " NETCLUSTER_VERSION, "show the version and exit");
    auto* position =
        app.add_option("CONFIG", arguments.config, "the configuration file")->type_name("FILE");
    app.add_option("-c,--config", arguments.configOption, "the configuration file")
        ->type_name("FILE")
        ->excludes(position);
    app.add_flag("-t,--test-config", arguments.test, "check the configuration and exit: 0 or 2");
    app.add_option("--rundir", arguments.runDir, "where the sockets are")->type_name("DIR");
    app.add_option("--log-level", arguments.logLevel, "how much is logged (default info)")
        ->type_name("LEVEL")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
    app.add_option("--log-file", arguments.logFile, "log to this file, not to standard error")
        ->type_name("FILE");
    app.add_option("--pid-file", arguments.pidFile, "write the pid here")->type_name("FILE");
}

std::string findConfig(const Arguments& arguments) {
    if (!arguments.config.empty()) return arguments.config;
    if (!arguments.configOption.empty()) return arguments.configOption;
    if (const char* chosen = std::getenv("NETCLUSTER_CONFIG"); chosen && *chosen) return chosen;
    const std::string system = service::systemConfigFile();
    return !system.empty() ? system : executableDirectory() + "/config.json";
}

}  // namespace netcluster::daemon
