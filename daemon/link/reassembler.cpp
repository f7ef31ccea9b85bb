#include "reassembler.hpp"

#include <algorithm>

namespace netcluster::daemon::link {
namespace {

// First step of growth; each later one doubles. Reason: most messages that need fragments fit.
constexpr std::size_t firstStep = std::size_t{16} << 10;

}  // namespace

Reassembler::Reassembler(std::size_t maxMessage, MemoryBudget& budget)
    : maxMessage_(maxMessage), budget_(budget) {}

Reassembler::~Reassembler() {
    release();
}

Reassembler::Result Reassembler::add(const Fragment& fragment) {
    if (state_ == State::complete) {
        release();
        state_ = State::between;
    }
    if (fragment.index == 0) return begin(fragment);
    switch (state_) {
        case State::building:
            return append(fragment);
        case State::between:
            ++incomplete_;
            state_ = State::skipping;
            return Result::skipped;
        case State::joining:
        case State::skipping:
        case State::complete:
            break;
    }
    return Result::skipped;
}

Reassembler::Result Reassembler::begin(const Fragment& fragment) {
    boundary();
    if (fragment.size > maxMessage_) {
        drop();
        return Result::bad;
    }
    size_ = fragment.size;
    count_ = fragment.count;
    next_ = 0;
    state_ = State::building;
    return append(fragment);
}

Reassembler::Result Reassembler::append(const Fragment& fragment) {
    const bool agrees =
        fragment.size == size_ && fragment.count == count_ && fragment.index == next_;
    if (!agrees || fragment.bytes.size() > size_ - buffer_.size()) {
        drop();
        return Result::bad;
    }
    if (!grow(buffer_.size() + fragment.bytes.size())) {
        drop();
        return Result::noMemory;
    }
    buffer_.append(fragment.bytes);
    if (++next_ < count_) return Result::more;
    if (buffer_.size() != size_) {
        drop();
        return Result::bad;
    }
    state_ = State::complete;
    return Result::complete;
}

// The claimed size only ever limits the step, it never makes one.
bool Reassembler::grow(std::size_t needed) {
    if (needed <= charged_) return true;
    const std::size_t step = std::max({needed, firstStep, 2 * charged_});
    const std::size_t wanted = std::max(needed, std::min<std::size_t>(step, size_));
    if (!budget_.take(wanted - charged_)) return false;
    charged_ = wanted;
    buffer_.reserve(wanted);
    return true;
}

void Reassembler::missing() {
    if (state_ == State::building) {
        drop();
    } else if (state_ == State::complete) {
        boundary();
    }
}

void Reassembler::boundary() {
    if (state_ == State::building) ++incomplete_;
    release();
    state_ = State::between;
}

void Reassembler::reset() {
    if (state_ == State::building) ++incomplete_;
    release();
    state_ = State::joining;
}

void Reassembler::drop() {
    ++incomplete_;
    release();
    state_ = State::skipping;
}

void Reassembler::release() {
    budget_.give(charged_);
    charged_ = 0;
    std::string().swap(buffer_);
}

}  // namespace netcluster::daemon::link
