// Fragments -> messages, for one sender. Fragments come in the order of their sequence numbers, so
// there is never more than one message under construction, and no map of holes. Pure.
//
// Memory grows with the bytes received, never with the size a fragment claims; all senders together
// share one MemoryBudget.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datagram.hpp"

namespace netcluster::daemon::link {

/// Bytes that the link holds for all senders: messages under construction and datagrams waiting for
/// one before them. Whoever takes gives back.
class MemoryBudget {
  public:
    explicit MemoryBudget(std::size_t limit) : limit_(limit) {}

    bool take(std::size_t bytes) {
        if (bytes > limit_ - used_) return false;
        used_ += bytes;
        return true;
    }
    void give(std::size_t bytes) { used_ -= bytes; }
    std::size_t used() const { return used_; }

  private:
    std::size_t limit_;
    std::size_t used_ = 0;
};

class Reassembler {
  public:
    enum class Result {
        more,      ///< taken, the message is not complete
        complete,  ///< `message()` is whole
        skipped,   ///< belongs to a message whose beginning is missing
        bad,       ///< does not fit what came before; the message is dropped
        noMemory,  ///< the budget is used up; the message is dropped
    };

    Reassembler(std::size_t maxMessage, MemoryBudget& budget);
    ~Reassembler();
    Reassembler(const Reassembler&) = delete;
    Reassembler& operator=(const Reassembler&) = delete;

    Result add(const Fragment& fragment);

    /// Valid after `complete`, until the next call of a member that is not const.
    std::string_view message() const { return buffer_; }

    /// Datagrams are missing here: what is under construction can never be completed.
    void missing();
    /// A datagram that is no fragment came: a message still under construction was broken off.
    void boundary();
    /// Back to the beginning, as for a sender never heard before.
    void reset();

    bool building() const { return state_ == State::building; }
    /// Messages dropped because a part was missing, bad or too much for the budget.
    std::uint64_t incomplete() const { return incomplete_; }

  private:
    enum class State {
        joining,   ///< nothing began since we listen: a first rest of a message is nobody's loss
        between,   ///< the next fragment must be a message's first
        building,  ///< `next_` is expected
        skipping,  ///< inside a message that is already counted as incomplete
        complete,  ///< the message is in the buffer until the next call
    };

    Result begin(const Fragment& fragment);
    Result append(const Fragment& fragment);
    bool grow(std::size_t needed);
    void drop();
    void release();

    std::size_t maxMessage_;
    MemoryBudget& budget_;
    State state_ = State::joining;
    std::uint32_t size_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t next_ = 0;
    std::string buffer_;
    std::size_t charged_ = 0;
    std::uint64_t incomplete_ = 0;
};

}  // namespace netcluster::daemon::link
