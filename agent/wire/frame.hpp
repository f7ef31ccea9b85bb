// The binary encoding: bytes <-> frames. docs/wire-protocol.md is the contract and draws every
// layout; this header names its parts. Pure: no sockets, clocks, threads or logging. Any thread.
//
// Frames are walked in place: a view points into the bytes it was read from and is good for as
// long as they stand still. All integers are little-endian, read byte by byte (no alignment).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "little_endian.hpp"
#include "text.hpp"

namespace netcluster::wire {

/// What a binary client sends before its first frame, and the daemon before its welcome. The first
/// byte can begin no JSON text and no UTF-8 sequence, so one byte tells the two encodings apart.
inline constexpr std::string_view preface = "\x89NC\n";
inline constexpr std::uint16_t protocolVersion = 1;

enum class FrameType : std::uint8_t {
    hello = 1,        ///< agent -> daemon, first frame
    welcome = 2,      ///< daemon -> agent, answer to hello
    event = 3,        ///< both ways
    subscribe = 4,    ///< agent -> daemon
    unsubscribe = 5,  ///< agent -> daemon
    sync = 6,         ///< agent -> daemon: answer when all before this is taken
    synced = 7,       ///< daemon -> agent
    gap = 8,          ///< daemon -> agent: events dropped at this point of the stream
    refused = 9,      ///< daemon -> agent: a request was refused; the connection lives on
    goodbye = 10,     ///< daemon -> agent: the connection ends, and why
    unwanted = 11,    ///< daemon -> agent: nobody else wants events of this name for now
};

inline constexpr std::size_t frameHeader = 8;   ///< length, type, flags, two spare bytes
inline constexpr std::size_t eventHeader = 28;  ///< the same plus sender and extension length

/// Largest frame that is not an event. Reason: a pattern or a reason fits, a flood does not.
inline constexpr std::size_t maxSmallFrame = 4096;
/// All extensions of an event together. Reason: three addresses of 1024 bytes, and a host's name.
inline constexpr std::size_t maxExtensions = 4096;
/// Largest name, channel and extensions an event may carry beside its data.
inline constexpr std::size_t maxEventOverhead = eventHeader + 255 + 64 + maxExtensions;
/// Longest `to`, `id` and `replyto`.
inline constexpr std::size_t maxAddress = 1024;

/// Flags of an event frame.
enum EventFlag : std::uint8_t {
    broadcastFlag = 1,  ///< to every channel and host that allows it
    bytesFlag = 2,      ///< the payload is opaque bytes, not JSON text
    hostOnlyFlag = 4,   ///< stays on the emitting host (scope `host`)
    remoteFlag = 8,     ///< came over the link; only the daemon may set it
};
inline constexpr std::uint8_t clientFlags = broadcastFlag | bytesFlag | hostOnlyFlag;

/// Tags of the extensions between channel and payload: tag u8, length u16, bytes.
enum class Extension : std::uint8_t { host = 1, to = 2, id = 3, replyTo = 4 };

/// One whole frame, in place.
struct FrameView {
    FrameType type{};
    std::uint8_t flags = 0;
    std::string_view whole;  ///< header and body
    std::string_view body;   ///< what follows the 8-byte header
};

/// What an event frame says. The views point into the frame it was read from.
struct EventView {
    std::uint8_t flags = 0;
    Uuid sender{};
    std::string_view name;
    std::string_view channel;
    std::string_view host;  ///< origin host; empty for an event of this host
    std::string_view to;
    std::string_view id;
    std::string_view replyTo;
    std::string_view payload;  ///< JSON text, or bytes when `bytesFlag` is set
    std::string_view whole;    ///< the frame's own bytes; empty if built by hand
    bool knownJson = false;    ///< somebody has seen that the payload is JSON

    bool broadcast() const { return flags & broadcastFlag; }
    bool bytes() const { return flags & bytesFlag; }
};

/// Events one behind the other in memory that differ in their sender and data alone: same flags,
/// name, channel and extensions. What is decided for the first holds for all, so a flood of one
/// name costs little more than its bytes.
struct EventRun {
    EventRun() = default;
    /// One event.
    explicit EventRun(const EventView& event) : first(event), frames(event.whole) {}
    /// The one of them whose frame this is.
    EventView event(std::string_view frame) const;

