// One sender's stream, from the contents of its datagrams in order back to messages. A message that
// lies in one datagram is handed on where it is; one that goes through several is put together
// here. Pure.
//
// Memory grows with the bytes received, never with the size a message claims; all senders together
// share one MemoryBudget.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "frame.hpp"

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

class StreamReader {
  public:
    class Out {
      public:
        virtual ~Out() = default;
        virtual void onMessage(const wire::FrameView& message) = 0;
        virtual void onBadStream(Bad reason) = 0;
    };

    /// `maxMessage`: bytes of the largest message.
    StreamReader(std::size_t maxMessage, MemoryBudget& budget, Out& out)
        : maxMessage_(maxMessage), budget_(budget), out_(out) {}
    ~StreamReader() { release(); }
    StreamReader(const StreamReader&) = delete;
    StreamReader& operator=(const StreamReader&) = delete;

    /// The content of the next datagram, where in it the first message begins (or noStart), and its
    /// sequence number.
    void read(std::string_view content, std::uint16_t start, std::uint64_t sequence = 0);
    /// Of the message being handed out: see eventNumber.
    std::uint64_t number() const { return number_; }
    /// Datagrams are missing here: what is under construction can never be completed.
    void missing();

    /// A message has begun and is not complete yet.
    bool unfinished() const { return !partial_.empty(); }
    /// Messages of which only a part came.
    std::uint64_t incomplete() const { return incomplete_; }

  private:
    std::string_view complete(std::string_view content);
    void readMessages(std::string_view content);
    std::uint64_t numberAt(const char* message) const;
    bool keep(std::string_view bytes);
    void lose(Bad reason);
    void release();

    std::size_t maxMessage_;
    MemoryBudget& budget_;
    Out& out_;
    bool lost_ = true;  ///< we do not know where we are: wait for a message's beginning
    std::string partial_;
    std::size_t charged_ = 0;
    std::uint64_t incomplete_ = 0;
    std::uint64_t sequence_ = 0;       ///< of the datagram being read
    const char* contentAt_ = nullptr;  ///< where its content begins
    std::uint64_t number_ = 0;
    std::uint64_t partialNumber_ = 0;
};

}  // namespace netcluster::daemon::link
