// The JSON encoding of netcluster 1.x: packets `{"event":…,"data":…}`, each ended by NUL.
// Pure; any thread. docs/wire-protocol.md has the grammar.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "frame.hpp"

namespace netcluster::wire {

/// Room for everything in a packet but its data. Reason: name, channel, addressing and white space
/// fit many times over.
inline constexpr std::size_t maxPacketOverhead = 16384;

/// What a client's packet says. `channel` and `emmiteruuid` are not here: the daemon stamps them.
struct Packet {
    std::string event;
    std::string_view data = "null";  ///< JSON text, in place
    bool broadcast = false;
    std::string to;
    std::string id;
    std::string replyTo;
};

struct PacketResult {
    std::optional<Packet> packet;
    std::string error;  ///< why there is none, with the byte position where that helps
};

/// `text` without its NUL.
PacketResult readPacket(std::string_view text);

/// Appends the packet and its NUL. False, and nothing appended, when the payload is not valid JSON
/// (a binary client wrote it; nobody has looked at it before).
[[nodiscard]] bool appendPacket(std::string& out, const EventView& event);
/// The gap notice for JSON clients: event `nc-gap`.
void appendGapPacket(std::string& out, const Gap& gap, std::string_view channel);
/// What a JSON client is told when an event of its own with `to` is refused, and its data.
inline constexpr std::string_view refusedNotice = "nc-refused";
std::string refusedText(std::string_view event, std::string_view why);
/// Why the connection ends, for JSON clients: event `nc-error`.
void appendErrorPacket(std::string& out, std::string_view reason, std::string_view channel);

}  // namespace netcluster::wire
