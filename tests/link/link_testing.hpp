// What the link's tests share: events by the dozen, datagrams by hand, and a witness that remembers
// what a receiver said.
#pragma once

#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "datagram.hpp"
#include "frame.hpp"
#include "remote.hpp"

namespace netcluster::daemon::link {

inline std::ostream& operator<<(std::ostream& out, Bad reason) {
    return out << badName(reason);
}

inline std::ostream& operator<<(std::ostream& out, const Range& range) {
    return out << range.first << "-" << range.last;
}

inline wire::Uuid uuidOf(std::uint8_t filler) {
    wire::Uuid uuid;
    uuid.fill(filler);
    return uuid;
}

inline wire::EventView eventNamed(std::string_view name, std::string_view payload) {
    wire::EventView event;
    event.sender = uuidOf(7);
    event.name = name;
    event.channel = "A";
    event.payload = payload;
    return event;
}

inline wire::EventView bytesNamed(std::string_view name, std::string_view payload) {
    wire::EventView event = eventNamed(name, payload);
    event.flags = wire::bytesFlag;
    return event;
}

/// The event's frame, as a client sends it and as it crosses the link.
inline std::string frameOf(const wire::EventView& event) {
    std::string bytes;
    wire::appendEvent(bytes, event);
    return bytes;
}

/// Whole event frames of one kind, as a session hands them in.
inline wire::EventRun runOf(std::string_view frames) {
    wire::FrameView frame;
    wire::nextFrame(frames, frames.size(), frame);
    return wire::readRun(*wire::readEvent(frame), frames, frames.size());
}

/// `size` bytes that no neighbouring offset repeats, so that a piece out of place is noticed.
inline std::string patterned(std::size_t size) {
    std::string bytes(size, '\0');
    std::minstd_rand random(static_cast<unsigned>(size) + 1);
    for (char& byte : bytes) byte = static_cast<char>(random() >> 8);
    return bytes;
}

inline Endpoint somewhere() {
    return {boost::asio::ip::make_address("192.0.2.1"), 4454};
}

/// Remembers, in order, what a receiver tells.
struct Witness : ReceiverEvents {
    struct Event {
        std::string name, payload, host, channel;
        bool operator==(const Event&) const = default;
    };

    void onEvents(const wire::EventRun& events) override {
        ++runs;
        std::size_t count = 0;
        wire::forEachFrame(events.frames, [&](std::string_view frame) {
            const wire::EventView event = events.event(frame);
            heard.push_back({std::string(event.name), std::string(event.payload),
                             std::string(event.host), std::string(event.channel)});
            said += heard.back().name + " ";
            ++count;
        });
        honest = honest && count == events.count;
    }
    void onGap(const Remote& remote, const GapReport& gap) override {
        gaps.push_back(gap);
        said += "gap:" + remote.name() + ":" + std::string(gapName(gap.why)) + " ";
    }
    void onBad(Bad reason) override { bad.push_back(reason); }
    void onHostOnline(const Remote& remote) override { said += "+" + remote.name() + " "; }
    void onHostExpired(const Remote& remote, std::string_view why) override {
        said += "-" + remote.name() + ":" + std::string(why) + " ";
    }

    std::string said;  ///< names of events and hosts, in the order in which they came
    std::vector<Event> heard;
    std::vector<GapReport> gaps;
    std::vector<Bad> bad;
    std::size_t runs = 0;
    bool honest = true;  ///< each run held as many events as it said
};

}  // namespace netcluster::daemon::link
