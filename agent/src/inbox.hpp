// Bytes from the daemon -> frames, in place. Owned by a Connection and used on its thread. Pure.
//
// The daemon takes a new connection for a 1.x client until it has seen the hello, so JSON packets
// may come before its preface: they are skipped, byte by byte, without being kept.
#pragma once

#include <memory>
#include <span>

#include "frame.hpp"

namespace netcluster {

class Inbox {
  public:
    enum class Next {
        frame,      ///< good until the next call of `room`
        nothing,    ///< more bytes are needed
        malformed,  ///< nothing after this can be trusted
    };

    /// Where to read to: at least `minRoom` bytes.
    std::span<char> room();
    /// `count` bytes have been read to there.
    void filled(std::size_t count);
    Next next(wire::FrameView& frame);
    /// The event that `next` has just given, with those behind it that are like it: they are taken.
    wire::EventRun takeRun(const wire::EventView& event);

    /// From the welcome.
    void setMaxEvent(std::size_t bytes) { maxFrame_ = bytes + wire::maxEventOverhead; }
    /// A new connection begins.
    void reset();

    /// Reason: a Unix socket hands over at most about 208 KiB at once. Pages that nothing was ever
    /// read to cost nothing.
    static constexpr std::size_t minRoom = std::size_t{256} << 10;
    /// A buffer that had to grow beyond this for a large event is given back after it.
    static constexpr std::size_t keptRoom = std::size_t{1} << 20;

  private:
    enum class State { packetStart, inPacket, frames };
    Next skipPackets();

    std::string_view unread() const { return {buffer_.get() + begin_, end_ - begin_}; }
    void moveTo(std::size_t size);

    State state_ = State::packetStart;
    std::unique_ptr<char[]> buffer_;
    std::size_t size_ = 0;   // of the buffer
    std::size_t begin_ = 0;  // of what is not consumed yet
    std::size_t end_ = 0;
    std::size_t maxFrame_ = wire::maxSmallFrame;
};

}  // namespace netcluster
