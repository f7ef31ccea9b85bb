#include "message.hpp"

#include <netcluster/control.hpp>

#include <algorithm>

#include "json_scan.hpp"

namespace netcluster::daemon::link {
namespace {

// The rule of config::validChannelName, without making a string of every event's channel.
bool validChannel(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= wire::maxChannelName && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

bool isMessage(const wire::EventView& event) {
    return !event.whole.empty() && event.host.empty() && (event.flags & ~travellingFlags) == 0;
}

void appendMessage(std::string& out, const wire::EventView& event) {
    wire::EventView bare = event;
    bare.flags &= travellingFlags;
    bare.host = {};
    wire::appendEvent(out, bare);
}

Bad judgeData(const wire::EventView& event, std::size_t maxEvent) {
    if (event.payload.size() > maxEvent) return Bad::tooLarge;
    // No data at all is allowed; anything else that claims to be JSON must be.
    const bool good = event.bytes() || event.payload.empty() || wire::validJson(event.payload);
    return good ? Bad::none : Bad::json;
}

Bad readMessage(const wire::FrameView& frame, std::size_t maxEvent, wire::EventView& event) {
    const auto read = wire::readEvent(frame);
    if (!read) return Bad::event;
    event = *read;
    event.host = {};  // the datagram says where it comes from
    if ((event.flags & ~travellingFlags) != 0) return Bad::event;
    if (!wire::validEventName(event.name)) return Bad::eventName;
    if (!validChannel(event.channel)) return Bad::channel;
    const bool ofDaemon =
        event.channel == control::channel && control::isBetweenDaemons(event.name);
    if (event.name.starts_with(wire::reservedPrefix) && !ofDaemon) return Bad::reservedName;
    // The addresses end up in JSON packets of 1.x clients.
    for (const std::string_view text : {event.to, event.id, event.replyTo}) {
        if (!wire::validUtf8(text)) return Bad::event;
    }
    return judgeData(event, maxEvent);
}

}  // namespace netcluster::daemon::link
