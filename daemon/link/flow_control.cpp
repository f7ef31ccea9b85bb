#include "flow_control.hpp"

#include <algorithm>

namespace netcluster::daemon::link {

void FlowControl::join(const wire::Uuid& session, std::uint64_t sent) {
    receivers_.try_emplace(session).first->second.next = sent + 1;
    updateLimit();
}

void FlowControl::leave(const wire::Uuid& session) {
    if (receivers_.erase(session) != 0) updateLimit();
}

void FlowControl::onStatus(Time now, const wire::Uuid& session, const Status& status,
                           std::uint64_t sent) {
    const auto found = receivers_.find(session);
    // What nobody has sent nobody can have.
    if (found == receivers_.end() || status.next > sent + 1) return;
    Receiver& receiver = found->second;
    // One that came by a second path, or late.
    if (status.next < receiver.next) return;
    receiver.next = status.next;
    receiver.window = std::max<std::uint32_t>(status.window, 1);
    const std::uint64_t behind = sent - (receiver.next - 1);
    const bool caughtUp = behind <= nearlyCaughtUp * receiver.window;
    if (receiver.lagging && caughtUp && now >= receiver.excludedUntil) {
        receiver.lagging = false;
        receiver.watched = false;
    }
    updateLimit();
}

void FlowControl::onSent(Time now, std::uint64_t fresh, std::uint64_t again) {
    fresh_ += fresh;
    again_ += again;
    if (now - spanBegan_ < lossSpan) return;
    const std::uint64_t all = fresh_ + again_;
    // Too few say nothing.
    if (all >= smallestWindow / 2) {
        const bool tooMuch = again_ * lossShare > all;
        window_ = tooMuch ? std::max(smallestWindow, std::min<std::uint64_t>(window_, all) / 2)
                          : std::min(largestWindow, window_ + window_ / 4);
        updateLimit();
    }
    spanBegan_ = now;
    fresh_ = again_ = 0;
}

bool FlowControl::onHeld(Time now) {
    const std::uint64_t before = limit_;
    // What was seen before a pause says nothing about now.
    const bool anew = now - heldLast_ > heldBreak;
    heldLast_ = now;
    for (auto& [session, receiver] : receivers_) {
        if (receiver.lagging) continue;
        if (anew || !receiver.watched) {
            receiver.watched = false;
            if (end(receiver) > limit_) continue;  // others hold us up
            receiver.watched = true;
            receiver.watchedSince = now;
            receiver.watchedNext = receiver.next;
        } else if (now - receiver.watchedSince >= stallTime) {
            receiver.watched = false;
            const bool holds = end(receiver) <= limit_;
            if (holds && receiver.next - receiver.watchedNext < leastProgress) {
                exclude(now, receiver);
            }
        }
    }
    updateLimit();
    return limit_ != before;
}

void FlowControl::exclude(Time now, Receiver& receiver) {
    const bool forgiven = now - receiver.excludedUntil > longestPenalty;
    receiver.penalty = forgiven ? std::chrono::milliseconds(0)
                                : std::clamp(2 * receiver.penalty, secondPenalty, longestPenalty);
    receiver.excludedUntil = now + receiver.penalty;
    receiver.lagging = true;
    ++receiver.timesLagging;
}

void FlowControl::updateLimit() {
    limit_ = ~std::uint64_t{0};
    for (const auto& [session, receiver] : receivers_) {
        if (receiver.lagging) continue;
        limit_ = std::min(limit_, end(receiver));
    }
}

std::uint64_t FlowControl::end(const Receiver& receiver) const {
    return receiver.next - 1 + std::min<std::uint64_t>(receiver.window, window_);
}

const FlowControl::Receiver* FlowControl::find(const wire::Uuid& session) const {
    const auto found = receivers_.find(session);
    return found == receivers_.end() ? nullptr : &found->second;
}

}  // namespace netcluster::daemon::link