    EventView first;
    std::string_view frames;  ///< all of them, whole
    std::size_t count = 1;
};

struct Gap {
    std::uint64_t count = 0;
    std::uint64_t first = 0;  ///< sequence, among the events meant for this client, counted from 1
    std::uint64_t last = 0;
    bool operator==(const Gap&) const = default;
};

/// Bits of `capabilities`; unknown ones are ignored.
enum Capability : std::uint32_t {
    /// In the hello: the agent can make use of `unwanted` and of a shared counter. In the welcome:
    /// its first byte comes with the counter's descriptor.
    interestCapability = 1,
    /// In the hello: the agent wants to be told who comes and goes on the link and what the link
    /// could not bring (events whose names only the daemon may emit; <netcluster/control.hpp>). In
    /// the welcome: it will be.
    noticesCapability = 2,
};

struct Hello {
    std::uint16_t minVersion = protocolVersion;
    std::uint16_t maxVersion = protocolVersion;
    std::uint32_t capabilities = 0;
    std::string agent;  ///< name of the program, for showclient; at most 255 bytes
    bool operator==(const Hello&) const = default;
};

struct Welcome {
    std::uint16_t version = protocolVersion;
    std::uint32_t capabilities = 0;
    std::uint32_t maxEvent = 0;
    Uuid client{};
    std::string channel;
    std::string host;
    bool operator==(const Welcome&) const = default;
};

struct Subscription {
    std::uint32_t id = 0;
    std::string_view pattern;
    bool operator==(const Subscription&) const = default;
};

struct Refusal {
    std::uint32_t id = 0;  ///< the subscription refused, or 0
    std::string_view reason;
    bool operator==(const Refusal&) const = default;
};

/// Nobody but the agent itself wants events of this name, with just these of the flags broadcast
/// and hostOnly, as long as the shared counter shows this generation.
struct Unwanted {
    std::uint64_t generation = 0;
    std::uint8_t flags = 0;
    std::string_view name;
    bool operator==(const Unwanted&) const = default;
};
inline constexpr std::uint8_t reachFlags = broadcastFlag | hostOnlyFlag;

enum class Walk { frame, incomplete, malformed };

/// Of the whole frame that `bytes` begin with.
inline std::size_t frameSize(std::string_view bytes) {
    return std::size_t{loadLittle<std::uint32_t>(bytes.data())} + 4;
}

/// Looks at the start of `bytes`. `frame`: `out` is the first frame, whole. `incomplete`: more
/// bytes are needed (`needed` says how many the frame has in all, once its length is known).
/// `malformed`: the length is impossible; nothing after it can be trusted. `maxFrame` bounds
/// events, small frames have their own bound.
Walk nextFrame(std::string_view bytes, std::size_t maxFrame, FrameView& out,
               std::size_t* needed = nullptr);

/// Empty when the frame's parts overrun it or do not fit together. Does not look at the name's
/// text.
std::optional<EventView> readEvent(const FrameView& frame);
/// The first event and those behind it in `bytes`, which begin with it, that are alike. Events with
/// extensions, and those with more than `maxPayload` of data, are left for others to look at.
EventRun readRun(const EventView& first, std::string_view bytes, std::size_t maxPayload);
/// The first `count` of whole frames, or all of them.
std::string_view firstFrames(std::string_view frames, std::size_t count);
/// Calls `visit(frame)` for each frame of whole frames, `std::string_view` of its bytes.
template <typename Visit>
void forEachFrame(std::string_view frames, Visit visit) {
    while (!frames.empty()) {
        const std::size_t size = frameSize(frames);
        visit(frames.substr(0, size));
        frames.remove_prefix(size);
    }
}
/// The same event, its frame changed in place, as one that is no broadcast.
EventView withoutBroadcast(const EventView& event);
/// Overwrites the sender in each of these whole event frames, in place.
void stampSender(std::string_view frames, const Uuid& sender);

std::optional<Hello> readHello(const FrameView& frame);
std::optional<Welcome> readWelcome(const FrameView& frame);
std::optional<Subscription> readSubscribe(const FrameView& frame);
std::optional<std::uint32_t> readUnsubscribe(const FrameView& frame);
std::optional<std::uint64_t> readSync(const FrameView& frame);  ///< sync and synced
std::optional<Gap> readGap(const FrameView& frame);
std::optional<Refusal> readRefused(const FrameView& frame);
std::string_view readGoodbye(const FrameView& frame);
std::optional<Unwanted> readUnwanted(const FrameView& frame);

/// Each appends one frame to `out`. Text longer than its field allows is cut by the caller; names
/// and channels must be valid.
void appendEvent(std::string& out, const EventView& event);
void appendHello(std::string& out, const Hello& hello);
void appendWelcome(std::string& out, const Welcome& welcome);
void appendSubscribe(std::string& out, const Subscription& subscription);
void appendUnsubscribe(std::string& out, std::uint32_t id);
void appendSync(std::string& out, FrameType syncOrSynced, std::uint64_t token);
void appendGap(std::string& out, const Gap& gap);
void appendRefused(std::string& out, const Refusal& refusal);
void appendGoodbye(std::string& out, std::string_view reason);
void appendUnwanted(std::string& out, const Unwanted& unwanted);

}  // namespace netcluster::wire
