// ncserver: arguments, log, requests, run; nothing else.
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <iostream>
#include <netcluster/server.hpp>
#include <vector>

#include "arguments.hpp"
#include "host.hpp"
#include "manager.hpp"
#include "parse.hpp"
#include "path_text.hpp"
#include "setup.hpp"
#include "system_log.hpp"

namespace {

using namespace netcluster;
using daemon::Arguments;
using service::Manager;
using service::Request;

constexpr int exitFailed = 1;
constexpr int exitUsage = 2;

int testConfig(const std::string& file) {
    const config::Parsed parsed = config::load(config::pathFromText(file));
    for (const auto& warning : parsed.warnings) {
        service::tell(spdlog::level::warn, warning.text() + " (warning)");
    }
    for (const auto& problem : parsed.problems) service::tell(spdlog::level::err, problem.text());
    if (!parsed.settings) return exitUsage;
    std::cout << file << ": the configuration is valid\n";
    return 0;
}

/// Lines waiting for the log's own thread. Reason: a burst fits; beyond it the oldest lines go, for
/// the log must never hold up the loop.
constexpr std::size_t logQueue = 8192;

void openLog(const Arguments& arguments) {
    spdlog::init_thread_pool(logQueue, 1);
    std::vector<spdlog::sink_ptr> sinks;
    if (arguments.logFile.empty()) {
        sinks.push_back(service::systemSink());
    } else {
        sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(arguments.logFile));
        sinks.back()->set_pattern(service::linePattern);
        if (auto beside = service::sinkBesideFile()) sinks.push_back(std::move(beside));
    }
    auto logger = std::make_shared<spdlog::async_logger>(
        "ncserver", sinks.begin(), sinks.end(), spdlog::thread_pool(),
        spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::from_str(arguments.logLevel));
    logger->flush_on(spdlog::level::info);
    // A full disk must not bring the daemon down, nor fill standard error.
    logger->set_error_handler([](const std::string&) {});
    spdlog::set_default_logger(std::move(logger));
}

/// Whether it is taken or not, the daemon is ready again after it; the summary tells which.
void reload(Server& server, Manager& manager) {
    manager.reloading();
    const nlohmann::json answer = server.reload();
    if (answer.contains("error")) {
        spdlog::error("reload: {}", answer["error"].get<std::string>());
        for (const auto& problem : answer.value("problems", nlohmann::json::array())) {
            spdlog::error("reload: {}", problem.get<std::string>());
        }
    }
    manager.ready(server.summary());
}

void serve(Server& server, Manager& manager) {
    for (;;) {
        const Request request = manager.next();
        if (request.kind == Request::stop) return spdlog::info("stopping ({})", request.by);
        reload(server, manager);
    }
}

int run(const Arguments& arguments, Manager& manager) {
    openLog(arguments);
    daemon::raiseFileLimit();
    manager.takeEndpoints();
    const auto file =
        std::filesystem::absolute(config::pathFromText(daemon::findConfig(arguments)));
    Server server({.configFile = config::textOfPath(file),
                   .runDir = arguments.runDir,
                   .onPulse =
                       [&](const std::string& summary) {
                           manager.alive();
                           manager.status(summary);
                       },
                   .pulse = manager.pulse()});
    server.start();
    const daemon::PidFile pidFile(arguments.pidFile);
    const nlohmann::json stats = server.stats();
    spdlog::info("ncserver {} ready: {} channels in {}, configuration {}", NETCLUSTER_VERSION,
                 stats["channels"].size(), stats["rundir"].get<std::string>(),
                 stats["config"].get<std::string>());
    manager.ready(server.summary());
    serve(server, manager);
    manager.stopping();
    server.stop();
    spdlog::info("stopped");
    return 0;
}

int report(const std::string& what, int status) {
    service::tell(spdlog::level::err, "ncserver: " + what);
    return status;
}

/// The exit status of `program`, whatever it throws.
template <typename Program>
int reported(Program program) {
    try {
        return program();
    } catch (const ConfigError& error) {
        for (const auto& problem : error.problems) service::tell(spdlog::level::err, problem);
        return report(error.what(), exitUsage);
    } catch (const std::exception& error) {
        return report(error.what(), exitFailed);
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app;
    Arguments arguments;
    daemon::describe(app, arguments);
    service::describeCommands(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : exitUsage;
    }
    const int status = reported([&] {
        if (const auto done = service::runCommand(app)) return *done;
        if (arguments.test) return testConfig(daemon::findConfig(arguments));
        return service::run(
            [&](Manager& manager) { return reported([&] { return run(arguments, manager); }); });
    });
    // The logger outlives the log's own thread, which shutdown joins.
    const auto logger = spdlog::default_logger();
    spdlog::shutdown();
    return status;
}
