// The datagrams of the link: bytes <-> header and bodies. docs/link-protocol.md draws every layout;
// this header names its parts. Pure: no sockets, clocks or logging.
//
// What is read here comes from anyone on the network: every length is compared with what is left
// before it is used, nothing is allocated from a claimed size, and what does not fit is named
// (Bad), counted by the caller and never answered. Views point into the datagram they were read
// from.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "text.hpp"

namespace netcluster::daemon::link {

/// Time as the link's rules see it; tests hand in a clock of their own.
using Time = std::chrono::steady_clock::time_point;

inline constexpr std::string_view magic = "NC";
inline constexpr std::uint8_t linkVersion = 1;

inline constexpr std::size_t headerSize = 32;
/// Left free at the end of every datagram for the authentication tag that a key will add.
inline constexpr std::size_t tagSize = 16;
/// A whole datagram with its tag. Reason: IPv6 carries 1,280 bytes everywhere, less 40 for its
/// header and 8 for UDP; so no router and no tunnel ever has to cut one.
inline constexpr std::size_t datagramSize = 1232;
inline constexpr std::size_t bodyRoom = datagramSize - headerSize - tagSize;

/// Longest host name on the link. Reason: what a DNS label allows, and every DATA carries it.
inline constexpr std::size_t maxHostName = 64;
inline constexpr std::size_t maxVersionText = 64;
/// Sequence and packet numbers stay below this, so that adding to one never wraps.
inline constexpr std::uint64_t numberLimit = std::uint64_t{1} << 63;

enum class Type : std::uint8_t {
    data = 1,
    heartbeat = 2,
    end = 7,  ///< 3 to 6 are kept for repair and for keys
};

struct Header {
    Type type = Type::data;
    wire::Uuid session{};
    std::uint64_t packet = 0;  ///< +1 for every datagram of a session, of any type; starts at 1
};

/// What a DATA body holds after its sequence number and host name.
enum class Form : std::uint8_t {
    events = 1,    ///< whole events, back to back
    fragment = 2,  ///< one piece of an event too large for a datagram
    dropped = 3,   ///< the sender's own queue was full here: how many events it left out
};

struct Data {
    std::uint64_t sequence = 0;  ///< one per DATA datagram; starts at 1; its place in the order
    std::string_view host;
    Form form = Form::events;
    std::string_view content;
};

struct Fragment {
    std::uint32_t size = 0;   ///< of the whole message
    std::uint32_t index = 0;  ///< from 0
    std::uint32_t count = 0;
    std::string_view bytes;
};

struct Heartbeat {
    std::uint64_t highest = 0;  ///< last sequence number sent; 0 before the first
    std::uint64_t uptime = 0;   ///< milliseconds since the link was opened
    wire::Uuid host{};
    std::string_view name;
    std::string_view version;
};

/// Why a datagram, or an event in it, was not used.
enum class Bad : std::uint8_t {
    none,
    truncated,     ///< longer than any datagram of this protocol
    tooShort,      ///< no room for a header
    foreign,       ///< does not begin with the magic
    version,       ///< of another protocol version
    type,          ///< of a type this version does not know
    flags,         ///< a flag or a spare byte is set
    encrypted,     ///< names a key; this daemon has none
    number,        ///< packet or sequence number 0 or beyond the limit
    body,          ///< lengths in the body do not fit, or an unknown form
    hostName,      ///< no printable UTF-8 of 1 to 64 bytes, or not the name the session began with
    fragment,      ///< fragments of one message that disagree
    event,         ///< the bytes are no event frame, or carry flags that never travel
    eventName,     ///< not 1 to 255 bytes of UTF-8 without NUL
    reservedName,  ///< begins with "nc-"
    channel,       ///< no channel name
    tooLarge,      ///< more data than `maxevent`
    json,          ///< the data is neither JSON nor marked as bytes
    tooManySessions,  ///< a new session while all places are taken by live ones
    noMemory,         ///< a message given up because the link's memory was in use
    afterEnd,         ///< sent after the session said END
};
inline constexpr std::size_t badReasons = static_cast<std::size_t>(Bad::afterEnd) + 1;
std::string_view badName(Bad reason);

/// How often each reason came up; index by `static_cast<std::size_t>(reason)`.
using BadCounts = std::array<std::uint64_t, badReasons>;

/// 1 to 64 bytes of UTF-8 without control characters: fit for logs and for JSON.
bool validHostName(std::string_view name);

/// Each returns Bad::none and fills `out`, or says what is wrong and leaves `out` half filled.
Bad readHeader(std::string_view datagram, Header& out);
Bad readData(std::string_view body, Data& out);
Bad readFragment(std::string_view content, Fragment& out);
Bad readDropped(std::string_view content, std::uint32_t& events);
Bad readHeartbeat(std::string_view body, Heartbeat& out);
Bad readEnd(std::string_view body, std::uint64_t& highest);

/// Each appends to a datagram under construction, which begins with its header.
void appendHeader(std::string& out, const Header& header);
void appendDataHead(std::string& out, std::uint64_t sequence, std::string_view host, Form form);
/// What stands before a fragment's bytes.
void appendFragmentHead(std::string& out, const Fragment& fragment);
void appendDropped(std::string& out, std::uint32_t events);
void appendHeartbeat(std::string& out, const Heartbeat& heartbeat);
void appendEnd(std::string& out, std::uint64_t highest);

/// Bytes of a DATA body before its content, and of a fragment's head within the content.
constexpr std::size_t dataHeadSize(std::string_view host) {
    return 8 + 1 + host.size() + 1;
}
inline constexpr std::size_t fragmentHeadSize = 12;

/// Writes the packet number into a finished datagram, just before it is sent.
void stampPacket(std::string& datagram, std::uint64_t packet);

}  // namespace netcluster::daemon::link
