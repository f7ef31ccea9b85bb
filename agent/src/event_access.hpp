// How the library makes Events, and keeps one for later. Pure; any thread.
#pragma once

#include <memory>
#include <netcluster/event.hpp>

#include "frame.hpp"

namespace netcluster {

/// What an Event of this process is made of. Everything is viewed, not copied, and must outlive
/// the Event.
struct LocalEvent {
    std::string_view name;
    std::string_view channel;
    const Json* data = nullptr;  ///< or, when null, opaque bytes:
    std::string_view bytes;
    const wire::Uuid* sender = nullptr;  ///< null before the first connect
    bool broadcast = false;
    std::string_view to;
    std::string_view id;
    std::string_view replyTo;
};

// Here, to be compiled into the emit.
inline Event::Event(const LocalEvent& from)
    : name_(from.name),
      channel_(from.channel),
      to_(from.to),
      id_(from.id),
      replyTo_(from.replyTo),
      payload_(from.bytes),
      value_(from.data),
      senderBytes_(from.sender ? from.sender->data() : nullptr),
      isBytes_(from.data == nullptr),
      broadcast_(from.broadcast),
      local_(true) {}

class EventAccess {
  public:
    static Event local(const LocalEvent& from) { return Event(from); }
    static Event blank() { return Event(); }
    static void fill(Event& event, const wire::EventView& from);
    /// As filled before, with other data.
    static void refill(Event& event, std::string_view payload) {
        event.payload_ = payload;
        event.made_.reset();
    }
};

/// An event of another process, copied out of the read buffer for listeners that run later.
class KeptEvent {
  public:
    explicit KeptEvent(const wire::EventView& event);

    const wire::EventView& view() const { return view_; }
    std::size_t size() const { return frame_.size(); }

  private:
    std::string frame_;
    wire::EventView view_;  // into frame_
};

}  // namespace netcluster
