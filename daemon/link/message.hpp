// An event as the link carries it: the event frame of agent/wire without the host and without the
// flag that says "came over the link"; the receiver knows both from the datagram. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "frame.hpp"

namespace netcluster::daemon::link {

/// The event flags that travel between hosts. Any other in a received event refuses it: `hostOnly`
/// never leaves its host, and `remote` is the receiver's to say.
inline constexpr std::uint8_t travellingFlags = wire::broadcastFlag | wire::bytesFlag;

/// Largest message for events of up to `maxEvent` bytes of data.
constexpr std::size_t messageLimit(std::size_t maxEvent) {
    return maxEvent + wire::maxEventOverhead;
}

/// True when the event's own frame is a message as it stands.
bool isMessage(const wire::EventView& event);
/// Appends the event as a message.
void appendMessage(std::string& out, const wire::EventView& event);

/// Of a message that is one whole frame: an event that routing may see (a valid name that is not
/// reserved, a valid channel name, data that is JSON or marked as bytes and no larger than
/// `maxEvent`), or what is wrong with it.
Bad readMessage(const wire::FrameView& frame, std::size_t maxEvent, wire::EventView& event);
/// What readMessage asks of each event's data, whatever else is known.
Bad judgeData(const wire::EventView& event, std::size_t maxEvent);

}  // namespace netcluster::daemon::link
