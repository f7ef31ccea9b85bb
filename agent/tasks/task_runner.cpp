#include "task_runner.hpp"

#include <algorithm>
#include <utility>

#include "task_access.hpp"

namespace netcluster::tasks {
namespace {

// All of this process: any of them that is on the channel hears what is meant for one of its nodes,
// and one of them has to do it. Never destroyed: they may be static objects.
struct Registry {
    std::mutex mutex;
    std::vector<std::weak_ptr<TaskRunner>> runners;  // in the order they came
    std::atomic<std::size_t> count{0};

    static Registry& instance() {
        static auto* registry = new Registry;
        return *registry;
    }
};

}  // namespace

std::shared_ptr<TaskRunner> TaskRunner::enter(Agent& agent, std::size_t queueLimit,
                                              std::shared_ptr<Gate> gate) {
    auto runner = std::make_shared<TaskRunner>(agent, queueLimit, std::move(gate));
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    registry.runners.push_back(runner);
    registry.count = registry.runners.size();
    return runner;
}

void TaskRunner::leave() {
    answers_->close();
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    std::erase_if(registry.runners, [this](const auto& weak) {
        const auto runner = weak.lock();
        return !runner || runner.get() == this;
    });
    registry.count = registry.runners.size();
}

TaskRunner::TaskRunner(Agent& agent, std::size_t queueLimit, std::shared_ptr<Gate> gate)
    : agent_(agent),
      gate_(std::move(gate)),
      answers_(std::make_shared<AnswerSender>(agent_, queueLimit, gate_)) {}

// -- functions

void TaskRunner::handle(const std::string& name, AsyncFunction function) {
    if (!validName(name)) {
        throw Error("the name of a function must be 1 to " + std::to_string(maxName) +
                    " bytes of UTF-8 without control characters");
    }
    if (!function) throw Error("the function '" + name + "' is empty");
    auto fresh = std::make_shared<const AsyncFunction>(std::move(function));
    const std::lock_guard lock(mutex_);
    functions_[name].swap(fresh);  // the old one goes after the lock
}

void TaskRunner::handleDefault(AsyncFunction function) {
    Function fresh;
    if (function) fresh = std::make_shared<const AsyncFunction>(std::move(function));
    const std::lock_guard lock(mutex_);
    default_.swap(fresh);
}

bool TaskRunner::remove(const std::string& name) {
    Function old;
    const std::lock_guard lock(mutex_);
    const auto found = functions_.find(name);
    if (found == functions_.end()) return false;
    old.swap(found->second);
    functions_.erase(found);
    return true;
}

bool TaskRunner::has(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return functions_.contains(name);
}

bool TaskRunner::hasDefault() const {
    const std::lock_guard lock(mutex_);
    return default_ != nullptr;
}

TaskRunner::Function TaskRunner::find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = functions_.find(name);
    return found == functions_.end() ? default_ : found->second;
}

// -- who does it

// It hears what we hear.
bool TaskRunner::hears(const TaskRunner& other, bool remote) const {
    const Gate::Pass pass(*other.gate_);
    return pass && other.agent_.channel() == agent_.channel() &&
           other.agent_.uuid() == agent_.uuid() && (!remote || other.agent_.connected());
}

std::vector<std::shared_ptr<TaskRunner>> TaskRunner::company(bool remote) const {
    std::vector<std::shared_ptr<TaskRunner>> all;
    {
        Registry& registry = Registry::instance();
        const std::lock_guard lock(registry.mutex);
        for (const auto& weak : registry.runners) {
            if (auto runner = weak.lock()) all.push_back(std::move(runner));
        }
    }
    std::erase_if(all, [&](const auto& one) { return one.get() != this && !hears(*one, remote); });
    return all;
}

// Of those that hear it: the first that has the function, else the first that takes any, else the
// first.
bool TaskRunner::mine(const std::string& name, bool remote) const {
    if (Registry::instance().count == 1) return true;
    const auto all = company(remote);
    const auto first = [&all](auto fits) {
        const auto found = std::find_if(all.begin(), all.end(), fits);
        return found == all.end() ? nullptr : found->get();
    };
    const TaskRunner* chosen = first([&](const auto& one) { return one->has(name); });
    if (!chosen) chosen = first([](const auto& one) { return one->hasDefault(); });
    if (!chosen) chosen = first([](const auto&) { return true; });
    return chosen == this;
}

std::vector<std::string> TaskRunner::ownNodes(std::string_view to) const {
    std::vector<std::string> ids;
    for (Node& node : to.empty() ? agent_.nodes() : agent_.nodes(to)) {
        if (node.own) ids.push_back(std::move(node.id));
    }
    return ids;
}

// -- doing it

void TaskRunner::onEvent(const Event& event) {
    const Gate::Pass pass(*gate_);
    if (!pass) return;
    if (const auto progress = readProgress(event)) {
        answers_->onProgress(event.sender(), *progress);
        return;
    }
    Asked asked = readTask(event);
    if (!asked.isTask) return;
    const std::vector<std::string> nodes = ownNodes(event.to());
    if (nodes.empty() || !mine(asked.name, !event.fromThisProcess())) return;
    if (!asked.problem.empty()) return refuse(asked, event, nodes);

    const Function function = find(asked.name);
    Task task;
    TaskAccess::fill(task, std::move(asked.name), std::move(asked.data), event);
    for (const std::string& node : nodes) {
        if (gate_->closed()) return;  // by the function for the node before
        TaskAccess::setNode(task, node);
        ReplyAddress address;
        address.event = asked.replyEvent;
        address.to = toCaller(event.sender());
        address.id = event.id();
        address.node = node;
        address.here = event.fromThisProcess();
        perform(
            task, function,
            TaskAccess::reply(weak_from_this(), std::move(address), task.name(), asked.answered));
    }
}

void TaskRunner::perform(Task& task, const Function& function, Reply reply) {
    if (!function) return reply.unknown();
    try {
        (*function)(task, reply);
    } catch (const std::exception& error) {
        reply.fail(error.what());
    } catch (...) {
        reply.fail("the function threw something that is not a std::exception");
    }
}

void TaskRunner::refuse(const Asked& asked, const Event& event,
                        const std::vector<std::string>& nodes) {
    if (asked.answered) {
        for (const std::string& node : nodes) {
            if (gate_->closed()) return;  // by a listener that heard the answer before
            answers_->failed({asked.replyEvent, toCaller(event.sender()), std::string(event.id()),
                              node, event.fromThisProcess()},
                             asked.problem);
        }
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        const std::string& caller = event.sender();
        if (std::find(reported_.begin(), reported_.end(), caller) != reported_.end()) return;
        reported_.push_back(caller);
        if (reported_.size() > maxReported) reported_.pop_front();
    }
    throw Error("a task of " + event.sender() + " was not done: " + asked.problem);
}

// -- counting

void TaskRunner::began() {
    ++busy_;
    report();
}

void TaskRunner::ended(bool counts) {
    --busy_;
    if (counts) ++done_;
    report();
}

// What the process's nodes tell of themselves is one for all of its Tasks.
void TaskRunner::report() {
    const Gate::Pass pass(*gate_);
    if (!pass) return;
    std::uint64_t busy = busy_;
    std::uint64_t done = done_;
    if (Registry::instance().count > 1) {
        for (const auto& other : company(false)) {
            if (other.get() == this) continue;
            busy += other->busy_;
            done += other->done_;
        }
    }
    try {
        agent_.reportStats({{"busy", busy}, {"requests", done}});
    } catch (const Error&) {
        // The program reports so much of its own that there is no room left.
    }
}

}  // namespace netcluster::tasks
