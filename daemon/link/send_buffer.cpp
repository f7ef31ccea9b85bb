#include "send_buffer.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "little_endian.hpp"
#include "message.hpp"

namespace netcluster::daemon::link {

SendBuffer::SendBuffer(std::size_t queueRoom, std::size_t repairRoom)
    : queueLimit_(queueRoom / bodyRoom),
      repairBlocks_(std::max<std::size_t>(1, repairRoom / sizeof(Block))) {}

std::size_t SendBuffer::queueRoomFor(std::size_t maxEvent) {
    const std::size_t largest = messageLimit(maxEvent);
    return std::max(std::size_t{8} << 20, 2 * (largest + largest / 8));
}

void SendBuffer::begin() {
    assert(!open_);
    if (placeOf(highest_ + 1) == 0) {
        blocks_.push_back(spare_ ? std::move(spare_) : std::make_unique_for_overwrite<Block>());
    }
    open_ = true;
    openSize_ = 0;
}

void SendBuffer::append(std::string_view bytes) {
    assert(open_ && bytes.size() <= room());
    char* body = blockOf(highest_ + 1).bodies[placeOf(highest_ + 1)].data();
    std::memcpy(body + openSize_, bytes.data(), bytes.size());
    openSize_ += bytes.size();
}

void SendBuffer::patch(std::size_t offset, std::uint16_t value) {
    assert(open_ && offset + sizeof value <= openSize_);
    wire::storeLittle(blockOf(highest_ + 1).bodies[placeOf(highest_ + 1)].data() + offset, value);
}

void SendBuffer::finish() {
    assert(open_);
    ++highest_;
    Block& block = blockOf(highest_);
    block.sizes[placeOf(highest_)] = static_cast<std::uint16_t>(openSize_);
    block.repeated[placeOf(highest_)] = {};
    open_ = false;
    openSize_ = 0;
}

bool SendBuffer::hasRoom(std::size_t bytes) const {
    // Every datagram but the first carries at least this much of a message.
    constexpr std::size_t least = bodyRoom - dataHeadSize({}) - maxHostName;
    return waiting() + (openSize_ + bytes) / least + 1 <= queueLimit_;
}

std::string_view SendBuffer::body(std::uint64_t sequence) const {
    assert(holds(sequence));
    const Block& block = blockOf(sequence);
    return {block.bodies[placeOf(sequence)].data(), block.sizes[placeOf(sequence)]};
}

Time& SendBuffer::repeated(std::uint64_t sequence) {
    return blockOf(sequence).repeated[placeOf(sequence)];
}

void SendBuffer::markSent(std::uint64_t sequence) {
    sent_ = std::max(sent_, sequence);
    const std::uint64_t current = sent_ == 0 ? 0 : (sent_ - 1) / perBlock;
    while (current - first_ > repairBlocks_) {
        spare_ = std::move(blocks_.front());
        blocks_.pop_front();
        ++first_;
        oldest_ = first_ * perBlock + 1;
    }
}

}  // namespace netcluster::daemon::link
