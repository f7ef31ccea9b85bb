#include "order_window.hpp"

#include <algorithm>
#include <utility>

namespace netcluster::daemon::link {

OrderWindow::Result OrderWindow::add(Time now, std::uint64_t sequence, std::string_view body,
                                     std::chrono::microseconds backoff) {
    if (next_ == 0) next_ = seen_ = sequence;
    if (sequence < next_) return Result::old;
    if (sequence - next_ > maxJump) return Result::reset;
    highest_ = std::max(highest_, sequence);
    if (sequence == next_ && !ready()) {
        // In order, as nearly always.
        if (seen_ == next_) {
            ++seen_;
        } else {
            fill(sequence);
        }
        deliver(body);
        deliverReady();
        lookTo(now, highest_ + 1, backoff);
        return Result::taken;
    }
    lookTo(now, sequence, backoff);
    if (sequence >= next_ + room_) return Result::ahead;
    if (sequence < seen_) {
        if (holeOf(sequence) == holes_.end()) return Result::old;  // it waits already
        if (!budget_.take(body.size())) return Result::ahead;
        fill(sequence);
    } else {
        if (!budget_.take(body.size())) return Result::ahead;
        seen_ = sequence + 1;
    }
    keep(sequence, body);
    return Result::taken;
}

OrderWindow::Result OrderWindow::announce(Time now, std::uint64_t highest, std::uint64_t oldest,
                                          std::chrono::microseconds backoff) {
    if (next_ == 0) next_ = seen_ = highest + 1;
    if (highest + 1 > next_ && highest - next_ > maxJump) return Result::reset;
    if (oldest > next_) giveUpBefore(oldest, true);
    highest_ = std::max(highest_, highest);
    lookTo(now, highest_ + 1, backoff);
    return Result::announced;
}

void OrderWindow::othersAsked(Time now, Range range) {
    for (Hole& hole : holes_) {
        const bool covered = range.first <= hole.range.first && hole.range.last <= range.last;
        if (covered) hole.due = std::max(hole.due, now + hole.retry);
    }
}

void OrderWindow::ask(Time now, bool heard, std::uint32_t most, std::vector<Range>& ranges) {
    // A hole that was asked for in vain, with all before it: order goes on behind it.
    std::optional<std::uint64_t> hopeless;
    std::uint64_t asked = 0;
    for (std::size_t i = 0; i < holes_.size(); ++i) {
        if (holes_[i].due > now) continue;
        if (holes_[i].tries >= nakTries && now - holes_[i].since >= nakPatience) {
            hopeless = holes_[i].range.last + 1;
            continue;
        }
        // No more than there is room for at a time, the first of them first.
        if (asked >= most || ranges.size() >= maxNakRanges) {
            holes_[i].due = now + nakRetry;
            continue;
        }
        if (holes_[i].range.count() > most - asked) split(i, most - asked);
        Hole& hole = holes_[i];
        ranges.push_back(hole.range);
        asked += hole.range.count();
        hole.asked = true;
        hole.due = now + hole.retry;
        hole.retry = std::min<std::chrono::microseconds>(hole.retry * 3 / 2, nakRetryMost);
        if (heard) ++hole.tries;
    }
    if (hopeless) giveUpBefore(*hopeless, false);
}

std::optional<Time> OrderWindow::deadline() const {
    if (holes_.empty()) return {};
    return std::min_element(holes_.begin(), holes_.end(),
                            [](const Hole& a, const Hole& b) { return a.due < b.due; })
        ->due;
}

void OrderWindow::giveUp() {
    if (!holes_.empty()) giveUpBefore(holes_.back().range.last + 1, false);
}

void OrderWindow::forget() {
    for (const std::string& body : ring_) budget_.give(body.size());
    ring_ = {};
    holes_.clear();
    waiting_ = 0;
    next_ = seen_ = highest_ = 0;
}

void OrderWindow::keep(std::uint64_t sequence, std::string_view body) {
    if (ring_.empty()) ring_.resize(room_);
    place(sequence).assign(body);
    ++waiting_;
}

void OrderWindow::deliver(std::string_view body) {
    ++next_;
    out_.inOrder(body);
}

void OrderWindow::goOn(Time now, std::chrono::microseconds backoff) {
    deliverReady();
    lookTo(now, highest_ + 1, backoff);
}

void OrderWindow::deliverReady() {
    for (std::size_t left = orderBurst; left != 0 && ready(); --left) {
        std::string& body = place(next_);
        --waiting_;
        deliver(body);
        budget_.give(body.size());
        body.clear();
    }
    // Nothing waits: the memory is for others. A sender that loses much keeps its places.
    if (waiting_ == 0 && holes_.empty() && !ring_.empty()) ring_ = {};
}

// All from `seen_` to before `end` are missing, as far as we could keep what comes behind them.
void OrderWindow::lookTo(Time now, std::uint64_t end, std::chrono::microseconds backoff) {
    end = std::min(end, next_ + room_);
    if (end <= seen_) return;
    // Far behind, each datagram that comes lets us look one further: that is no hole of its own.
    if (!holes_.empty() && !holes_.back().asked && holes_.back().range.last + 1 == seen_) {
        holes_.back().range.last = end - 1;
    } else {
        holes_.push_back({{seen_, end - 1}, now + backoff, now});
    }
    seen_ = end;
}

std::deque<OrderWindow::Hole>::iterator OrderWindow::holeOf(std::uint64_t sequence) {
    const auto found = std::lower_bound(
        holes_.begin(), holes_.end(), sequence,
        [](const Hole& hole, std::uint64_t number) { return hole.range.last < number; });
    return found != holes_.end() && found->range.first <= sequence ? found : holes_.end();
}

// What is not asked for yet is a hole by itself: it was not asked for in vain.
void OrderWindow::split(std::size_t hole, std::uint64_t count) {
    Hole first = holes_[hole];
    first.range.last = first.range.first + count - 1;
    holes_[hole].range.first += count;
    holes_.insert(holes_.begin() + static_cast<std::ptrdiff_t>(hole), first);
}

// It came: the hole around it shrinks, splits or closes.
void OrderWindow::fill(std::uint64_t sequence) {
    const auto hole = holeOf(sequence);
    if (hole == holes_.end()) return;
    ++repaired_;
    if (hole->range.first == sequence && hole->range.last == sequence) {
        holes_.erase(hole);
    } else if (hole->range.first == sequence) {
        ++hole->range.first;
    } else if (hole->range.last == sequence) {
        --hole->range.last;
    } else {
        Hole before = *hole;
        before.range.last = sequence - 1;
        hole->range.first = sequence + 1;
        holes_.insert(hole, before);
    }
}

// What is missing before `sequence` is reported, what waits there is delivered.
void OrderWindow::giveUpBefore(std::uint64_t sequence, bool gone) {
    while (next_ < sequence) {
        if (next_ < seen_ && !holes_.empty() && holes_.front().range.first <= next_) {
            const std::uint64_t last = std::min(holes_.front().range.last, sequence - 1);
            const std::uint64_t first = std::exchange(next_, last + 1);
            if (last == holes_.front().range.last) {
                holes_.pop_front();
            } else {
                holes_.front().range.first = last + 1;
            }
            out_.missing({first, last}, gone);
        } else if (next_ < seen_) {
            deliverReady();
        } else {
            const std::uint64_t first = std::exchange(next_, sequence);
            seen_ = sequence;
            out_.missing({first, sequence - 1}, gone);
        }
    }
    deliverReady();
}

}  // namespace netcluster::daemon::link
