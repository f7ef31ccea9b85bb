// Events -> DATA datagrams: many small ones share a datagram, a large one is cut into fragments.
// Gives out the sequence numbers. Owned by Link; pure: what it finishes goes into the
// DatagramQueue.
//
// A datagram stays open for more events until somebody closes it: the end of the turn when nothing
// waits to be sent (no added delay), or, while the queue is busy, the moment the queue runs empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "datagram_queue.hpp"
#include "frame.hpp"

namespace netcluster::daemon::link {

class Packer {
  public:
    struct Counts {
        std::uint64_t events = 0;     ///< taken
        std::uint64_t fragments = 0;  ///< datagrams that hold one
        std::uint64_t dropped = 0;    ///< events refused: the queue was full, or too large
    };

    /// `host` must be a valid host name.
    Packer(const wire::Uuid& session, std::string host, std::size_t maxEvent, DatagramQueue& queue);

    /// False: the queue has no room for the whole event, or it is larger than `maxEvent`. It is
    /// left out, and a note in its place will tell the receivers how many are missing.
    bool add(const wire::EventView& event);

    /// Puts the open datagram, and a note on events left out, into the queue. False: there was
    /// none.
    bool close();

    const Counts& counts() const { return counts_; }

  private:
    void pack(std::string_view message);
    void cut(std::string_view message);
    void noteDropped();
    void begin(Form form);
    void finish(std::uint64_t rest = 0);
    std::size_t room() const { return headerSize + bodyRoom - open_.size(); }
    bool isOpen() const { return !open_.empty(); }

    wire::Uuid session_;
    std::string host_;
    std::size_t maxEvent_;
    DatagramQueue& queue_;
    std::size_t contentRoom_;  ///< of a datagram that holds nothing yet
    std::uint64_t sequence_ = 0;
    std::uint32_t leftOut_ = 0;  ///< events dropped since the last note
    std::string open_;           ///< the datagram under construction, header included
    std::string message_;        ///< the event being added; kept for its capacity
    Counts counts_;
};

}  // namespace netcluster::daemon::link
