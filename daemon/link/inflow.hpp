// Events of other hosts on their way to the router: each message is judged, gets the sender's host
// and the mark that it came over the link, and is put behind those before it; events that differ in
// their data alone are handed on as one run. One per receiver, for all senders; pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datagram.hpp"
#include "frame.hpp"

namespace netcluster::daemon::link {

class Inflow {
  public:
    class Out {
      public:
        virtual ~Out() = default;
        /// The bytes stand still until `reset`.
        virtual void onEvents(const wire::EventRun& events) = 0;
    };

    Inflow(std::size_t maxEvent, Out& out) : maxEvent_(maxEvent), out_(out) {}

    /// Bad::none, or why the message is dropped.
    Bad add(const wire::FrameView& message, std::string_view host);
    /// Hands on what was added.
    void flush();
    /// What was handed on is done with.
    void reset();

  private:
    bool fitsModel(const wire::FrameView& message, std::string_view host) const;
    Bad setModel(const wire::FrameView& message, std::string_view host);
    void append(const wire::FrameView& message, std::string_view payload);

    std::size_t maxEvent_;
    Out& out_;
    std::vector<std::string> chunks_;  ///< the last one is being filled; none ever grows
    std::size_t runBegan_ = 0;         ///< in the last chunk
    std::size_t count_ = 0;            ///< of the run

    // What the last message was beside its sender and its data; the next is most often the same.
    std::string model_;  ///< as received: from type to name lengths, and from there to the data
    std::string host_;
    std::string head_;  ///< as handed on: all before the data
    std::uint8_t flags_ = 0;
};

}  // namespace netcluster::daemon::link
