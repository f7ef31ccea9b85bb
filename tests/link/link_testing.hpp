// What the link's tests share: events by the dozen, and a witness that remembers what a receiver
// said.
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

    void onEvent(const wire::EventView& event) override {
        events.push_back({std::string(event.name), std::string(event.payload),
                          std::string(event.host), std::string(event.channel)});
    }
    void onGap(const GapReport& gap) override {
        ++gaps;
        if (gap.why == GapReport::Why::lost) {
            lost += gap.count;
            firstLost = gap.first;
            lastLost = gap.last;
        } else {
            droppedByHost += gap.count;
        }
    }
    void onBad(Bad reason) override { bad.push_back(reason); }
    void onHostOnline(std::string_view host, const Endpoint&) override {
        hosts.push_back("+" + std::string(host));
    }
    void onHostGone(std::string_view host, std::string_view) override {
        hosts.push_back("-" + std::string(host));
    }

    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const Event& event : events) all.push_back(event.name);
        return all;
    }

    std::vector<Event> events;
    std::vector<Bad> bad;
    std::vector<std::string> hosts;
    std::uint64_t gaps = 0;
    std::uint64_t lost = 0;
    std::uint64_t firstLost = 0;
    std::uint64_t lastLost = 0;
    std::uint64_t droppedByHost = 0;
};

}  // namespace netcluster::daemon::link
