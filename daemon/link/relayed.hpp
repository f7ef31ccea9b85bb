// What a relay passes on: an event, a sign of life or a goodbye of another host, with who that is.
// docs/link-protocol.md draws the bytes. Pure.
//
// It travels in the relay's own stream as an event frame with a flag that no event has, so that a
// daemon that knows no relays drops it, counts it, and goes on behind it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "frame.hpp"

namespace netcluster::daemon::link {

inline constexpr std::uint8_t relayedFlag = 16;

/// How many relays one event may pass. Reason: a loop is stopped by what its hosts remember of each
/// origin (OriginWindow); this stops what they have forgotten. It is as much as the longest way
/// through a ring of 34 hosts one of which is down: more than half of what one link holds (64).
inline constexpr std::uint8_t maxHops = 32;

/// Of a relayed message beside what it holds: frame header, name of the origin, and 32 bytes.
inline constexpr std::size_t relayedOverhead = wire::eventHeader + maxHostName + 32;

struct Relayed {
    enum class Kind : std::uint8_t {
        event = 0,  ///< `content`: an event frame as the origin sent it
        alive = 1,  ///< `content`: the body of one of its heartbeats
        end = 2,    ///< its goodbye
    };
    Kind kind = Kind::event;
    std::uint8_t hops = 0;  ///< relays passed, this one included
    /// The event before it, of this origin, has the number `number - back`; 0: nobody knows.
    std::uint32_t back = 0;
    /// Of an event: its place in the origin's stream (see `eventNumber`). Of a sign of life: the
    /// datagram's packet number.
    std::uint64_t number = 0;
    wire::Uuid host{};     ///< of the origin; zero if it has not said yet
    wire::Uuid session{};  ///< of the origin
    std::string_view name;
    std::string_view content;
};

/// Where a message begins: its datagram's sequence number and how far into the content. All who
/// hear a host directly come to the same number, so it needs no bytes of its own. 0: none, for the
/// sequence is higher than any honest one.
constexpr std::uint64_t eventNumber(std::uint64_t sequence, std::size_t offset) {
    constexpr unsigned offsetBits = 11;
    static_assert(bodyRoom < std::size_t{1} << offsetBits);
    return sequence >> (63 - offsetBits) != 0 ? 0 : sequence << offsetBits | offset;
}

inline bool isRelayed(const wire::FrameView& message) {
    return message.type == wire::FrameType::event && (message.flags & relayedFlag) != 0;
}
/// Bad::none and `out` is filled, with views into the message; or what is wrong.
Bad readRelayed(const wire::FrameView& message, Relayed& out);
void appendRelayed(std::string& out, const Relayed& relayed);

}  // namespace netcluster::daemon::link
