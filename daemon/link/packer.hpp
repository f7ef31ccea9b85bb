// Events -> the stream of messages, cut into DATA bodies: many small ones share a datagram, a large
// one goes through several, and every datagram but the last of a burst is full. Owned by Link;
// pure: what it makes goes into the SendBuffer.
//
// A datagram stays open for more events until somebody closes it: the end of the turn when nothing
// waits to be sent (no added delay), or, while the buffer is busy, the moment it runs empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "frame.hpp"
#include "send_buffer.hpp"

namespace netcluster::daemon::link {

class Packer {
  public:
    struct Counts {
        std::uint64_t events = 0;   ///< taken, of this host's own
        std::uint64_t dropped = 0;  ///< left out: there was no room, or too large
    };

    /// `host` must be a valid host name.
    Packer(std::string host, std::size_t maxEvent, SendBuffer& buffer);

    /// True when `events` would all be taken.
    bool hasRoom(const wire::EventRun& events) const;
    /// Takes those that there is room for and that are no larger than `maxEvent`; the others are
    /// left out, and a note in their place tells the receivers how many. Returns how many were.
    std::uint64_t add(const wire::EventRun& events);
    /// The same for what is passed on. False: it was left out.
    bool addRelayed(std::string_view message);

    /// Finishes the open datagram, and a note on events left out. False: there was none.
    bool close();

    const Counts& counts() const { return counts_; }

  private:
    bool addOne(std::string_view message, std::size_t limit);
    void write(std::string_view message);
    void noteDropped();
    void begin();

    std::string head_;  ///< what every DATA body begins with, its sequence number zero
    std::size_t maxMessage_;
    SendBuffer& buffer_;
    bool started_ = false;       ///< a message begins in the open datagram
    std::uint64_t leftOut_ = 0;  ///< events dropped since the last note
    std::string message_;        ///< an event that had to be written anew
    Counts counts_;
};

}  // namespace netcluster::daemon::link
