#include <spdlog/sinks/base_sink.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <mutex>
#include <netcluster/server.hpp>
#include <thread>

#include "core.hpp"
#include "endpoint.hpp"
#include "log.hpp"
#include "path_text.hpp"

namespace netcluster {
namespace {

class WarningSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit WarningSink(std::function<void(const std::string&)> take) : take_(std::move(take)) {
        set_level(spdlog::level::warn);
    }

  private:
    void sink_it_(const spdlog::details::log_msg& line) override {
        take_(std::string(line.payload.data(), line.payload.size()));
    }
    void flush_() override {}

    const std::function<void(const std::string&)> take_;
};

std::unique_ptr<spdlog::logger> loggerFor(const ServerOptions& options) {
    if (!options.onWarning) return {};
    return std::make_unique<spdlog::logger>("", std::make_shared<WarningSink>(options.onWarning));
}

config::Settings readSettings(const ServerOptions& options) {
    config::Parsed parsed = options.configFile.empty()
                                ? config::parse(options.configText, "(configuration)")
                                : config::load(config::pathFromText(options.configFile));
    for (const config::Problem& warning : parsed.warnings) daemon::log::warn("{}", warning.text());
    if (parsed.settings) return std::move(*parsed.settings);
    std::vector<std::string> problems;
    for (const config::Problem& problem : parsed.problems) problems.push_back(problem.text());
    throw ConfigError("the configuration is refused", std::move(problems));
}

}  // namespace

class Server::Impl {
  public:
    explicit Impl(ServerOptions options)
        : options_(std::move(options)), logger_(loggerFor(options_)) {}
    ~Impl() { stop(); }

    void start() {
        const std::lock_guard lock(mutex_);
        const daemon::log::Use logging(logger_.get());
        if (core_) throw Error("the server runs already");
        const std::string runDir =
            options_.runDir.empty() ? local::runDirectory() : options_.runDir;
        auto io = std::make_unique<boost::asio::io_context>(1);
        auto core = std::make_unique<daemon::Core>(*io, readSettings(options_), options_.configFile,
                                                   runDir);
        core->open();
        io_ = std::move(io);
        core_ = std::move(core);
        pulse_ = std::make_unique<boost::asio::steady_timer>(*io_);
        if (options_.onPulse && options_.pulse.count() > 0) awaitPulse();
        thread_ = std::thread([this] {
            const daemon::log::Use own(logger_.get());
            io_->run();
        });
    }

    void stop() {
        const std::lock_guard lock(mutex_);
        if (!core_) return;
        const daemon::log::Use logging(logger_.get());
        boost::asio::post(*io_, [this] {
            stopping_ = true;
            pulse_->cancel();
            core_->close();
        });
        thread_.join();  // the loop ends when nothing is left to do
        stopping_ = false;
        pulse_.reset();
        core_.reset();
        io_.reset();
    }

    /// Runs `question` on the loop thread and returns what it returns or throws.
    template <typename Question>
    nlohmann::json ask(Question question) {
        const std::lock_guard lock(mutex_);
        if (!core_) throw Error("the server does not run");
        std::packaged_task<nlohmann::json()> task([&] { return question(*core_); });
        auto answer = task.get_future();
        boost::asio::post(*io_, [&] { task(); });
        return answer.get();
    }

  private:
    // The next one is counted from the end of this one: a slow loop is not chased by its timer.
    void awaitPulse() {
        pulse_->expires_after(options_.pulse);
        pulse_->async_wait([this](const boost::system::error_code&) {
            if (stopping_) return;
            options_.onPulse(core_->summary());
            awaitPulse();
        });
    }

    const ServerOptions options_;
    const std::unique_ptr<spdlog::logger> logger_;  // null: spdlog's default one
    std::mutex mutex_;
    // The parts end before the loop they were made on; what the loop still held goes with it.
    std::unique_ptr<boost::asio::io_context> io_;
    std::unique_ptr<daemon::Core> core_;
    std::unique_ptr<boost::asio::steady_timer> pulse_;
    bool stopping_ = false;  // of the loop thread, while it runs
    std::thread thread_;
};

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() = default;
void Server::start() {
    impl_->start();
}
void Server::stop() {
    impl_->stop();
}

nlohmann::json Server::reload(const std::string& path) {
    try {
        return impl_->ask([&](daemon::Core& core) { return core.reloadFile(path); });
    } catch (const daemon::ConfigRefused& refused) {
        return {{"error", refused.what()}, {"problems", refused.problems}};
    } catch (const Error& error) {
        return {{"error", error.what()}};
    }
}

std::string Server::summary() {
    return impl_->ask([](daemon::Core& core) { return core.summary(); }).get<std::string>();
}

nlohmann::json Server::stats() {
    return impl_->ask([](daemon::Core& core) { return core.stats(); });
}

}  // namespace netcluster
