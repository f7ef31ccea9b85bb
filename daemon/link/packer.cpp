#include "packer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "message.hpp"

namespace netcluster::daemon::link {
namespace {

// A scratch buffer that grew for a large event is given back, so that one does not cost its size
// for ever.
constexpr std::size_t keptCapacity = std::size_t{64} << 10;

}  // namespace

Packer::Packer(const wire::Uuid& session, std::string host, std::size_t maxEvent,
               DatagramQueue& queue)
    : session_(session),
      host_(std::move(host)),
      maxEvent_(maxEvent),
      queue_(queue),
      contentRoom_(bodyRoom - dataHeadSize(host_)) {}

bool Packer::add(const wire::EventView& event) {
    message_.clear();
    if (event.payload.size() <= maxEvent_) appendMessage(message_, event);
    const bool fits = !message_.empty() && message_.size() <= messageLimit(maxEvent_);
    // An eighth more is what the datagrams around it add at most.
    if (!fits || !queue_.hasRoom(message_.size() + message_.size() / 8)) {
        ++counts_.dropped;
        if (leftOut_ < std::numeric_limits<std::uint32_t>::max()) ++leftOut_;
        return false;
    }
    if (leftOut_ != 0) noteDropped();
    ++counts_.events;
    message_.size() <= contentRoom_ ? pack(message_) : cut(message_);
    if (message_.capacity() > keptCapacity) std::string().swap(message_);
    return true;
}

bool Packer::close() {
    const bool any = isOpen() || leftOut_ != 0;
    if (isOpen()) finish();
    if (leftOut_ != 0) noteDropped();
    return any;
}

void Packer::pack(std::string_view message) {
    if (isOpen() && message.size() > room()) finish();
    if (!isOpen()) begin(Form::events);
    open_.append(message);
}

void Packer::cut(std::string_view message) {
    if (isOpen()) finish();
    const std::size_t piece = contentRoom_ - fragmentHeadSize;
    Fragment fragment;
    fragment.size = static_cast<std::uint32_t>(message.size());
    fragment.count = static_cast<std::uint32_t>((message.size() + piece - 1) / piece);
    for (; fragment.index < fragment.count; ++fragment.index) {
        begin(Form::fragment);
        appendFragmentHead(open_, fragment);
        open_.append(message.substr(0, piece));
        message.remove_prefix(std::min(piece, message.size()));
        const bool last = fragment.index + 1 == fragment.count;
        finish(last ? fragment.size / restShare : 0);
        ++counts_.fragments;
    }
}

void Packer::noteDropped() {
    if (isOpen()) finish();
    begin(Form::dropped);
    appendDropped(open_, std::exchange(leftOut_, 0));
    finish();
}

void Packer::begin(Form form) {
    open_.reserve(datagramSize);
    Header header;
    header.type = Type::data;
    header.session = session_;
    appendHeader(open_, header);
    appendDataHead(open_, ++sequence_, host_, form);
}

void Packer::finish(std::uint64_t rest) {
    queue_.push(std::exchange(open_, {}), sequence_, rest);
}

}  // namespace netcluster::daemon::link
