#include "worker.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/post.hpp>
#include <netcluster/error.hpp>

#include "texts.hpp"
#include "worker_impl.hpp"

namespace netcluster::worker {
namespace {

/// Between two tries to be the node again that somebody else is.
constexpr std::chrono::seconds againAfter{2};

Options agentOptions(boost::asio::io_context& io, const Settings& settings) {
    Options options;
    options.dir = settings.dir;
    options.name = "ncworker";
    options.waitingLimit = settings.queueBytes;  // what is too much the callers are to be told
    options.executor = [&io](std::function<void()> task) {
        boost::asio::post(io, std::move(task));
    };
    return options;
}

}  // namespace

Worker::Worker(boost::asio::io_context& io, Settings settings)
    : impl_(std::make_shared<Impl>(io, std::move(settings))) {}
Worker::~Worker() {
    impl_->close();
}
void Worker::check() {
    impl_->check();
}
void Worker::start(std::function<void(const std::string&)> ready) {
    impl_->start(std::move(ready));
}
void Worker::reload() {
    impl_->reload();
}
void Worker::stop(std::function<void()> done) {
    impl_->stop(std::move(done));
}

Worker::Impl::Impl(boost::asio::io_context& io, Settings settings)
    : io_(io),
      settings_(std::move(settings)),
      commands_(settings_.commands.begin(), settings_.commands.end()),
      exec_(io, settings_.exec),
      scheduleTimer_(io),
      lookTimer_(io),
      graceTimer_(io),
      againTimer_(io),
      refusedTimer_(io) {
    tasks_.emplace(settings_.channel, agentOptions(io, settings_));
    for (const auto& [pattern, line] : settings_.eventCommands) checkPattern(pattern, "--on");
    tasks_->agent().onError([](const std::string& what) { spdlog::warn("{}", what); });
    tasks_->agent().onNodeLost(
        [this](const std::string&, const std::string& why) { nodeLost(why); });
    tasks_->agent().onGap([this](const Gap& gap) { missed(gap); });
    watchDaemon();
}

/// Events and tasks: nobody knows which.
void Worker::Impl::missed(const Gap& gap) {
    if (gap.host.empty()) missed_ += gap.count;
    const std::string whose = gap.host.empty() ? "this worker did not keep up"
                                               : "something of host " + gap.host + " did not come";
    lines_.tell(spdlog::level::warn,
                "tasks or events are lost: " + whose + " (" + std::to_string(gap.count) + ")");
}

/// Each change once; that it is there at the start says `started`.
void Worker::Impl::watchDaemon() {
    tasks_->agent().onDisconnect([this](const std::string& reason) {
        lost_ = true;
        spdlog::warn("the daemon is lost, and is tried again until it is back: {}", reason);
    });
    tasks_->agent().onConnect([this] {
        if (std::exchange(lost_, false)) spdlog::info("the daemon is back");
    });
}

/// What is wrong is said now, not when it is first listened to.
void Worker::Impl::checkPattern(const std::string& pattern, const std::string& where) {
    try {
        tasks_->agent().removeListener(tasks_->agent().on(pattern, [](const Event&) {}));
    } catch (const Error& error) {
        throw Error(where + ": " + lua::oneLine(error.what()));
    }
}

void Worker::Impl::close() {
    closed_ = true;
    scheduleTimer_.cancel();
    lookTimer_.cancel();
    graceTimer_.cancel();
    againTimer_.cancel();
    refusedTimer_.cancel();
    tasks_.reset();
    current_.reset();
    generations_.clear();
}

/// As others see it; without a daemon (`check`) as the system calls it.
std::string Worker::Impl::host() {
    const std::string name = tasks_->agent().host();
    return name.empty() ? boost::asio::ip::host_name() : name;
}

void Worker::Impl::defaultId() {
    if (settings_.id.empty()) settings_.id = host() + "-" + std::to_string(::getpid());
}

void Worker::Impl::check() {
    defaultId();
    if (!settings_.script.empty()) loadScripts();
}

void Worker::Impl::start(std::function<void(const std::string&)> ready) {
    ready_ = std::move(ready);
    spdlog::debug("connecting to channel {} of the daemon", settings_.channel);
    tasks_->agent().connectAsync([weak = weak_from_this()](const std::string& error) {
        const auto self = weak.lock();
        if (!self || self->closed_ || self->stage_ != Stage::running) return;
        if (!error.empty()) return self->notStarted(error);
        try {
            self->connected();
        } catch (const std::exception& wrong) {
            self->notStarted(wrong.what());
        }
    });
}

void Worker::Impl::connected() {
    defaultId();
    tasks_->handleDefault(
        [this](const Task& task, Reply reply) { onTask(task, std::move(reply)); });
    for (const auto& [pattern, line] : settings_.eventCommands) {
        tasks_->agent().on(
            pattern, [this, command = line](const Event& event) { onCommandEvent(command, event); },
            {.skipOwn = true});
    }
    if (!settings_.script.empty()) return loadFirst();
    registerNode([this](const std::string& error) { firstRegistered(error); });
}

void Worker::Impl::registerNode(std::function<void(const std::string& error)> done) {
    NodeDescription node;
    node.id = settings_.id;
    node.regions = settings_.regions;
    node.info = settings_.tags;
    tasks_->agent().registerNodeAsync(
        node, [weak = weak_from_this(), done = std::move(done)](const std::string& error) {
            const auto self = weak.lock();
            if (self && !self->closed_ && self->stage_ == Stage::running) done(error);
        });
}

void Worker::Impl::firstRegistered(const std::string& error) {
    if (!error.empty()) return notStarted(error);
    if (!current_) return started();
    hook(current_, "afterInit", Then([self = shared_from_this()] { self->started(); }));
}

/// Whoever has the id may go: the worker stays, and asks now and then.
void Worker::Impl::nodeLost(const std::string& why) {
    lines_.tell(spdlog::level::err, "node " + settings_.id +
                                        " is no more, and is tried again every " +
                                        std::to_string(againAfter.count()) + " s: " + why);
    registerLater();
}

void Worker::Impl::registerLater() {
    againTimer_.expires_after(againAfter);
    againTimer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        const auto self = weak.lock();
        if (error || !self || self->closed_ || self->stage_ != Stage::running) return;
        self->registerNode([raw = self.get()](const std::string& why) {
            if (why.empty()) return spdlog::info("node {} is there again", raw->settings_.id);
            spdlog::debug("node {}: {}", raw->settings_.id, why);
            raw->registerLater();
        });
    });
}

void Worker::Impl::notStarted(const std::string& why) {
    std::exchange(ready_, {})(why);
}

void Worker::Impl::started() {
    std::exchange(ready_, {})("");
    if (reloadAgain_) reload();
}

}  // namespace netcluster::worker
