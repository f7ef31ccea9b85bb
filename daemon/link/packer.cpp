#include "packer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "message.hpp"
#include "relayed.hpp"

namespace netcluster::daemon::link {
namespace {

// What `message_` may keep for the next event. Reason: most events fit; one of 64 MiB must not
// stay.
constexpr std::size_t keptCapacity = std::size_t{64} << 10;

}  // namespace

Packer::Packer(std::string host, std::size_t maxEvent, SendBuffer& buffer)
    : maxMessage_(messageLimit(maxEvent)), buffer_(buffer) {
    assert(validHostName(host));
    appendDataHead(head_, 0, host);
}

bool Packer::hasRoom(const wire::EventRun& events) const {
    // One that was built by hand has no bytes of its own yet.
    const std::size_t bytes = events.frames.empty()
                                  ? events.first.payload.size() + wire::maxEventOverhead
                                  : events.frames.size();
    return buffer_.hasRoom(bytes);
}

std::uint64_t Packer::add(const wire::EventRun& events) {
    std::uint64_t dropped = 0;
    const auto take = [&](std::string_view message) {
        ++(addOne(message, maxMessage_) ? counts_.events : dropped);
    };
    // As they are when they are messages already: frames without a host, and with no flags but
    // those that travel.
    if (isMessage(events.first)) {
        wire::forEachFrame(events.frames, take);
    } else {
        assert(events.count == 1);
        message_.clear();
        appendMessage(message_, events.first);
        take(message_);
        if (message_.capacity() > keptCapacity) std::string().swap(message_);
    }
    return dropped;
}

bool Packer::addRelayed(std::string_view message) {
    return addOne(message, maxMessage_ + relayedOverhead);
}

bool Packer::addOne(std::string_view message, std::size_t limit) {
    if (message.size() > limit || !buffer_.hasRoom(message.size())) {
        ++counts_.dropped;
        ++leftOut_;
        return false;
    }
    if (leftOut_ != 0) noteDropped();
    write(message);
    return true;
}

void Packer::write(std::string_view message) {
    if (!buffer_.isOpen()) begin();
    if (!std::exchange(started_, true)) {
        buffer_.patch(head_.size() - sizeof(std::uint16_t),
                      static_cast<std::uint16_t>(buffer_.openSize() - head_.size()));
    }
    for (;;) {
        const std::size_t piece = std::min(message.size(), buffer_.room());
        buffer_.append(message.substr(0, piece));
        message.remove_prefix(piece);
        if (buffer_.room() == 0) buffer_.finish();
        if (message.empty()) return;
        begin();
    }
}

bool Packer::close() {
    if (leftOut_ != 0) noteDropped();
    if (!buffer_.isOpen()) return false;
    buffer_.finish();
    return true;
}

void Packer::noteDropped() {
    std::string note;
    wire::appendGap(note, {std::exchange(leftOut_, 0), 0, 0});
    write(note);
}

void Packer::begin() {
    buffer_.begin();
    wire::storeLittle(head_.data(), buffer_.openSequence());
    buffer_.append(head_);
    started_ = false;
}

}  // namespace netcluster::daemon::link
