// One datagram, as the network might bring it, through every reader that it can reach. What was
// read must lie within it and, written again, be the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "expect.hpp"
#include "message.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using netcluster::fuzz::expect;

namespace {

constexpr std::size_t maxEvent = 65536;

void within(std::string_view part, std::string_view whole) {
    if (part.empty()) return;
    expect(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size(),
           "a view lies within what was read");
}

void readMessages(std::string_view content) {
    while (!content.empty()) {
        const std::string_view before = content;
        wire::EventView event;
        const Bad bad = takeMessage(content, maxEvent, event);
        expect(content.size() < before.size(), "taking a message goes on");
        if (bad != Bad::none) continue;
        expect(!event.name.empty() && event.name.size() <= 255, "an event has a name");
        expect(!event.name.starts_with("nc-"), "no event from the net has a reserved name");
        expect(!event.channel.empty() && event.channel.size() <= 64, "an event has a channel");
        expect(event.payload.size() <= maxEvent, "an event is no larger than allowed");
        for (const auto part :
             {event.name, event.channel, event.payload, event.to, event.id, event.replyTo}) {
            within(part, before);
        }
    }
}

void readFragmentOf(std::string_view content) {
    Fragment fragment;
    if (readFragment(content, fragment) != Bad::none) return;
    within(fragment.bytes, content);
    expect(fragment.index < fragment.count, "a fragment is one of its message's");
    expect(fragment.bytes.size() <= fragment.size, "a fragment is no larger than its message");
    std::string again;
    appendFragmentHead(again, fragment);
    expect(content == again.append(fragment.bytes), "a fragment reads as it was written");
}

void readDroppedOf(std::string_view content) {
    std::uint32_t events = 0;
    if (readDropped(content, events) != Bad::none) return;
    std::string again;
    appendDropped(again, events);
    expect(content.starts_with(again), "a note on dropped events reads as it was written");
}

void readDataOf(std::string_view body) {
    Data data;
    if (readData(body, data) != Bad::none) return;
    within(data.host, body);
    within(data.content, body);
    expect(validHostName(data.host), "a host has a name fit for logs");
    std::string again;
    appendDataHead(again, data.sequence, data.host, data.form);
    expect(body == again.append(data.content), "DATA reads as it was written");
    switch (data.form) {
        case Form::events:
            return readMessages(data.content);
        case Form::fragment:
            return readFragmentOf(data.content);
        case Form::dropped:
            return readDroppedOf(data.content);
    }
}

void readHeartbeatOf(std::string_view body) {
    Heartbeat heartbeat;
    if (readHeartbeat(body, heartbeat) != Bad::none) return;
    within(heartbeat.name, body);
    within(heartbeat.version, body);
    expect(validHostName(heartbeat.name), "a host has a name fit for logs");
    std::string again;
    appendHeartbeat(again, heartbeat);
    expect(body.starts_with(again), "HEARTBEAT reads as it was written");
}

void readEndOf(std::string_view body) {
    std::uint64_t highest = 0;
    if (readEnd(body, highest) != Bad::none) return;
    std::string again;
    appendEnd(again, highest);
    expect(body.starts_with(again), "END reads as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view datagram(reinterpret_cast<const char*>(bytes), size);
    Header header;
    if (readHeader(datagram, header) != Bad::none) return 0;
    std::string again;
    appendHeader(again, header);
    expect(datagram.starts_with(again), "a header reads as it was written");
    const std::string_view body = datagram.substr(headerSize);
    switch (header.type) {
        case Type::data:
            readDataOf(body);
            break;
        case Type::heartbeat:
            readHeartbeatOf(body);
            break;
        case Type::end:
            readEndOf(body);
            break;
    }
    return 0;
}
