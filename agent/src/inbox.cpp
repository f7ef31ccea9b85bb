#include "inbox.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace netcluster {

std::span<char> Inbox::room() {
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (size_ > keptRoom) moveTo(minRoom);
    }
    if (size_ - end_ < minRoom && begin_ != 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    // Grows with what has come, never to a length that was only claimed.
    if (size_ - end_ < minRoom) moveTo(std::max(end_ + minRoom, end_ * 2));
    return {buffer_.get() + end_, size_ - end_};
}

// Another buffer, not cleared; what is unread stays where it is in it.
void Inbox::moveTo(std::size_t size) {
    auto fresh = std::make_unique_for_overwrite<char[]>(size);
    if (end_ != 0) std::memcpy(fresh.get(), buffer_.get(), end_);
    buffer_ = std::move(fresh);
    size_ = size;
}

void Inbox::filled(std::size_t count) {
    assert(end_ + count <= size_);
    end_ += count;
}

Inbox::Next Inbox::next(wire::FrameView& frame) {
    if (state_ != State::frames) {
        const Next skipped = skipPackets();
        if (skipped != Next::frame) return skipped;
    }
    switch (wire::nextFrame(unread(), maxFrame_, frame)) {
        case wire::Walk::incomplete:
            return Next::nothing;
        case wire::Walk::malformed:
            return Next::malformed;
        case wire::Walk::frame:
            break;
    }
    begin_ += frame.whole.size();
    return Next::frame;
}

wire::EventRun Inbox::takeRun(const wire::EventView& event) {
    const std::string_view from(event.whole.data(), event.whole.size() + unread().size());
    const wire::EventRun run = wire::readRun(event, from, maxFrame_ - wire::maxEventOverhead);
    begin_ += run.frames.size() - event.whole.size();
    return run;
}

// `frame`: the preface has been read.
Inbox::Next Inbox::skipPackets() {
    while (begin_ != end_) {
        const std::string_view bytes = unread();
        if (state_ == State::inPacket) {
            const std::size_t nul = bytes.find('\0');
            if (nul == std::string_view::npos) {
                begin_ = end_;
                return Next::nothing;
            }
            begin_ += nul + 1;
            state_ = State::packetStart;
        } else if (bytes.front() == '{') {
            state_ = State::inPacket;
        } else {
            const std::string_view start = bytes.substr(0, wire::preface.size());
            if (!wire::preface.starts_with(start)) return Next::malformed;
            if (start.size() < wire::preface.size()) return Next::nothing;
            begin_ += start.size();
            state_ = State::frames;
            return Next::frame;
        }
    }
    return Next::nothing;
}

void Inbox::reset() {
    state_ = State::packetStart;
    begin_ = end_ = 0;
    maxFrame_ = wire::maxSmallFrame;
}

}  // namespace netcluster
