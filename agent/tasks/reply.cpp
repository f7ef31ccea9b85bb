// Reply: one answer, from whatever thread, even when nobody gives it.
#include <atomic>
#include <utility>

#include "task_access.hpp"
#include "task_runner.hpp"

namespace netcluster {

using tasks::AnswerSender;
using tasks::Gate;
using tasks::TaskRunner;

struct Reply::State {
    State(std::weak_ptr<TaskRunner> by, tasks::ReplyAddress where, std::string function, bool wants)
        : runner(std::move(by)),
          address(std::move(where)),
          name(std::move(function)),
          wanted(wants) {
        if (const auto alive = runner.lock()) alive->began();
    }

    ~State() {
        answer(true, [this](AnswerSender& sender) {
            sender.failed(address, "the function gave no answer");
        });
    }

    // `counts`: as a task that was done.
    template <typename Send>
    void answer(bool counts, Send send) noexcept {
        if (answered.exchange(true)) return;
        const auto alive = runner.lock();
        if (!alive) return;
        const Gate::Pass pass(alive->gate());
        if (!pass) return;
        try {
            alive->ended(counts);
            if (wanted) send(alive->answers());
        } catch (const std::exception&) {
            // Memory is out, or the agent refuses what it took a moment ago: the caller's deadline
            // tells it.
        }
    }

    const std::weak_ptr<TaskRunner> runner;
    const tasks::ReplyAddress address;
    const std::string name;
    const bool wanted;
    std::atomic<bool> answered{false};
};

void Reply::succeed(const Json& result) const {
    if (!state_) return;
    state_->answer(true, [&](AnswerSender& sender) { sender.result(state_->address, result); });
}

void Reply::fail(const std::string& why) const {
    if (!state_) return;
    state_->answer(true, [&](AnswerSender& sender) { sender.failed(state_->address, why); });
}

void Reply::unknown() const {
    if (!state_) return;
    state_->answer(false,
                   [&](AnswerSender& sender) { sender.unknown(state_->address, state_->name); });
}

void TaskAccess::fill(Task& task, std::string name, Json data, const Event& event) {
    task.name_ = std::move(name);
    task.data_ = std::move(data);
    task.id_ = event.id();
    task.caller_ = event.sender();
    task.host_ = event.host();
}

Reply TaskAccess::reply(std::weak_ptr<TaskRunner> runner, tasks::ReplyAddress address,
                        std::string name, bool wanted) {
    Reply reply;
    reply.state_ = std::make_shared<Reply::State>(std::move(runner), std::move(address),
                                                  std::move(name), wanted);
    return reply;
}

}  // namespace netcluster
