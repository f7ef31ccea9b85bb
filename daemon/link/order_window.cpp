#include "order_window.hpp"

#include <algorithm>
#include <utility>

namespace netcluster::daemon::link {

OrderWindow::Result OrderWindow::add(Time now, std::uint64_t sequence, std::string_view datagram) {
    if (next_ == 0) next_ = sequence;
    if (sequence < next_) return Result::old;
    if (sequence - next_ > maxJump) return Result::reset;
    if (sequence == next_) {
        deliver(now, datagram);
        deliverWaiting(now);
        return Result::taken;
    }
    if (waiting_.contains(sequence)) return Result::old;
    if (waiting_.size() >= holeDatagrams || !budget_.take(datagram.size())) {
        // No room to wait for the first hole: it is given up, and this one may now be in order.
        giveUpBefore(now,
                     waiting_.empty() ? sequence : std::min(sequence, waiting_.begin()->first));
        return add(now, sequence, datagram);
    }
    waiting_.emplace(sequence, Waiting{now, std::string(datagram)});
    return Result::taken;
}

OrderWindow::Result OrderWindow::announce(Time now, std::uint64_t highest) {
    if (next_ == 0) next_ = highest + 1;
    if (highest < next_) return Result::taken;
    if (highest - next_ > maxJump) return Result::reset;
    // The same announcement over a second path keeps its time.
    if (!tail_ || highest > tail_->highest) tail_ = Tail{now, highest};
    return Result::taken;
}

void OrderWindow::expire(Time now) {
    while (!waiting_.empty() && now - waiting_.begin()->second.since >= holeTime) {
        giveUpBefore(now, waiting_.begin()->first);
    }
    if (!tail_ || now - tail_->since < holeTime) return;
    const std::uint64_t end = tail_->highest + 1;
    tail_.reset();
    while (next_ < end) {
        giveUpBefore(now, waiting_.empty() ? end : std::min(end, waiting_.begin()->first));
    }
}

std::optional<Time> OrderWindow::deadline() const {
    std::optional<Time> first;
    if (!waiting_.empty()) first = waiting_.begin()->second.since + holeTime;
    if (tail_) first = std::min(first.value_or(Time::max()), tail_->since + holeTime);
    return first;
}

void OrderWindow::forget() {
    for (const auto& [sequence, waiting] : waiting_) budget_.give(waiting.datagram.size());
    waiting_.clear();
    tail_.reset();
    next_ = 0;
}

void OrderWindow::deliver(Time now, std::string_view datagram) {
    ++next_;
    if (tail_ && tail_->highest < next_) tail_.reset();
    out_.inOrder(now, datagram);
}

void OrderWindow::deliverWaiting(Time now) {
    while (!waiting_.empty() && waiting_.begin()->first == next_) {
        const auto node = waiting_.extract(waiting_.begin());
        budget_.give(node.mapped().datagram.size());
        deliver(now, node.mapped().datagram);
    }
}

// Nothing that waits is before `sequence`.
void OrderWindow::giveUpBefore(Time now, std::uint64_t sequence) {
    const std::uint64_t first = std::exchange(next_, sequence);
    if (tail_ && tail_->highest < next_) tail_.reset();
    out_.missing(first, sequence - 1);
    deliverWaiting(now);
}

}  // namespace netcluster::daemon::link
