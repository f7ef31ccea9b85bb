// Tasks: the public face. It fits an Agent, the side that does tasks and the side that has them
// done together, and takes them apart in the order that lets nothing run afterwards.
#include <netcluster/tasks.hpp>
#include <utility>

#include "calls.hpp"
#include "gate.hpp"
#include "origin.hpp"
#include "task_runner.hpp"
#include "task_wire.hpp"
#include "waiting.hpp"

namespace netcluster {

using tasks::AwaitAll;
using tasks::AwaitOne;
using tasks::CallBack;
using tasks::Calls;
using tasks::Gate;
using tasks::TaskRunner;

class Tasks::Impl {
  public:
    Impl(std::string channel, Options options)
        : queueLimit_(options.queueLimit),
          gate_(std::make_shared<Gate>()),
          agent_(std::make_unique<Agent>(std::move(channel), std::move(options))),
          runner_(TaskRunner::enter(*agent_, queueLimit_, gate_)),
          calls_(std::make_shared<Calls>(*agent_, gate_)) {
        agent_->on(tasks::taskPattern,
                   [weak = std::weak_ptr<TaskRunner>(runner_)](const Event& event) {
                       if (const auto runner = weak.lock()) runner->onEvent(event);
                   });
        agent_->on(tasks::replyPattern, [weak = std::weak_ptr<Calls>(calls_)](const Event& event) {
            if (const auto calls = weak.lock()) calls->onReply(event);
        });
        agent_->onPresenceOfTasks([weak = std::weak_ptr<Calls>(calls_)](const Presence& presence) {
            if (const auto calls = weak.lock()) calls->onPresence(presence);
        });
    }

    /// Nothing of the user's runs when it has returned, but what runs on this thread.
    void close() {
        gate_->close();
        runner_->leave();
        calls_->close();
        agent_.reset();
    }

    bool inherited() const { return tasks::processNow() != process_; }

    const long process_ = tasks::processNow();
    const std::size_t queueLimit_;
    const std::shared_ptr<Gate> gate_;
    std::unique_ptr<Agent> agent_;
    const std::shared_ptr<TaskRunner> runner_;
    const std::shared_ptr<Calls> calls_;
};

std::string_view nameOf(Answer::Outcome outcome) {
    switch (outcome) {
        case Answer::Outcome::success:
            return "success";
        case Answer::Outcome::failed:
            return "failed";
        case Answer::Outcome::unknownFunction:
            return "unknown function";
        case Answer::Outcome::unknownNode:
            return "unknown node";
        case Answer::Outcome::lost:
            return "lost";
        case Answer::Outcome::timeout:
            return "timeout";
        case Answer::Outcome::refused:
            return "refused";
    }
    return "unknown";
}

Tasks::Tasks(std::string channel, Options options)
    : impl_(std::make_shared<Impl>(std::move(channel), std::move(options))) {}

Tasks::~Tasks() {
    if (impl_->inherited()) {
        // A child that fork() made: the threads are its parent's. Kept as it is.
        new std::shared_ptr<Impl>(std::move(impl_));
        return;
    }
    impl_->close();
}

Agent& Tasks::agent() {
    return *impl_->agent_;
}

// -- to do tasks

void Tasks::handle(const std::string& name, Function function) {
    if (!function) throw Error("the function '" + name + "' is empty");
    impl_->runner_->handle(name, [function = std::move(function)](const Task& task, Reply reply) {
        reply.succeed(function(task));
    });
}

void Tasks::handleAsync(const std::string& name, AsyncFunction function) {
    impl_->runner_->handle(name, std::move(function));
}

void Tasks::handleDefault(AsyncFunction function) {
    impl_->runner_->handleDefault(std::move(function));
}

bool Tasks::removeHandler(const std::string& name) {
    return impl_->runner_->remove(name);
}

// -- to have tasks done. What answers at once may destroy this: hence the copies of impl_.

std::future<std::vector<Answer>> Tasks::call(std::string_view target, std::string_view name,
                                             const Json& data, std::chrono::milliseconds deadline) {
    std::promise<std::vector<Answer>> promise;
    auto future = promise.get_future();
    const auto impl = impl_;
    impl->calls_->call(target, name, data, deadline, [&](std::size_t count) {
        auto waiting = std::make_shared<AwaitAll>(std::move(promise));
        waiting->expect(count);
        return waiting;
    });
    return future;
}

void Tasks::call(std::string_view target, std::string_view name, const Json& data,
                 std::chrono::milliseconds deadline, std::function<void(const Answer&)> each,
                 std::function<void()> done) {
    const auto impl = impl_;
    impl->calls_->call(target, name, data, deadline, [&](std::size_t count) {
        auto waiting = std::make_shared<CallBack>(impl->gate_, std::move(each), std::move(done));
        waiting->expect(count);
        return waiting;
    });
}

std::future<Answer> Tasks::callOne(std::string_view target, std::string_view name, const Json& data,
                                   std::chrono::milliseconds deadline, Pick how,
                                   std::string_view key) {
    std::promise<Answer> promise;
    auto future = promise.get_future();
    const auto impl = impl_;
    impl->calls_->callOne(target, name, data, deadline, how, key, [&](std::size_t) {
        return std::make_shared<AwaitOne>(std::move(promise));
    });
    return future;
}

void Tasks::callOne(std::string_view target, std::string_view name, const Json& data,
                    std::chrono::milliseconds deadline, Pick how, std::string_view key,
                    std::function<void(const Answer&)> done) {
    const auto impl = impl_;
    impl->calls_->callOne(target, name, data, deadline, how, key, [&](std::size_t count) {
        auto waiting =
            std::make_shared<CallBack>(impl->gate_, std::move(done), std::function<void()>());
        waiting->expect(count);
        return waiting;
    });
}

Emitted Tasks::send(std::string_view target, std::string_view name, const Json& data) {
    const auto impl = impl_;
    return impl->calls_->send(target, name, data);
}

}  // namespace netcluster
