#include "outbox.hpp"

#include <algorithm>
#include <cassert>
#include <netcluster/control.hpp>
#include <utility>

namespace netcluster {
namespace {

// Walks frames that we have written ourselves.
template <typename Visit>
void forEachFrame(std::string_view frames, Visit visit) {
    wire::FrameView frame;
    while (wire::nextFrame(frames, frames.size(), frame) == wire::Walk::frame) {
        visit(frame);
        frames.remove_prefix(frame.whole.size());
    }
}

bool isKept(const wire::FrameView& frame) {
    if (frame.type != wire::FrameType::event) return false;
    const auto event = wire::readEvent(frame);
    return event && event->name != control::registerNode &&
           event->name != control::unregisterNode && event->name != control::nodeStats;
}

}  // namespace

Outbox::Queued Outbox::event(const wire::EventView& event) {
    const std::lock_guard lock(mutex_);
    const std::size_t before = pending_.size();
    if (unwritten_ + event.payload.size() > limit_) return {Emitted::queueFull, Wake::no};
    wire::appendEvent(pending_, event);
    const std::size_t size = pending_.size() - before;
    if (unwritten_ + size > limit_) {
        pending_.resize(before);
        return {Emitted::queueFull, Wake::no};
    }
    unwritten_ += size;
    return {Emitted::accepted, wakeLocked()};
}

Outbox::Wake Outbox::wakeLocked() {
    if (!open_ || !idle_) return Wake::no;
    idle_ = false;
    return Wake::yes;
}

template <typename Append>
Outbox::Wake Outbox::control(Append append) {
    if (!greeted_) return Wake::no;
    const std::size_t before = pending_.size();
    append(pending_);
    unwritten_ += pending_.size() - before;
    return wakeLocked();
}

Outbox::Wake Outbox::subscribe(const std::string& pattern) {
    const std::lock_guard lock(mutex_);
    const std::uint32_t id = ++lastSubscription_;
    subscriptions_[pattern] = id;
    return control([&](std::string& out) { wire::appendSubscribe(out, {id, pattern}); });
}

Outbox::Wake Outbox::unsubscribe(const std::string& pattern) {
    const std::lock_guard lock(mutex_);
    const auto at = subscriptions_.find(pattern);
    if (at == subscriptions_.end()) return Wake::no;
    const std::uint32_t id = at->second;
    subscriptions_.erase(at);
    return control([&](std::string& out) { wire::appendUnsubscribe(out, id); });
}

Outbox::Wake Outbox::sync(std::uint64_t token) {
    const std::lock_guard lock(mutex_);
    return control([&](std::string& out) { wire::appendSync(out, wire::FrameType::sync, token); });
}

Outbox::Wake Outbox::request(const wire::EventView& event) {
    const std::lock_guard lock(mutex_);
    return control([&](std::string& out) { wire::appendEvent(out, event); });
}

std::string Outbox::patternOf(std::uint32_t subscription) const {
    const std::lock_guard lock(mutex_);
    const auto at = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                 [&](const auto& entry) { return entry.second == subscription; });
    return at == subscriptions_.end() ? std::string() : at->first;
}

std::size_t Outbox::bytes() const {
    const std::lock_guard lock(mutex_);
    return unwritten_;
}

void Outbox::greet(const wire::Hello& hello, std::string_view frames, std::uint64_t token) {
    const std::lock_guard lock(mutex_);
    assert(!greeted_);
    greeted_ = true;
    greeting_ = wire::preface;
    greetingWritten_ = 0;
    wire::appendHello(greeting_, hello);
    for (const auto& [pattern, id] : subscriptions_) {
        wire::appendSubscribe(greeting_, {id, pattern});
    }
    greeting_ += frames;
    wire::appendSync(greeting_, wire::FrameType::sync, token);
}

void Outbox::open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    idle_ = false;
}

void Outbox::broken() {
    const std::lock_guard lock(mutex_);
    restore();
    greeted_ = open_ = false;
    idle_ = true;
    greeting_.clear();
    greetingWritten_ = 0;
}

// Puts what is not written yet back to the front, events only, and of those no requests.
void Outbox::restore() {
    std::string kept;
    std::size_t end = 0;
    const auto keep = [&](const wire::FrameView& frame) {
        end += frame.whole.size();
        if (end > written_ && isKept(frame)) kept += frame.whole;
    };
    forEachFrame(writing_, keep);
    written_ = end = 0;
    forEachFrame(pending_, keep);
    pending_ = std::move(kept);
    unwritten_ = pending_.size();
    writing_.clear();
}

std::size_t Outbox::clear() {
    const std::lock_guard lock(mutex_);
    restore();
    std::size_t events = 0;
    forEachFrame(pending_, [&](const wire::FrameView&) { ++events; });
    pending_ = std::string();
    unwritten_ = 0;
    return events;
}

std::size_t Outbox::dropLargerThan(std::size_t maxEvent) {
    const std::lock_guard lock(mutex_);
    std::string kept;
    std::size_t dropped = 0;
    forEachFrame(pending_, [&](const wire::FrameView& frame) {
        const auto event = wire::readEvent(frame);
        if (frame.type == wire::FrameType::event && event && event->payload.size() > maxEvent) {
            ++dropped;
        } else {
            kept += frame.whole;
        }
    });
    if (dropped == 0) return 0;
    pending_ = std::move(kept);
    unwritten_ = pending_.size();
    return dropped;
}

std::string_view Outbox::next() {
    if (greetingWritten_ < greeting_.size()) {
        return std::string_view(greeting_).substr(greetingWritten_);
    }
    if (written_ < writing_.size()) return std::string_view(writing_).substr(written_);
    const std::lock_guard lock(mutex_);
    written_ = 0;
    writing_.clear();
    if (!open_ || pending_.empty()) {
        if (writing_.capacity() > keptCapacity) writing_ = std::string();
        if (pending_.empty() && pending_.capacity() > keptCapacity) pending_ = std::string();
        idle_ = true;
        return {};
    }
    std::swap(pending_, writing_);
    return writing_;
}

bool Outbox::hold() {
    const std::lock_guard lock(mutex_);
    return open_ && std::exchange(idle_, false);
}

void Outbox::written(std::size_t count) {
    if (greetingWritten_ < greeting_.size()) {
        greetingWritten_ += count;
        return;
    }
    written_ += count;
    const std::lock_guard lock(mutex_);
    unwritten_ -= std::min(count, unwritten_);
}

}  // namespace netcluster
