#include "waiting.hpp"

#include <algorithm>
#include <utility>

namespace netcluster::tasks {

void AwaitAll::expect(std::size_t count) {
    expected_ = count;
    if (count == 0) finish();
}

void AwaitAll::take(Answer answer) {
    {
        const std::lock_guard lock(mutex_);
        answers_.push_back(std::move(answer));
        if (answers_.size() != expected_) return;
    }
    finish();
}

void AwaitAll::finish() {
    std::sort(answers_.begin(), answers_.end(),
              [](const Answer& one, const Answer& other) { return one.node < other.node; });
    promise_.set_value(std::move(answers_));
}

void CallBack::expect(std::size_t count) {
    expected_ = count;
}

void CallBack::take(Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
}

template <typename Callback, typename... Arguments>
void CallBack::call(const Callback& callback, std::exception_ptr& thrown,
                    const Arguments&... arguments) {
    const Gate::Pass pass(*gate_);
    if (!pass || !callback) return;
    try {
        callback(arguments...);
    } catch (...) {
        if (!thrown) thrown = std::current_exception();
    }
}

void CallBack::run() {
    std::exception_ptr thrown;
    std::unique_lock lock(mutex_);
    if (std::exchange(running_, true)) return;
    while (!answers_.empty()) {
        const Answer answer = std::move(answers_.front());
        answers_.pop_front();
        --expected_;
        lock.unlock();
        call(each_, thrown, answer);
        lock.lock();
    }
    running_ = false;
    const bool last = expected_ == 0 && !std::exchange(finished_, true);
    lock.unlock();
    if (last) call(done_, thrown);
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace netcluster::tasks
