#include "backlog.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace netcluster::daemon {
namespace {

// Not a gap notice: of those there can be no more than of events.
bool isAnswer(const Backlog::Item& item) {
    return !item.isEvent && item.sequences == 0;
}

}  // namespace

void Backlog::append(std::string_view bytes, bool isEvent, std::uint32_t sequences) {
    items_.push_back({static_cast<std::uint32_t>(bytes.size()), sequences, isEvent});
    bytes_ += bytes.size();
    if (isAnswer(items_.back())) noticeBytes_ += bytes.size();
    while (!bytes.empty()) {
        if (blocks_.empty() || blocks_.back().used == blockSize) {
            blocks_.push_back({std::make_unique_for_overwrite<char[]>(blockSize), 0});
        }
        Block& block = blocks_.back();
        const std::size_t part = std::min(bytes.size(), blockSize - block.used);
        std::memcpy(block.bytes.get() + block.used, bytes.data(), part);
        block.used += part;
        bytes.remove_prefix(part);
    }
}

void Backlog::gather(std::vector<std::string_view>& pieces, std::size_t limit) const {
    std::size_t offset = blockOffset_;
    for (const Block& block : blocks_) {
        if (pieces.size() == limit) return;
        if (block.used > offset)
            pieces.emplace_back(block.bytes.get() + offset, block.used - offset);
        offset = 0;
    }
}

std::uint64_t Backlog::consume(std::size_t count) {
    dropBytes(count, nullptr);
    std::uint64_t sequences = 0;
    count += frontTaken_;
    while (!items_.empty() && count >= items_.front().size) {
        count -= items_.front().size;
        sequences += items_.front().sequences;
        popItem();
    }
    frontTaken_ = count;
    return sequences;
}

void Backlog::removeFront(std::string* into) {
    dropBytes(items_.front().size - frontTaken_, into);
    popItem();
    frontTaken_ = 0;
}

void Backlog::popItem() {
    if (isAnswer(items_.front())) noticeBytes_ -= items_.front().size;
    items_.pop_front();
}

void Backlog::dropBytes(std::size_t count, std::string* into) {
    bytes_ -= count;
    while (count != 0) {
        Block& block = blocks_.front();
        const std::size_t part = std::min(count, block.used - blockOffset_);
        if (into) into->append(block.bytes.get() + blockOffset_, part);
        blockOffset_ += part;
        count -= part;
        if (blockOffset_ == block.used && (blocks_.size() > 1 || block.used == blockSize)) {
            blocks_.pop_front();
            blockOffset_ = 0;
        }
    }
}

}  // namespace netcluster::daemon
