// The datagrams of the link: bytes <-> header and bodies. docs/link-protocol.md draws every layout;
// this header names its parts. Pure: no sockets, clocks or logging.
//
// What is read here comes from anyone on the network: every length is compared with what is left
// before it is used, nothing is allocated from a claimed size, and what does not fit is named
// (Bad) and counted by the caller. Views point into the datagram they were read from.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text.hpp"

namespace netcluster::daemon::link {

/// Time as the link's rules see it; tests hand in a clock of their own.
using Time = std::chrono::steady_clock::time_point;

inline constexpr std::string_view magic = "NC";
inline constexpr std::uint8_t linkVersion = 2;

inline constexpr std::size_t headerSize = 32;
inline constexpr std::size_t keyIdOffset = 4;
inline constexpr std::size_t sessionOffset = 8;
inline constexpr std::size_t packetOffset = 24;
/// The authentication tag at the end of every datagram when there is a key.
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
    nak = 3,
    status = 4,
    challenge = 5,
    proof = 6,
    end = 7,
    probe = 8,
    echo = 9,
};

struct Header {
    Type type = Type::data;
    std::uint16_t keyId = 0;  ///< 0: not encrypted
    wire::Uuid session{};
    std::uint64_t packet = 0;  ///< +1 for every datagram of a session, of any type; starts at 1
    /// DATA that was sent before: nobody joins a session by one, for it may be of the past.
    bool repeated = false;
};

/// `Data::start` of a datagram in which no message begins.
inline constexpr std::uint16_t noStart = 0xFFFF;

/// A piece of the sender's stream of messages.
struct Data {
    std::uint64_t sequence = 0;  ///< one per DATA datagram; starts at 1; its place in the order
    std::string_view host;
    std::uint16_t start = noStart;  ///< where in the content the first message begins
    std::string_view content;
};

/// What a daemon says about itself, about once a second and behind a burst of DATA.
struct Heartbeat {
    std::uint64_t highest = 0;  ///< last sequence number sent; 0 before the first
    std::uint64_t oldest = 1;   ///< lowest one that can still be repeated
    std::uint64_t uptime = 0;   ///< milliseconds since the link was opened
    wire::Uuid host{};
    bool wantsStatus = false;  ///< the sender is held up: say where you are
    std::string_view name;
    std::string_view version;

    std::uint64_t clock = 0;  ///< the host's wall clock, milliseconds since 1970
    std::uint32_t load = 0;   ///< 1-minute load average, in hundredths
    std::uint32_t cpus = 0;
    std::uint64_t memoryTotal = 0;  ///< bytes, as are the next two
    std::uint64_t memoryAvailable = 0;
    std::uint64_t rss = 0;                   ///< of the daemon
    std::uint32_t clients = 0;               ///< connections to the daemon
    std::vector<std::uint64_t> heard;        ///< sessions it hears: the first 8 bytes of each
    std::vector<std::string_view> channels;  ///< its data channels, as many as there is room for
};

/// Sequence numbers, the last included.
struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t count() const { return last - first + 1; }
    bool operator==(const Range&) const = default;
};

/// Ranges in one NAK. Reason: all that fit beside its head, with room to spare.
inline constexpr std::size_t maxNakRanges = 64;
/// "Send these again": a receiver to one sender; others hear it and keep quiet for a while.
struct Nak {
    wire::Uuid target{};
    std::vector<Range> ranges;
};

/// "I have all below `next`, and room for `window` datagrams from there."
struct Status {
    wire::Uuid target{};
    std::uint64_t next = 0;
    std::uint32_t window = 0;
    bool operator==(const Status&) const = default;
};
inline constexpr std::size_t maxStatuses = 40;

using Nonce = std::array<std::uint8_t, 16>;
/// "Are you alive, or a recording?" `target` answers with a PROOF that holds the nonce.
struct Challenge {
    wire::Uuid target{};
    Nonce nonce{};
};
inline constexpr std::size_t maxProofs = 32;

/// A question for reach and time (`ncctl doctor`), and its answer of the same size.
struct Probe {
    std::uint64_t id = 0;
    wire::Uuid target{};      ///< ECHO only: who asked
    std::uint64_t clock = 0;  ///< ECHO only: the answering host's, milliseconds since 1970
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
    notEncrypted,  ///< names no key; this daemon has one
    unknownKey,    ///< names a key this daemon does not have
    forged,        ///< its tag is wrong: another key of that id, or not from one of us
    replayed,      ///< a session that could not prove that it is alive
    number,        ///< packet or sequence number 0 or beyond the limit
    body,          ///< lengths in the body do not fit
    hostName,      ///< no printable UTF-8 of 1 to 64 bytes, or not the host its session began with
    event,         ///< the bytes are no event frame, or carry flags that never travel
    eventName,     ///< not 1 to 255 bytes of UTF-8 without NUL
    reservedName,  ///< begins with "nc-"
    channel,       ///< no channel name
    tooLarge,      ///< more data than `maxevent`
    json,          ///< the data is neither JSON nor marked as bytes
    tooManySessions,  ///< a new session while all places are taken by live ones
    noMemory,         ///< a message given up because the link's memory was in use
    afterEnd,         ///< sent after the session said END
    relayed,          ///< what a relay passed on does not fit together
};
inline constexpr std::size_t badReasons = static_cast<std::size_t>(Bad::relayed) + 1;
std::string_view badName(Bad reason);
/// The same for people, as the end of a sentence.
std::string_view badMeaning(Bad reason);

/// How often each reason came up; index by `static_cast<std::size_t>(reason)`.
using BadCounts = std::array<std::uint64_t, badReasons>;

/// 1 to 64 bytes of UTF-8 without control characters: fit for logs and for JSON.
bool validHostName(std::string_view name);

/// Each returns Bad::none and fills `out`, or says what is wrong and leaves `out` half filled.
Bad readHeader(std::string_view datagram, Header& out);
Bad readData(std::string_view body, Data& out);
Bad readHeartbeat(std::string_view body, Heartbeat& out);
Bad readNak(std::string_view body, Nak& out);
Bad readStatus(std::string_view body, std::vector<Status>& out);
Bad readChallenge(std::string_view body, Challenge& out);
Bad readProof(std::string_view body, std::vector<Nonce>& out);
Bad readEnd(std::string_view body, std::uint64_t& highest);
Bad readProbe(std::string_view body, Probe& out);
Bad readEcho(std::string_view body, Probe& out);

/// Each appends to a datagram under construction, which begins with its header. Never more than
/// there is room for: lists are cut.
void appendHeader(std::string& out, const Header& header);
void appendHeartbeat(std::string& out, const Heartbeat& heartbeat);
void appendNak(std::string& out, const wire::Uuid& target, const std::vector<Range>& ranges);
void appendStatus(std::string& out, const std::vector<Status>& statuses);
void appendChallenge(std::string& out, const Challenge& challenge);
void appendProof(std::string& out, const std::vector<Nonce>& nonces);
void appendEnd(std::string& out, std::uint64_t highest);
void appendProbe(std::string& out, std::uint64_t id, std::size_t bodySize);
void appendEcho(std::string& out, const Probe& echo, std::size_t bodySize);

/// What stands in a DATA body before its content, `start` being written later.
void appendDataHead(std::string& out, std::uint64_t sequence, std::string_view host);
constexpr std::size_t dataHeadSize(std::string_view host) {
    return 8 + 1 + host.size() + 2;
}

/// The first 8 bytes of a session: how heartbeats name those they hear.
std::uint64_t sessionPrefix(const wire::Uuid& session);

}  // namespace netcluster::daemon::link
