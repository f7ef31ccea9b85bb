#include "send_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "packet.hpp"

namespace netcluster::daemon {
namespace {

// A client that cannot be told of its gaps one by one is told of them together.
void merge(wire::Gap& gap, std::uint64_t sequence) {
    if (gap.count == 0) gap.first = sequence;
    gap.last = sequence;
    ++gap.count;
}

}  // namespace

bool QueueBudget::makeRoom(std::size_t bytes, const SendQueue& asking) {
    while (!fits(bytes)) {
        SendQueue* largest = nullptr;
        for (SendQueue* queue : idle_) {
            if (queue == &asking || !queue->backlog_) continue;
            if (!largest || queue->cost() > largest->cost()) largest = queue;
        }
        if (!largest) return false;
        // Half of it, so that a flood does not come back here for every event.
        const std::size_t before = largest->cost();
        largest->shrinkTo(before / 2);
        if (largest->cost() >= before) return false;
    }
    return true;
}

SendQueue::~SendQueue() {
    setIdle(false);
    budget_.changed(accounted_, 0);
}

bool QueueBudget::somebodyDrains() const {
    std::size_t stalled = 0;
    for (const SendQueue* queue : idle_) stalled += queue->accounted_;
    return used_ > stalled;
}

void QueueBudget::changed(std::size_t before, std::size_t after) {
    used_ += after - before;  // wraps and comes out right when it shrinks
    // Reason for half: as with one queue, see `drained`.
    if (after < before && (used_ <= cap_ / 2 || after == 0)) resumeWaiting();
}

void QueueBudget::resumeWaiting() {
    if (waiting_.empty()) return;
    for (const auto& waiting : std::exchange(waiting_, {})) {
        if (const auto source = waiting.lock()) source->resume();
    }
}

void SendQueue::account() {
    const std::size_t now = cost();
    budget_.changed(accounted_, now);
    accounted_ = now;
}

Backlog& SendQueue::backlog() {
    if (!backlog_) backlog_ = std::make_unique<Backlog>();
    return *backlog_;
}

// The first event of a piece: binary frames carry their length; a JSON packet is a piece of its
// own.
std::size_t SendQueue::eventSize(std::string_view piece) const {
    return encoding_ == Encoding::json ? piece.size() : wire::frameSize(piece);
}

bool SendQueue::fits(std::size_t bytes, std::size_t count) const {
    if (count == 1 && holdsNothing()) return true;
    bytes += count * Backlog::itemCost;
    return cost() + bytes <= cap_ && budget_.fits(bytes);
}

bool SendQueue::makeRoom(std::size_t bytes, std::size_t count) {
    if (fits(bytes, count)) return true;
    bytes += count * Backlog::itemCost;
    return cost() + bytes <= cap_ && budget_.makeRoom(bytes, *this);
}

bool SendQueue::makeSafeRoom(std::size_t bytes, std::size_t count, std::size_t& claimed) {
    bytes += count * Backlog::itemCost;
    const bool unasked = count == 1 && holdsNothing();
    if (!unasked && cost() + bytes > cap_) return false;
    if (!budget_.makeRoom(claimed + bytes, *this) && !(unasked && !budget_.somebodyDrains())) {
        return false;
    }
    claimed += bytes;
    return true;
}

void SendQueue::becomeBinary() {
    settle();
    if (headGap_.count) tellHeadGap();
    if (tailGap_.count) tellTailGap();
    encoding_ = Encoding::binary;
}

SendQueue::Pushed SendQueue::push(std::string_view events, std::size_t count,
                                  config::SlowConsumer policy) {
    sequence_ += count;
    if (!makeRoom(events.size(), count)) {
        assert(count == 1);
        switch (policy) {
            case config::SlowConsumer::disconnect:
                return Pushed::overflow;
            case config::SlowConsumer::dropNewest:
                dropNewest(sequence_);
                return Pushed::dropped;
            case config::SlowConsumer::block:
            case config::SlowConsumer::dropOldest: {
                settle();
                dropOldest(events.size() + Backlog::itemCost);
                if (!fits(events.size())) {  // others have used up the budget
                    dropNewest(sequence_);
                    return Pushed::dropped;
                }
                if (tailGap_.count) tellTailGap();
                addByReference(events, 1);
                return Pushed::dropped;
            }
        }
    }
    if (tailGap_.count) tellTailGap();
    addByReference(events, count);
    return Pushed::queued;
}

void SendQueue::addByReference(std::string_view events, std::size_t count) {
    const bool continues = encoding_ == Encoding::binary && !turn_.empty() &&
                           turn_.back().data() + turn_.back().size() == events.data();
    if (continues) {
        turn_.back() = {turn_.back().data(), turn_.back().size() + events.size()};
    } else {
        turn_.push_back(events);
    }
    turnBytes_ += events.size();
    turnEvents_ += count;
    account();
}

void SendQueue::dropNewest(std::uint64_t sequence) {
    merge(tailGap_, sequence);
    ++dropped_;
}

// Between what is under way and the oldest event that is left.
void SendQueue::tellHeadGap() {
    inFlight_ += encodedGap(headGap_);
    headGap_ = {};
}

void SendQueue::tellTailGap() {
    const wire::Gap gap = tailGap_;
    tailGap_ = {};
    appendNotice(encodedGap(gap), static_cast<std::uint32_t>(gap.count));
}

bool SendQueue::pushNotice(std::string_view bytes) {
    const std::size_t owed = inFlightNotices_ + (backlog_ ? backlog_->noticeBytes() : 0);
    if (owed + bytes.size() > maxNotices) return false;
    if (tailGap_.count) tellTailGap();
    appendNotice(bytes, 0);
    return true;
}

void SendQueue::appendNotice(std::string_view bytes, std::uint32_t sequences) {
    if (turn_.empty() && !backlog_ && headGap_.count == 0) {
        inFlight_ += bytes;
        if (sequences == 0) inFlightNotices_ += bytes.size();
        frontSequence_ += sequences;
    } else {
        settle();
        backlog().append(bytes, false, sequences);
    }
    account();
}

void SendQueue::setIdle(bool idle) {
    if (idle == idle_) return;
    idle_ = idle;
    if (idle) {
        budget_.idle_.push_back(this);
        budget_.resumeWaiting();
    } else {
        std::erase(budget_.idle_, this);
    }
}

void SendQueue::keepPartialFront() {
    if (!backlog_ || !backlog_->frontIsPartial()) return;
    frontSequence_ += backlog_->front().sequences;
    backlog_->removeFront(&inFlight_);
}

void SendQueue::dropOldest(std::size_t bytes) {
    const auto left = [](std::size_t cap, std::size_t taken) {
        return cap > taken ? cap - taken : 0;
    };
    const std::size_t others = budget_.used_ - accounted_;
    shrinkTo(std::min(left(cap_, bytes), left(budget_.cap_, others + bytes)));
}

void SendQueue::shrinkTo(std::size_t target) {
    if (!backlog_) return;
    keepPartialFront();
    while (!backlog_->empty() && cost() > target) dropFrontItem();
    if (backlog_->empty()) backlog_.reset();
    account();
}

void SendQueue::dropFrontItem() {
    const Backlog::Item item = backlog_->front();
    if (item.isEvent) {
        backlog_->removeFront(nullptr);
        merge(headGap_, frontSequence_);
        ++dropped_;
    } else {
        // A notice outlives the events around it; what was dropped before it is told before it.
        if (headGap_.count) tellHeadGap();
        if (item.sequences == 0) inFlightNotices_ += item.size;
        backlog_->removeFront(&inFlight_);
    }
    frontSequence_ += item.sequences;
}

std::string SendQueue::encodedGap(const wire::Gap& gap) const {
    std::string bytes;
    if (encoding_ == Encoding::binary) {
        wire::appendGap(bytes, gap);
    } else {
        wire::appendGapPacket(bytes, gap, channel_);
    }
    return bytes;
}

void SendQueue::gather(std::vector<std::string_view>& pieces, std::size_t limit) {
    if (tailGap_.count && turn_.empty() && !backlog_) tellTailGap();
    if (headGap_.count) tellHeadGap();
    if (!inFlight_.empty()) pieces.push_back(inFlight_);
    if (backlog_) backlog_->gather(pieces, limit);
    for (const std::string_view piece : turn_) {
        if (pieces.size() >= limit) return;
        pieces.push_back(piece);
    }
}

std::size_t SendQueue::takeFrom(std::string& text, std::size_t count) {
    const std::size_t taken = std::min(count, text.size());
    text.erase(0, taken);
    if (text.empty()) {
        std::string().swap(text);
        inFlightNotices_ = 0;
    }
    return count - taken;
}

void SendQueue::wrote(std::size_t count) {
    if (!inFlight_.empty()) count = takeFrom(inFlight_, count);
    if (backlog_ && count != 0) {
        const std::size_t taken = std::min(count, backlog_->bytes());
        frontSequence_ += backlog_->consume(taken);
        if (backlog_->empty()) backlog_.reset();
        count -= taken;
    }
    if (count == turnBytes_) {
        clearTurn();
    } else {
        turnWritten_ += count;
        if (count != 0) settle();
    }
    account();
}

void SendQueue::clearTurn() {
    frontSequence_ += turnEvents_;
    turn_.clear();
    turnBytes_ = turnEvents_ = turnWritten_ = 0;
}

void SendQueue::abandon() {
    inFlight_.clear();
    inFlightNotices_ = 0;
    headGap_ = tailGap_ = {};
    backlog_.reset();
    clearTurn();
    setIdle(false);
    account();
}

void SendQueue::settle() {
    if (turn_.empty()) return;
    // Only the one event that an empty queue took unasked can be too much.
    const bool mayDrop = turnEvents_ == 1 && !backlog_ && inFlight_.empty();
    if (mayDrop && turnWritten_ == 0 && budget_.used_ > budget_.cap_) {
        dropNewest(frontSequence_++);
    } else {
        for (const std::string_view piece : turn_) settlePiece(piece);
    }
    turn_.clear();
    turnBytes_ = turnEvents_ = turnWritten_ = 0;
    account();
}

// Written events are done; the rest of one that was begun must go first, whatever happens.
void SendQueue::settlePiece(std::string_view piece) {
    while (turnWritten_ != 0 && !piece.empty()) {
        const std::size_t size = eventSize(piece);
        const std::size_t written = std::min(turnWritten_, size);
        turnWritten_ -= written;
        inFlight_ += piece.substr(written, size - written);
        ++frontSequence_;
        piece.remove_prefix(size);
    }
    while (!piece.empty()) {
        const std::size_t size = eventSize(piece);
        backlog().append(piece.substr(0, size), true, 1);
        piece.remove_prefix(size);
    }
}

}  // namespace netcluster::daemon
