#include "alarm.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace netcluster::tasks {

struct Alarm::State {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Time> next;
    bool ending = false;
    std::function<void()> ring;
};

Alarm::Alarm(std::function<void()> ring) : state_(std::make_shared<State>()) {
    state_->ring = std::move(ring);
}

Alarm::~Alarm() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->ending = true;
    }
    state_->changed.notify_all();
    if (!thread_.joinable()) return;
    if (thread_.get_id() == std::this_thread::get_id()) {
        thread_.detach();
    } else {
        thread_.join();
    }
}

void Alarm::start() {
    if (!thread_.joinable()) thread_ = std::thread([state = state_] { run(state); });
}

void Alarm::set(Time when) {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->next && *state_->next <= when) return;
        state_->next = when;
    }
    state_->changed.notify_all();
}

void Alarm::run(const std::shared_ptr<State>& state) {
    std::unique_lock lock(state->mutex);
    while (!state->ending) {
        if (!state->next) {
            state->changed.wait(lock);
        } else if (*state->next > std::chrono::steady_clock::now()) {
            const Time next = *state->next;
            state->changed.wait_until(lock, next);
        } else {
            state->next.reset();
            lock.unlock();
            state->ring();
            lock.lock();
        }
    }
}

}  // namespace netcluster::tasks
