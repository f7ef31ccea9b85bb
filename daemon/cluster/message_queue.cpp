#include "message_queue.hpp"

#include <utility>

namespace netcluster::cluster {
namespace {

template <typename Done>
bool waitUntil(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
               const std::optional<MessageQueue::Clock::time_point>& until, Done done) {
    if (until) return changed.wait_until(lock, *until, done);
    changed.wait(lock, done);
    return true;
}

}  // namespace

void MessageQueue::add(Item item) {
    bytes_ += item.bytes + overhead;
    items_.push_back(std::move(item));
    arrived_.notify_one();
}

Sent MessageQueue::put(Item item, std::optional<Clock::time_point> until) {
    {
        std::unique_lock lock(mutex_);
        const bool ready = waitUntil(room_, lock, until, [&] {
            return !open_ || items_.empty() || bytes_ + item.bytes + overhead <= limit_;
        });
        if (!open_) return Sent::stopped;
        if (!ready) return Sent::full;
        add(std::move(item));
    }
    tell();
    return Sent::accepted;
}

void MessageQueue::force(Item item) {
    {
        const std::lock_guard lock(mutex_);
        add(std::move(item));
    }
    tell();
}

std::optional<MessageQueue::Item> MessageQueue::first() {
    if (items_.empty()) return {};
    Item item = std::move(items_.front());
    items_.pop_front();
    bytes_ -= item.bytes + overhead;
    room_.notify_all();  // a small one may fit where a large one does not
    return item;
}

std::optional<MessageQueue::Item> MessageQueue::take(std::optional<Clock::time_point> until) {
    std::optional<Item> item;
    {
        std::unique_lock lock(mutex_);
        waitUntil(arrived_, lock, until, [&] { return !open_ || !items_.empty(); });
        item = first();
    }
    if (item) tell();
    return item;
}

std::optional<MessageQueue::Item> MessageQueue::tryTake() {
    std::optional<Item> item;
    {
        const std::lock_guard lock(mutex_);
        item = first();
    }
    if (item) tell();
    return item;
}

bool MessageQueue::full() const {
    const std::lock_guard lock(mutex_);
    return bytes_ >= limit_;
}

std::size_t MessageQueue::size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
}

void MessageQueue::open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
}

void MessageQueue::close() {
    {
        const std::lock_guard lock(mutex_);
        open_ = false;
        room_.notify_all();
        arrived_.notify_all();
    }
    tell();
}

}  // namespace netcluster::cluster
