// What one client is owed and the kernel would not take yet: bytes in order, cut into items
// (events, and notices that are never dropped). Plain data structure: no socket, no clock. Exists
// only while there is something in it; an idle client has none.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

namespace netcluster::daemon {

class Backlog {
  public:
    struct Item {
        std::uint32_t size = 0;
        /// How many events of the client's stream it stands for: 1 for an event, for a gap notice
        /// those it tells of, 0 for any other notice.
        std::uint32_t sequences = 0;
        bool isEvent = false;
    };
    /// Charged per item beside its bytes, so that many tiny events cannot outgrow the cap.
    static constexpr std::size_t itemCost = sizeof(Item);

    void append(std::string_view bytes, bool isEvent, std::uint32_t sequences);

    bool empty() const { return items_.empty(); }
    std::size_t bytes() const { return bytes_; }
    /// Of notices that are no gap notices.
    std::size_t noticeBytes() const { return noticeBytes_; }
    std::size_t cost() const { return bytes_ + items_.size() * itemCost; }

    /// The bytes from the front, in at most `limit` pieces.
    void gather(std::vector<std::string_view>& pieces, std::size_t limit) const;
    /// The first `count` bytes have been written. Returns the sequences that completed.
    std::uint64_t consume(std::size_t count);

    /// True when the first item has been written in part: it must be finished, never dropped.
    bool frontIsPartial() const { return frontTaken_ != 0; }
    const Item& front() const { return items_.front(); }
    /// Takes what is left of the first item off the front. Appended to `into` unless null.
    void removeFront(std::string* into);

  private:
    // Reason: large enough to make one system call worth its while, small enough that the unused
    // rest of a block does not matter beside the cap.
    static constexpr std::size_t blockSize = std::size_t{64} << 10;

    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t used = 0;
    };
    void popItem();
    void dropBytes(std::size_t count, std::string* into);

    std::deque<Block> blocks_;
    std::deque<Item> items_;
    std::size_t blockOffset_ = 0;  // into the first block
    std::size_t frontTaken_ = 0;   // bytes of the first item that are gone already
    std::size_t bytes_ = 0;
    std::size_t noticeBytes_ = 0;
};

}  // namespace netcluster::daemon
