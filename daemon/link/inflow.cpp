#include "inflow.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "message.hpp"

namespace netcluster::daemon::link {
namespace {

// Events handed on in one go at most, in bytes. Reason: as much as a session reads at once.
constexpr std::size_t chunkSize = std::size_t{256} << 10;

// Where the parts of an event frame lie: docs/wire-protocol.md.
constexpr std::size_t typeOffset = 4;
constexpr std::size_t senderOffset = wire::frameHeader;
constexpr std::size_t extensionsOffset = senderOffset + sizeof(wire::Uuid);

}  // namespace

Bad Inflow::add(const wire::FrameView& message, std::string_view host) {
    if (!fitsModel(message, host)) {
        flush();
        if (const Bad bad = setModel(message, host); bad != Bad::none) return bad;
    }
    const std::size_t fixed = extensionsOffset + model_.size() - (senderOffset - typeOffset);
    wire::EventView data;
    data.flags = flags_;
    data.payload = message.whole.substr(fixed);
    if (const Bad bad = judgeData(data, maxEvent_); bad != Bad::none) return bad;
    append(message, data.payload);
    return Bad::none;
}

bool Inflow::fitsModel(const wire::FrameView& message, std::string_view host) const {
    constexpr std::size_t front = senderOffset - typeOffset;
    if (model_.empty() || host != host_) return false;
    const std::string_view whole = message.whole;
    return whole.size() >= extensionsOffset + model_.size() - front &&
           std::memcmp(whole.data() + typeOffset, model_.data(), front) == 0 &&
           std::memcmp(whole.data() + extensionsOffset, model_.data() + front,
                       model_.size() - front) == 0;
}

Bad Inflow::setModel(const wire::FrameView& message, std::string_view host) {
    model_.clear();
    if (message.type != wire::FrameType::event) return Bad::event;
    wire::EventView event;
    if (const Bad bad = readMessage(message, maxEvent_, event); bad != Bad::none) return bad;
    const std::size_t fixed = message.whole.size() - event.payload.size();

    flags_ = event.flags;
    host_ = host;
    // The receivers' copy says where it comes from; the sender's frame could not be trusted to.
    event.flags |= wire::remoteFlag;
    event.host = host_;
    event.payload = {};
    head_.clear();
    wire::appendEvent(head_, event);
    wire::FrameView view;
    const bool whole = wire::nextFrame(head_, head_.size(), view) == wire::Walk::frame;
    // Its addresses and our host's name may together be more than a frame can carry.
    if (!whole || !wire::readEvent(view)) return Bad::event;

    model_.append(message.whole.substr(typeOffset, senderOffset - typeOffset))
        .append(message.whole.substr(extensionsOffset, fixed - extensionsOffset));
    return Bad::none;
}

void Inflow::append(const wire::FrameView& message, std::string_view payload) {
    const std::size_t size = head_.size() + payload.size();
    if (chunks_.empty() || chunks_.back().capacity() - chunks_.back().size() < size) {
        flush();
        chunks_.emplace_back().reserve(std::max(chunkSize, size));
        runBegan_ = 0;
    }
    std::string& chunk = chunks_.back();
    wire::storeLittle(head_.data(), static_cast<std::uint32_t>(size - sizeof(std::uint32_t)));
    std::memcpy(head_.data() + senderOffset, message.whole.data() + senderOffset,
                sizeof(wire::Uuid));
    chunk.append(head_).append(payload);
    ++count_;
}

void Inflow::flush() {
    if (count_ == 0) return;
    const std::string_view frames = std::string_view(chunks_.back()).substr(runBegan_);
    wire::FrameView first;
    wire::nextFrame(frames, frames.size(), first);
    const auto event = wire::readEvent(first);
    assert(event);
    wire::EventRun run(*event);
    run.first.knownJson = true;
    run.frames = frames;
    run.count = count_;
    runBegan_ = chunks_.back().size();
    count_ = 0;
    out_.onEvents(run);
}

void Inflow::reset() {
    assert(count_ == 0);
    runBegan_ = 0;
    if (chunks_.empty()) return;
    // One of the usual size is kept for the next batch.
    if (chunks_.front().capacity() > 2 * chunkSize) return chunks_.clear();
    chunks_.resize(1);
    chunks_.front().clear();
}

}  // namespace netcluster::daemon::link
