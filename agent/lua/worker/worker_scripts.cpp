// Loads of the scripts: the first one, those that take its place, and the end of the old ones.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include "texts.hpp"
#include "worker_impl.hpp"

namespace netcluster::worker {
namespace {

/// Loads of the scripts that still have calls, beside the newest. Reason: each may hold all the
/// memory that scripts may; more of them wait for one to end.
constexpr std::size_t mostGenerations = 4;

const std::vector<std::string> hooks{"init",    "afterInit",      "onDefaultMessage",
                                     "onError", "beforeFinalize", "finalize"};

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

/// Which function it was, where its error does not begin with that.
std::string ofInit(const std::string& error) {
    return error.starts_with("init: ") ? error : "init: " + error;
}

}  // namespace

Json Worker::Impl::configOfScripts() {
    return {{"id", settings_.id},     {"regions", settings_.regions},
            {"tags", settings_.tags}, {"channel", settings_.channel},
            {"host", host()},         {"script", settings_.script},
            {"pid", ::getpid()},      {"version", NETCLUSTER_VERSION}};
}

std::shared_ptr<Generation> Worker::Impl::loadScripts() {
    const auto log = [this](lua::Level level, const std::string& line) {
        lines_.tell(levelOf(level), "script: " + line);
    };
    auto generation = std::make_shared<Generation>(lua::Script::Setup{.folder = settings_.script,
                                                                      .unsafe = settings_.unsafe,
                                                                      .limits = settings_.limits,
                                                                      .config = configOfScripts(),
                                                                      .log = log},
                                                   ++lastNumber_);
    define(*generation);
    generation->script.load();
    generation->script.check(hooks);
    generation->wanted = generation->script.schedules();
    generation->events = generation->script.events();
    for (const auto& [pattern, function] : generation->events) {
        checkPattern(pattern, "bootstrap.lua: events");
    }
    return generation;
}

void Worker::Impl::loadFirst() {
    auto first = loadScripts();
    generations_.push_back(first);
    hook(first, "init",
         [this, first](lua::Script::Outcome&& outcome) { initialized(first, std::move(outcome)); });
}

void Worker::Impl::initialized(const std::shared_ptr<Generation>& first,
                               lua::Script::Outcome&& outcome) {
    const bool failed = outcome.kind == lua::Script::Outcome::Kind::failed;
    if (stage_ != Stage::running) {  // it stops already, and is no node any more
        if (!failed) current_ = first;
        return;
    }
    if (failed) return notStarted(ofInit(outcome.error));
    activate(first);
    registerNode([this](const std::string& error) { firstRegistered(error); });
}

/// From now on new calls go to this one.
void Worker::Impl::activate(const std::shared_ptr<Generation>& generation) {
    if (current_) {
        deactivate(*current_);
        current_->ending = true;
        skipped_ += current_->schedules.leftOut();
    }
    ++loads_;
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

std::string Worker::Impl::busyLoading() const {
    if (ready_) return "the worker has started: init or afterInit still runs";
    if (reloading_) return "init of those that are being loaded has ended";
    if (generations_.size() > mostGenerations)
        return "calls have ended in earlier ones, of " + std::to_string(generations_.size()) +
               " loads";
    return {};
}

void Worker::Impl::reload() {
    if (settings_.script.empty()) return spdlog::info("there are no scripts to load anew");
    if (stage_ != Stage::running)
        return spdlog::info("the scripts are not loaded anew: the worker stops");
    const std::string busy = busyLoading();
    reloadAgain_ = !busy.empty();
    if (reloadAgain_)
        return spdlog::info("the scripts in {} are loaded anew once {}", settings_.script, busy);
    std::shared_ptr<Generation> next;
    try {
        next = loadScripts();
    } catch (const std::exception& error) {
        return notReloaded(error.what());
    }
    reloading_ = true;
    generations_.push_back(next);
    hook(next, "init",
         [this, next](lua::Script::Outcome&& outcome) { reloaded(next, std::move(outcome)); });
}

void Worker::Impl::notReloaded(const std::string& why) const {
    spdlog::error("the scripts in {} are not loaded anew, the old ones stay: {}", settings_.script,
                  lua::oneLine(why));
}

void Worker::Impl::reloaded(const std::shared_ptr<Generation>& next,
                            lua::Script::Outcome&& outcome) {
    reloading_ = false;
    const bool failed = outcome.kind == lua::Script::Outcome::Kind::failed;
    if (failed || stage_ != Stage::running) {
        retire(*next);
        if (stage_ == Stage::running) notReloaded(ofInit(outcome.error));
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
