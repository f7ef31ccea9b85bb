// Tasks and events become calls of scripts and commands.
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <sstream>

#include "worker_impl.hpp"

namespace netcluster::worker {
namespace {

using lua::Script;
using Kind = Script::Outcome::Kind;

/// Refusals are logged together: the first at once, the rest so much later.
constexpr std::chrono::seconds tellTime{5};

/// Roughly what it holds in memory.
std::size_t weightOf(const Json& data) {
    std::size_t weight = 0;
    std::vector<const Json*> left{&data};
    while (!left.empty()) {
        const Json& value = *left.back();
        left.pop_back();
        weight += sizeof(Json);
        if (value.is_string()) weight += value.get_ref<const std::string&>().size();
        if (value.is_structured()) {
            for (const Json& part : value) left.push_back(&part);
        }
    }
    return weight;
}

Json causeOf(const Task& task, const std::string& host) {
    return {{"name", task.name()},
            {"id", task.id()},
            {"node", task.node()},
            {"caller", task.caller()},
            {"host", host}};
}

Json causeOf(const Event& event, const std::string& host) {
    return {{"name", event.name()},     {"id", event.id()}, {"channel", event.channel()},
            {"caller", event.sender()}, {"host", host},     {"replyto", event.replyTo()}};
}

}  // namespace

// -- what comes in

std::string Worker::Impl::hostOf(std::string_view said) {
    return said.empty() ? host() : std::string(said);
}

void Worker::Impl::onTask(const Task& task, Reply reply) {
    if (const auto command = commands_.find(task.name()); command != commands_.end())
        onCommandTask(command->second, task, std::move(reply));
    else if (current_)
        onScriptTask(task, std::move(reply));
    else
        reply.unknown();
}

std::string Worker::Impl::refusal(std::size_t bytes) const {
    if (stage_ != Stage::running) return "the worker stops";
    if (underWay() >= settings_.queue)
        return "the worker is busy: " + std::to_string(underWay()) +
               " calls are under way (--queue " + std::to_string(settings_.queue) + ")";
    if (bytes > settings_.queueBytes || bytes_ > settings_.queueBytes - bytes)
        return "the worker is busy: the calls under way hold " + std::to_string(bytes_) + " bytes";
    return {};
}

std::string Worker::Impl::commandRefusal() const {
    if (stage_ != Stage::running) return "the worker stops";
    return "the worker is busy: " + std::to_string(exec_.underWay()) +
           " commands run or wait (--exec-jobs " + std::to_string(settings_.exec.atOnce) + ")";
}

void Worker::Impl::refused(const std::string& what, const std::string& why) {
    ++refused_;
    ++refusedUntold_;
    refusedLast_ = what + ": " + why;
    if (!refusedTelling_) tellRefused();
}

/// Again after a while, as long as there is something to tell: the last ones are told too.
void Worker::Impl::tellRefused() {
    refusedTelling_ = refusedUntold_ > 0;
    if (!refusedTelling_) return;
    lines_.tell(spdlog::level::warn, refusedLast_ + " (" +
                                         std::to_string(std::exchange(refusedUntold_, 0)) +
                                         " refused since this was last said)");
    refusedTimer_.expires_after(tellTime);
    refusedTimer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        const auto self = weak.lock();
        if (!error && self && !self->closed_) self->tellRefused();
    });
}

void Worker::Impl::onScriptTask(const Task& task, Reply reply) {
    const std::size_t bytes = weightOf(task.data());
    if (const std::string why = refusal(bytes); !why.empty()) {
        refused("task " + task.name(), why);
        return reply.fail(why);
    }
    call(current_, "task",
         {.function = task.name(),
          .arguments = Json::array({task.data(), causeOf(task, hostOf(task.host()))}),
          .names = Script::Names::task,
          .instead = "onDefaultMessage"},
         bytes, [reply](Script::Outcome&& outcome) {
             switch (outcome.kind) {
                 case Kind::success:
                     return reply.succeed(outcome.result);
                 case Kind::failed:
                     return reply.fail(outcome.error);
                 case Kind::unknownFunction:
                     return reply.unknown();
             }
         });
}

