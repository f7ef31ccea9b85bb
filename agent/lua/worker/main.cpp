// ncworker: arguments, log, signals, run; nothing else.
#include <signal.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
#include <iostream>
#include <optional>

#include "arguments.hpp"
#include "pid_file.hpp"
#include "texts.hpp"
#include "worker.hpp"

namespace {

using namespace netcluster::worker;

constexpr int exitFailed = 1;
constexpr int exitUsage = 2;

/// Lines waiting for the log's own thread; beyond it the oldest go: the log never holds up the
/// loop.
constexpr std::size_t logQueue = 8192;

void openLog(const Arguments& arguments) {
    spdlog::init_thread_pool(logQueue, 1);
    std::shared_ptr<spdlog::sinks::sink> sink;
    if (arguments.logFile.empty())
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
        sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(arguments.logFile);
    auto logger =
        std::make_shared<spdlog::async_logger>("ncworker", std::move(sink), spdlog::thread_pool(),
                                               spdlog::async_overflow_policy::overrun_oldest);
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e [%l] %v");
    logger->set_level(spdlog::level::from_str(arguments.logLevel));
    logger->flush_on(spdlog::level::info);
    logger->set_error_handler([](const std::string&) {});  // a full disk must not end the worker
    spdlog::set_default_logger(std::move(logger));
}

class Signals {
  public:
    Signals(boost::asio::io_context& io, Worker& worker)
        : set_(io, SIGTERM, SIGINT, SIGHUP), worker_(worker), io_(io) {
        listen();
    }

  private:
    void listen() {
        set_.async_wait([this](boost::system::error_code error, int number) {
            if (error) return;
            number == SIGHUP ? worker_.reload() : worker_.stop([this] { io_.stop(); });
            listen();
        });
    }

    boost::asio::signal_set set_;
    Worker& worker_;
    boost::asio::io_context& io_;
};

int run(const Arguments& arguments, boost::asio::io_context& io, Worker& worker) {
    const Signals signals(io, worker);
    const PidFile pidFile(arguments.pidFile);
    int status = 0;
    worker.start([&](const std::string& error) {
        if (error.empty()) return spdlog::info("ncworker {} ready", NETCLUSTER_VERSION);
        spdlog::error("{}", netcluster::lua::oneLine(error));
        status = exitFailed;
        io.stop();
    });
    io.run();
    if (status == 0) spdlog::info("stopped");
    return status;
}

int test(const Settings& settings, Worker& worker) {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("ncworker"));
    worker.check();
    std::cout << (settings.script.empty() ? "the command line is right, and there are no scripts"
                                          : settings.script + ": the scripts load")
              << '\n';
    return 0;
}

int complain(const std::exception& error, int status) {
    std::cerr << "ncworker: " << error.what() << '\n';
    return status;
}

int work(const Arguments& arguments, const Settings& settings) {
    boost::asio::io_context io(1);
    std::optional<Worker> worker;
    try {
        worker.emplace(io, settings);
        if (arguments.test) return test(settings, *worker);
    } catch (const std::exception& error) {
        return complain(error, exitUsage);
    }
    try {
        openLog(arguments);
    } catch (const std::exception& error) {
        return complain(error, exitFailed);
    }
    try {
        return run(arguments, io, *worker);
    } catch (const std::exception& error) {
        spdlog::error("{}", netcluster::lua::oneLine(error.what()));
        return exitFailed;
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app;
    Arguments arguments;
    describe(app, arguments);
    Settings settings;
    try {
        app.parse(wordsFor(app, argc, argv));
        settings = settingsOf(arguments);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : exitUsage;
    }
    const int status = work(arguments, settings);
    const auto logger = spdlog::default_logger();  // outlives the thread of the log
    spdlog::shutdown();
    return status;
}
