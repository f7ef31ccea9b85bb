// The sender's stream, cut into the bodies of DATA datagrams: those that wait to be sent, and
// behind them those that were sent and are kept to be sent again. One order, one memory; "sent" is
// a mark in it. Filled by Packer, emptied by Sender; pure.
//
// Bounded twice: what waits by `queueRoom`, what is kept by `repairRoom`. Bodies have places of one
// size, so that memory is what their number says, however little they hold.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

#include "datagram.hpp"

namespace netcluster::daemon::link {

class SendBuffer {
  public:
    /// Both in bytes of memory. At least one block is kept for repair.
    SendBuffer(std::size_t queueRoom, std::size_t repairRoom);

    /// Room for what waits, for events of up to `maxEvent` bytes. Reason: two of the largest events
    /// with what their datagrams add, because the second may come while the first is being sent;
    /// and 8 MiB, so that a burst of small events is smoothed and nobody held up for it.
    static std::size_t queueRoomFor(std::size_t maxEvent);

    // -- the newest body, under construction

    bool isOpen() const { return open_; }
    /// Begins one: it has the next sequence number.
    void begin();
    std::uint64_t openSequence() const { return highest_ + 1; }
    std::size_t openSize() const { return openSize_; }
    std::size_t room() const { return bodyRoom - openSize_; }
    /// The caller has asked `room`.
    void append(std::string_view bytes);
    /// Overwrites a u16 of it.
    void patch(std::size_t offset, std::uint16_t value);
    /// It may be sent from now on.
    void finish();

    // -- the others

    /// Bytes that more messages may take before what waits is too much.
    bool hasRoom(std::size_t bytes) const;
    /// True when senders that were held may go on. Reason for half: each then finds room for more
    /// than one read.
    bool drained() const { return waiting() <= queueLimit_ / 2; }
    std::uint64_t waiting() const { return highest_ - sent_; }
    /// Datagrams that may wait beside those that do.
    std::uint64_t free() const { return queueLimit_ - std::min(queueLimit_, waiting()); }
    std::uint64_t highest() const { return highest_; }  ///< the last one finished; 0: none
    std::uint64_t sent() const { return sent_; }        ///< the last one ever sent; 0: none
    std::uint64_t oldest() const { return oldest_; }    ///< the first still here, or the next
    bool holds(std::uint64_t sequence) const { return sequence >= oldest_ && sequence <= highest_; }
    std::string_view body(std::uint64_t sequence) const;
    /// When it was last sent again; far in the past if never.
    Time& repeated(std::uint64_t sequence);
    /// All up to `sequence` have been sent. The oldest may go to make room.
    void markSent(std::uint64_t sequence);

  private:
    static constexpr std::size_t perBlock = 64;
    struct Block {
        std::array<std::array<char, bodyRoom>, perBlock> bodies;
        std::array<std::uint16_t, perBlock> sizes{};
        std::array<Time, perBlock> repeated{};
    };

    Block& blockOf(std::uint64_t sequence) { return *blocks_[(sequence - 1) / perBlock - first_]; }
    const Block& blockOf(std::uint64_t sequence) const {
        return *blocks_[(sequence - 1) / perBlock - first_];
    }
    static std::size_t placeOf(std::uint64_t sequence) { return (sequence - 1) % perBlock; }

    std::uint64_t queueLimit_;  ///< bodies that may wait
    std::size_t repairBlocks_;  ///< blocks kept behind the one last sent from
    std::deque<std::unique_ptr<Block>> blocks_;
    std::unique_ptr<Block> spare_;  ///< the last one let go: the next one needed
    std::uint64_t first_ = 0;       ///< number of the first block that is here
    std::uint64_t oldest_ = 1;
    std::uint64_t sent_ = 0;
    std::uint64_t highest_ = 0;
    bool open_ = false;
    std::size_t openSize_ = 0;
};

}  // namespace netcluster::daemon::link
