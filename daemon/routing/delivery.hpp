// One event on its way to its receivers, and the memory of one turn.
#pragma once

#include <deque>
#include <string>

#include "frame.hpp"

namespace netcluster::daemon {

/// Strings that live until the end of the turn and are used again in the next: what has to be built
/// for an event (a frame from a packet, a packet from a frame) is built here, without an allocation
/// once warm. Loop thread only.
class TurnArena {
  public:
    std::string& next();
    void reset();

  private:
    // Kept from one turn to the next; a turn that needed more gives the rest back.
    static constexpr std::size_t maxKeptStrings = 1024;
    static constexpr std::size_t maxKeptBytes = std::size_t{1} << 20;

    std::deque<std::string> strings_;
    std::size_t used_ = 0;
};

/// Events while they are being delivered: one or a run of frames, and for one event its JSON
/// packet, made at most once and only when a JSON client is among the receivers. All bytes stand
/// still until the end of the turn.
class Delivery {
  public:
    Delivery(const wire::EventRun& events, TurnArena& arena) : events_(events), arena_(arena) {}

    const wire::EventView& first() const { return events_.first; }
    std::size_t count() const { return events_.count; }
    std::string_view frames() const { return events_.frames; }
    /// Of one event, with its NUL; empty when the payload is not the JSON it claims to be.
    std::string_view packet();
    /// True once `packet` has found that out.
    bool notJson() const { return packetState_ == PacketState::impossible; }

  private:
    enum class PacketState { unknown, made, impossible };

    const wire::EventRun& events_;
    TurnArena& arena_;
    PacketState packetState_ = PacketState::unknown;
    std::string_view packet_;
};

}  // namespace netcluster::daemon