void Worker::Impl::onCommandTask(const std::string& line, const Task& task, Reply reply) {
    const Cause cause{.task = task.name(),
                      .event = "task." + task.name(),
                      .node = settings_.id,
                      .id = task.id(),
                      .sender = task.caller(),
                      .host = hostOf(task.host())};
    const auto done = [this, reply, name = task.name()](Finished&& finished) {
        const std::string failure = failureOf(finished, settings_.exec);
        failure.empty() ? ++done_ : ++failed_;
        if (!failure.empty())
            lines_.tell(spdlog::level::warn, "task " + name + ": " + failure.substr(0, 1000));
        failure.empty() ? reply.succeed(resultOf(finished)) : reply.fail(failure);
        stopWhenIdle();
    };
    const bool taken =
        stage_ == Stage::running && exec_.run({.line = line,
                                               .input = inputFor(task.data()),
                                               .environment = environmentFor(cause, settings_)},
                                              done);
    if (taken) return;
    const std::string why = commandRefusal();
    refused("task " + task.name(), why);
    reply.fail(why);
}

void Worker::Impl::onCommandEvent(const std::string& line, const Event& event) {
    const std::string name(event.name());
    const Cause cause{.event = name,
                      .node = settings_.id,
                      .id = std::string(event.id()),
                      .sender = event.sender(),
                      .host = hostOf(event.host())};
    const auto done = [this, name](Finished&& finished) {
        const std::string failure = failureOf(finished, settings_.exec);
        failure.empty() ? ++done_ : ++failed_;
        if (!failure.empty())
            lines_.tell(spdlog::level::warn, "event " + name + ": " + failure.substr(0, 1000));
        stopWhenIdle();
    };
    const bool taken =
        stage_ == Stage::running && exec_.run({.line = line,
                                               .input = inputFor(event.data()),
                                               .environment = environmentFor(cause, settings_)},
                                              done);
    if (!taken) refused("event " + name, commandRefusal());
}

void Worker::Impl::onEvent(Generation& generation, const std::string& function,
                           const Event& event) {
    if (&generation != current_.get()) return;
    const std::size_t bytes = weightOf(event.data());
    if (const std::string why = refusal(bytes); !why.empty())
        return refused("event " + std::string(event.name()), why);
    call(current_, "event",
         {.function = function,
          .arguments = Json::array({event.data(), causeOf(event, hostOf(event.host()))})},
         bytes, {});
}

// -- calls

std::size_t Worker::Impl::underWay() const {
    std::size_t count = 0;
    for (const auto& generation : generations_) count += generation->script.underWay();
    return count;
}

void Worker::Impl::call(const std::shared_ptr<Generation>& generation, const std::string& kind,
                        Script::Call call, std::size_t bytes, Answering done) {
    bytes_ += bytes;
    const std::string name = call.function;
    generation->script.start(
        std::move(call), [this, weak = std::weak_ptr<Generation>(generation), kind, name, bytes,
                          done = std::move(done)](Script::Outcome&& outcome) {
            bytes_ -= bytes;
            const auto of = weak.lock();
            outcome.kind == Kind::success ? ++done_ : ++failed_;
            if (outcome.cut != lua::Cut::none) ++cut_;
            // Anybody may ask for a task that is not there; a function that the script itself has
            // named should be.
            const bool wrong = outcome.kind == Kind::failed ||
                               (outcome.kind == Kind::unknownFunction && kind != "task");
            if (of && wrong) failed(of, kind, name, outcome);
            if (done) done(std::move(outcome));
        });
    wake();
}

void Worker::Impl::hook(const std::shared_ptr<Generation>& generation, const std::string& name,
                        Answering done) {
    if (!generation->script.has(name)) {
        // As from a call: never before this has returned.
        boost::asio::post(io_, [done = std::move(done)] { done({}); });
        return;
    }
    call(generation, "hook", {.function = name}, 0, std::move(done));
}

void Worker::Impl::hook(const std::shared_ptr<Generation>& generation, const std::string& name,
                        Then then) {
    hook(generation, name, Answering([then = std::move(then)](Script::Outcome&&) { then(); }));
}

void Worker::Impl::failed(const std::shared_ptr<Generation>& generation, const std::string& kind,
                          const std::string& name, const Script::Outcome& outcome) {
    // That `init` has failed says who called it.
    if (name != "init" || kind != "hook")
        lines_.tell(spdlog::level::warn, kind + " " + name + " failed: " + outcome.error);
    std::istringstream traceback(outcome.traceback);
    for (std::string line; std::getline(traceback, line);) {
        lines_.tell(spdlog::level::debug, "  " + line);
    }
    // One that fails in onError itself is only logged.
    if (kind == "onError" || outcome.cut == lua::Cut::stopped || stage_ == Stage::stopped) return;
    if (!generation->script.has("onError")) return;
    call(generation, "onError",
         {.function = "onError",
          .arguments = Json::array(
              {Json{{"kind", kind}, {"name", name}}, outcome.error, outcome.traceback})},
         0, {});
}

}  // namespace netcluster::worker
