// ncserver: arguments, log, signals, run; nothing else.
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <netcluster/server.hpp>

#include "host.hpp"
#include "parse.hpp"

namespace {

using namespace netcluster;

constexpr int exitFailed = 1;
constexpr int exitUsage = 2;

struct Arguments {
    std::string config;
    std::string configOption;
    bool test = false;
    std::string runDir;
    std::string logLevel = "info";
    std::string logFile;
    std::string pidFile;
};

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

/// Argument, $NETCLUSTER_CONFIG, /etc/netcluster/config.json, the default beside the binary.
std::string findConfig(const Arguments& arguments) {
    if (!arguments.config.empty()) return arguments.config;
    if (!arguments.configOption.empty()) return arguments.configOption;
    if (const char* chosen = std::getenv("NETCLUSTER_CONFIG"); chosen && *chosen) return chosen;
    const std::string system = "/etc/netcluster/config.json";
    std::error_code error;
    if (std::filesystem::exists(system, error)) return system;
    return daemon::executableDirectory() + "/config.json";
}

int testConfig(const std::string& file) {
    const config::Parsed parsed = config::load(file);
    for (const auto& warning : parsed.warnings) {
        std::cerr << warning.text() << " (warning)\n";
    }
    for (const auto& problem : parsed.problems) std::cerr << problem.text() << '\n';
    if (!parsed.settings) return exitUsage;
    std::cout << file << ": the configuration is valid\n";
    return 0;
}

/// Lines waiting for the log's own thread. Reason: a burst fits; beyond it the oldest lines go, for
/// the log must never hold up the loop.
constexpr std::size_t logQueue = 8192;

void openLog(const Arguments& arguments) {
    spdlog::init_thread_pool(logQueue, 1);
    spdlog::sink_ptr sink;
    if (arguments.logFile.empty()) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
        sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(arguments.logFile);
    }
    auto logger =
        std::make_shared<spdlog::async_logger>("ncserver", std::move(sink), spdlog::thread_pool(),
                                               spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::from_str(arguments.logLevel));
    logger->flush_on(spdlog::level::info);
    // A full disk must not bring the daemon down, nor fill standard error.
    logger->set_error_handler([](const std::string&) {});
    spdlog::set_default_logger(std::move(logger));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
}

void reload(Server& server) {
    const nlohmann::json answer = server.reload();
    if (!answer.contains("error")) return;
    spdlog::error("reload: {}", answer["error"].get<std::string>());
    for (const auto& problem : answer.value("problems", nlohmann::json::array())) {
        spdlog::error("reload: {}", problem.get<std::string>());
    }
}

/// SIGTERM and SIGINT stop, SIGHUP reloads. Caught from construction on; what comes before `serve`
/// is kept for it.
class Signals {
  public:
    void serve(Server& server) {
        wait(server);
        io_.run();
    }

  private:
    void wait(Server& server) {
        signals_.async_wait([&](const boost::system::error_code& error, int signal) {
            if (error) return;
            if (signal != SIGHUP) return spdlog::info("stopping (signal {})", signal);
            reload(server);
            wait(server);
        });
    }

    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
};

int run(const Arguments& arguments) {
    const std::string file = findConfig(arguments);
    if (arguments.test) return testConfig(file);
    openLog(arguments);
    std::signal(SIGPIPE, SIG_IGN);
    Signals signals;
    daemon::raiseFileLimit();
    Server server(
        {.configFile = std::filesystem::absolute(file).string(), .runDir = arguments.runDir});
    server.start();
    const daemon::PidFile pidFile(arguments.pidFile);
    const nlohmann::json stats = server.stats();
    spdlog::info("ncserver {} ready: {} channels in {}, configuration {}", NETCLUSTER_VERSION,
                 stats["channels"].size(), stats["rundir"].get<std::string>(),
                 stats["config"].get<std::string>());
    signals.serve(server);
    server.stop();
    spdlog::info("stopped");
    return 0;
}

int report(const std::string& what, int status) {
    std::cerr << "ncserver: " << what << '\n';
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("netcluster's daemon: routes events between processes and hosts", "ncserver");
    Arguments arguments;
    describe(app, arguments);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : exitUsage;
    }
    int status = exitFailed;
    try {
        status = run(arguments);
    } catch (const ConfigError& error) {
        for (const std::string& problem : error.problems) std::cerr << problem << '\n';
        status = report(error.what(), exitUsage);
    } catch (const std::exception& error) {
        status = report(error.what(), exitFailed);
    }
    // The logger outlives the log's own thread, which shutdown joins.
    const auto logger = spdlog::default_logger();
    spdlog::shutdown();
    return status;
}
