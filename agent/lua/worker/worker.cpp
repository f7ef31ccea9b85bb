#include "worker.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <netcluster/error.hpp>

#include "worker_impl.hpp"

namespace netcluster::worker {
namespace {

/// Loads of the scripts that still have calls, beside the newest. Reason: each may hold all the
/// memory that scripts may; more of them wait for one to end.
constexpr std::size_t mostGenerations = 4;

spdlog::level::level_enum levelOf(lua::Level level) {
    switch (level) {
        case lua::Level::trace:
            return spdlog::level::trace;
        case lua::Level::debug:
            return spdlog::level::debug;
        case lua::Level::info:
            return spdlog::level::info;
        case lua::Level::warn:
            return spdlog::level::warn;
        case lua::Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

Options agentOptions(boost::asio::io_context& io, const Settings& settings) {
    Options options;
    options.dir = settings.dir;
    options.name = "ncworker";
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
      graceTimer_(io) {
    tasks_.emplace(settings_.channel, agentOptions(io, settings_));
    tasks_->agent().onError([](const std::string& what) { spdlog::warn("{}", what); });
    tasks_->agent().onDisconnect(
        [](const std::string& reason) { spdlog::warn("the daemon is away: {}", reason); });
}

void Worker::Impl::close() {
    closed_ = true;
    scheduleTimer_.cancel();
    lookTimer_.cancel();
    graceTimer_.cancel();
    tasks_.reset();
    current_.reset();
    generations_.clear();
}

std::shared_ptr<Generation> Worker::Impl::loadScripts() {
    Json config{{"id", settings_.id},
                {"regions", settings_.regions},
                {"tags", settings_.tags},
                {"channel", settings_.channel},
                {"host", tasks_->agent().host()},
                {"script", settings_.script},
                {"pid", ::getpid()},
                {"version", NETCLUSTER_VERSION}};
    auto generation = std::make_shared<Generation>(
        lua::Script::Setup{.folder = settings_.script,
                           .unsafe = settings_.unsafe,
                           .limits = settings_.limits,
                           .config = std::move(config),
                           .log =
                               [this](lua::Level level, const std::string& line) {
                                   lines_.tell(levelOf(level), "script: " + line);
                               }},
        ++lastNumber_);
    define(*generation);
    generation->script.load();
    generation->wanted = generation->script.schedules();
    generation->events = generation->script.texts("events");
    for (const auto& [pattern, function] : generation->events) {
        // A pattern that is none is an error now, not when the old scripts have been let go.
        tasks_->agent().removeListener(tasks_->agent().on(pattern, [](const Event&) {}));
    }
    return generation;
}

void Worker::Impl::check() {
    for (const auto& [pattern, line] : settings_.eventCommands) {
        tasks_->agent().removeListener(tasks_->agent().on(pattern, [](const Event&) {}));
    }
    if (!settings_.script.empty()) loadScripts();
}

void Worker::Impl::start(std::function<void(const std::string&)> ready) {
    ready_ = std::move(ready);
    tasks_->agent().connect();
    if (settings_.id.empty()) {
        settings_.id = tasks_->agent().host() + "-" + std::to_string(::getpid());
    }
    tasks_->handleDefault(
        [this](const Task& task, Reply reply) { onTask(task, std::move(reply)); });
    for (const auto& [pattern, line] : settings_.eventCommands) {
        tasks_->agent().on(
            pattern, [this, command = line](const Event& event) { onCommandEvent(command, event); },
            {.skipOwn = true});
    }
    if (settings_.script.empty()) return registerNode();
    auto first = loadScripts();
    generations_.push_back(first);
    hook(first, "init", [this, first](lua::Script::Outcome&& outcome) {
        if (outcome.kind == lua::Script::Outcome::Kind::failed)
            return std::exchange(ready_, {})("init: " + outcome.error);
        activate(first);
        registerNode();
    });
}

void Worker::Impl::registerNode() {
    NodeDescription node;
    node.id = settings_.id;
    node.regions = settings_.regions;
    node.info = settings_.tags;
    tasks_->agent().registerNodeAsync(node, [weak = weak_from_this()](const std::string& error) {
        const auto self = weak.lock();
        if (!self || self->closed_) return;
        if (!error.empty()) return std::exchange(self->ready_, {})(error);
        const auto ready = [self] { std::exchange(self->ready_, {})(""); };
        self->current_ ? self->hook(self->current_, "afterInit", Then(ready)) : ready();
    });
}

/// From now on new calls go to this one.
void Worker::Impl::activate(const std::shared_ptr<Generation>& generation) {
    if (current_) {
        deactivate(*current_);
        current_->ending = true;
    }
    current_ = generation;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& [function, period] : generation->wanted) {
        generation->schedules.add(function, period, now);
    }
    for (const auto& [pattern, function] : generation->events) {
        generation->listeners.push_back(
            tasks_->agent().on(pattern,
                               [this, raw = generation.get(), name = function](const Event& event) {
                                   onEvent(*raw, name, event);
                               },
                               {.skipOwn = true}));
    }
    armSchedules();
}

/// It hears no more events.
void Worker::Impl::deactivate(Generation& generation) {
    for (const Listener listener : std::exchange(generation.listeners, {})) {
        tasks_->agent().removeListener(listener);
    }
}

void Worker::Impl::reload() {
    if (settings_.script.empty()) return spdlog::info("there are no scripts to load anew");
    if (stage_ != Stage::running || ready_) return;
    if (reloading_ || generations_.size() > mostGenerations) {
        reloadAgain_ = true;
        return spdlog::info("the scripts are loaded anew as soon as earlier ones have ended");
    }
    reloadAgain_ = false;
    std::shared_ptr<Generation> next;
    try {
        next = loadScripts();
    } catch (const std::exception& error) {
        return spdlog::error("the scripts in {} are not loaded anew, the old ones stay: {}",
                             settings_.script, error.what());
    }
    reloading_ = true;
    generations_.push_back(next);
    hook(next, "init",
         [this, next](lua::Script::Outcome&& outcome) { reloaded(next, std::move(outcome)); });
}

void Worker::Impl::reloaded(const std::shared_ptr<Generation>& next,
                            lua::Script::Outcome&& outcome) {
    reloading_ = false;
    if (outcome.kind == lua::Script::Outcome::Kind::failed || stage_ != Stage::running) {
        retire(*next);
        if (stage_ == Stage::running)
            spdlog::error("the scripts in {} are not loaded anew, the old ones stay: init: {}",
                          settings_.script, outcome.error);
    } else {
        const auto old = current_;
        activate(next);
        spdlog::info("the scripts in {} are loaded anew; {} calls end in the old ones",
                     settings_.script, old ? old->script.underWay() : 0);
        hook(next, "afterInit", Then([] {}));
        wake();
    }
    if (reloadAgain_) reload();
}

/// An old one that has nothing to do any more says good-bye.
void Worker::Impl::finalizeOld(const std::shared_ptr<Generation>& generation) {
    generation->finalizing = true;
    hook(generation, "finalize", Then([this, generation] {
             retire(*generation);
             spdlog::debug("scripts of load {} have ended", generation->number);
         }));
}

void Worker::Impl::retire(const Generation& generation) {
    // Not at once: one of its calls may be what runs.
    boost::asio::post(io_, [weak = weak_from_this(), which = &generation] {
        const auto self = weak.lock();
        if (!self || self->closed_) return;
        self->generations_.remove_if([which](const auto& one) { return one.get() == which; });
        if (self->reloadAgain_) self->reload();
    });
}

}  // namespace netcluster::worker
