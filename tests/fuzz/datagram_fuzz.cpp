// One datagram, as the network might bring it, through every reader that it can reach. What was
// read must lie within it and, written again, be the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
    wire::FrameView frame;
    while (wire::nextFrame(content, messageLimit(maxEvent), frame) == wire::Walk::frame) {
        within(frame.whole, content);
        content.remove_prefix(frame.whole.size());
        wire::EventView event;
        if (frame.type != wire::FrameType::event) continue;
        if (readMessage(frame, maxEvent, event) != Bad::none) continue;
        expect(!event.name.empty() && event.name.size() <= 255, "an event has a name");
        expect(!event.name.starts_with("nc-") || event.channel == "control",
               "no event for clients has a reserved name");
        expect(!event.channel.empty() && event.channel.size() <= 64, "an event has a channel");
        expect(event.payload.size() <= maxEvent, "an event is no larger than allowed");
        for (const auto part :
             {event.name, event.channel, event.payload, event.to, event.id, event.replyTo}) {
            within(part, frame.whole);
        }
    }
}

void readDataOf(std::string_view body) {
    Data data;
    if (readData(body, data) != Bad::none) return;
    within(data.host, body);
    within(data.content, body);
    expect(validHostName(data.host), "a host has a name fit for logs");
    std::string again;
    appendDataHead(again, data.sequence, data.host);
    expect(again.size() == dataHeadSize(data.host), "a head is as long as it says");
    expect(body.starts_with(again.substr(0, again.size() - sizeof data.start)),
           "DATA reads as it was written");
    expect(body.substr(again.size()) == data.content, "behind its head comes its content");
    if (data.start == noStart) return;
    expect(data.start < data.content.size(), "a message begins within the content");
    readMessages(data.content.substr(data.start));
}

void readHeartbeatOf(std::string_view body) {
    Heartbeat heartbeat;
    if (readHeartbeat(body, heartbeat) != Bad::none) return;
    within(heartbeat.name, body);
    within(heartbeat.version, body);
    for (const std::string_view channel : heartbeat.channels) within(channel, body);
    expect(validHostName(heartbeat.name), "a host has a name fit for logs");
    expect(heartbeat.oldest <= heartbeat.highest + 1, "what is kept is not ahead of what was sent");
    std::string again;
    appendHeartbeat(again, heartbeat);
    Heartbeat second;
    expect(readHeartbeat(again, second) == Bad::none, "HEARTBEAT can be written again");
    expect(second.name == heartbeat.name && second.highest == heartbeat.highest &&
               second.clients == heartbeat.clients,
           "HEARTBEAT reads as it was written");
}

void readNakOf(std::string_view body) {
    Nak nak;
    if (readNak(body, nak) != Bad::none) return;
    expect(!nak.ranges.empty() && nak.ranges.size() <= maxNakRanges, "NAK asks for some ranges");
    for (const Range& range : nak.ranges) expect(range.first <= range.last, "a range is in order");
    std::string again;
    appendNak(again, nak.target, nak.ranges);
    expect(body.starts_with(again), "NAK reads as it was written");
}

void readStatusOf(std::string_view body) {
    std::vector<Status> statuses;
    if (readStatus(body, statuses) != Bad::none) return;
    expect(!statuses.empty() && statuses.size() <= maxStatuses, "STATUS is of some sessions");
    std::string again;
    appendStatus(again, statuses);
    expect(body.starts_with(again), "STATUS reads as it was written");
}

void readChallengeOf(std::string_view body) {
    Challenge challenge;
    if (readChallenge(body, challenge) != Bad::none) return;
    std::string again;
    appendChallenge(again, challenge);
    expect(body.starts_with(again), "CHALLENGE reads as it was written");
}

void readProofOf(std::string_view body) {
    std::vector<Nonce> nonces;
    if (readProof(body, nonces) != Bad::none) return;
    expect(nonces.size() <= maxProofs, "PROOF answers so many at most");
    std::string again;
    appendProof(again, nonces);
    expect(body.starts_with(again), "PROOF reads as it was written");
}

void readEndOf(std::string_view body) {
    std::uint64_t highest = 0;
    if (readEnd(body, highest) != Bad::none) return;
    std::string again;
    appendEnd(again, highest);
    expect(body.starts_with(again), "END reads as it was written");
}

void readProbeOf(std::string_view body) {
    Probe probe;
    if (readProbe(body, probe) != Bad::none) return;
    std::string again;
    appendProbe(again, probe.id, sizeof probe.id);
    expect(body.starts_with(again), "PROBE reads as it was written");
}

void readEchoOf(std::string_view body) {
    Probe echo;
    if (readEcho(body, echo) != Bad::none) return;
    std::string again;
    appendEcho(again, echo, 0);
    expect(body.starts_with(again), "ECHO reads as it was written");
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
        case Type::nak:
            readNakOf(body);
            break;
        case Type::status:
            readStatusOf(body);
            break;
        case Type::challenge:
            readChallengeOf(body);
            break;
        case Type::proof:
            readProofOf(body);
            break;
        case Type::end:
            readEndOf(body);
            break;
        case Type::probe:
            readProbeOf(body);
            break;
        case Type::echo:
            readEchoOf(body);
            break;
    }
    return 0;
}
