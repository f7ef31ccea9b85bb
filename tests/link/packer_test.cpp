#include "packer.hpp"

#include <doctest/doctest.h>

#include "link_testing.hpp"
#include "receiver.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

constexpr std::size_t maxEvent = std::size_t{4} << 20;

// A sender and a receiver with nothing between them but a vector.
struct Wire {
    explicit Wire(std::size_t capacity = DatagramQueue::capacityFor(maxEvent)) : queue(capacity) {}

    std::vector<std::string> datagrams() {
        std::vector<std::string> all;
        packer.close();
        for (; !queue.empty(); queue.pop()) {
            stampPacket(queue.front().datagram, ++packet);
            all.push_back(queue.front().datagram);
        }
        return all;
    }
    void deliver() {
        for (const std::string& datagram : datagrams()) {
            CHECK(datagram.size() + tagSize <= datagramSize);
            Header header;
            REQUIRE(readHeader(datagram, header) == Bad::none);
            receiver.onDatagram(now, header, std::string_view(datagram).substr(headerSize),
                                somewhere());
        }
    }

    DatagramQueue queue;
    Packer packer{uuidOf(1), "alpha", maxEvent, queue};
    Witness witness;
    Receiver receiver{maxEvent, std::chrono::seconds(1), witness};
    Time now{};
    std::uint64_t packet = 0;
};

// Data of an event "e" on channel "A" that just fills one datagram.
std::size_t fillsDatagram() {
    std::string message;
    wire::appendEvent(message, bytesNamed("e", ""));
    return bodyRoom - dataHeadSize("alpha") - message.size();
}

}  // namespace

TEST_CASE("events of every size cross whole and in order") {
    const std::size_t full = fillsDatagram();
    const std::size_t piece = bodyRoom - dataHeadSize("alpha") - fragmentHeadSize;
    std::vector<std::size_t> sizes{0, 1, full - 1, full, full + 1, 65535, 65536, 1 << 20, maxEvent};
    for (std::size_t pieces = 2; pieces < 4; ++pieces) {
        const std::size_t edge = full + (pieces - 1) * piece;
        for (std::size_t size = edge - 40; size < edge + 40; ++size) sizes.push_back(size);
    }
    Wire wire;
    for (const std::size_t size : sizes) {
        CAPTURE(size);
        const std::string data = patterned(size);
        wire.witness.events.clear();
        REQUIRE(wire.packer.add(bytesNamed("e", data)));
        wire.deliver();
        REQUIRE(wire.witness.events.size() == 1);
        CHECK(wire.witness.events[0].payload == data);
        CHECK(wire.witness.events[0].host == "alpha");
    }
    CHECK(wire.witness.bad.empty());
    CHECK(wire.witness.gaps == 0);
    CHECK(wire.receiver.memoryUsed() == 0);
}

TEST_CASE("many small events share a datagram") {
    Wire wire;
    for (int i = 0; i < 30; ++i) wire.packer.add(eventNamed("small", std::to_string(i)));
    const auto datagrams = wire.datagrams();
    CHECK(datagrams.size() == 1);
    CHECK(datagrams[0].size() <= datagramSize - tagSize);
}

TEST_CASE("an event that just fills a datagram is not cut, one byte more is") {
    Wire wire;
    wire.packer.add(bytesNamed("e", std::string(fillsDatagram(), 'x')));
    CHECK(wire.datagrams().size() == 1);
    CHECK(wire.packer.counts().fragments == 0);

    wire.packer.add(bytesNamed("e", std::string(fillsDatagram() + 1, 'x')));
    CHECK(wire.datagrams().size() == 2);
    CHECK(wire.packer.counts().fragments == 2);
}

TEST_CASE("small and large events keep their order") {
    Wire wire;
    for (int round = 0; round < 20; ++round) {
        wire.packer.add(eventNamed("s" + std::to_string(round), "1"));
        const std::string data = patterned(3000);
        wire.packer.add(bytesNamed("l" + std::to_string(round), data));
    }
    wire.deliver();
    REQUIRE(wire.witness.events.size() == 40);
    for (std::size_t round = 0; round < 20; ++round) {
        CHECK(wire.witness.events[2 * round].name == "s" + std::to_string(round));
        CHECK(wire.witness.events[2 * round + 1].name == "l" + std::to_string(round));
    }
}

TEST_CASE("an event larger than the limit is left out, and the receivers are told") {
    Wire wire;
    CHECK_FALSE(wire.packer.add(bytesNamed("huge", std::string(maxEvent + 1, 'x'))));
    wire.packer.add(eventNamed("next", "1"));
    wire.deliver();
    CHECK(wire.witness.names() == std::vector<std::string>{"next"});
    CHECK(wire.witness.droppedByHost == 1);
    CHECK(wire.packer.counts().dropped == 1);
}

TEST_CASE("a full queue leaves out the newest events whole, and says how many in their place") {
    Wire wire(20'000);
    int taken = 0;
    const std::string data = patterned(500);
    while (wire.packer.add(bytesNamed("early" + std::to_string(taken), data))) ++taken;
    CHECK_FALSE(wire.packer.add(bytesNamed("late", data)));
    CHECK_FALSE(wire.packer.add(bytesNamed("later", patterned(19'000))));
    wire.deliver();
    CHECK(wire.witness.events.size() == static_cast<std::size_t>(taken));
    CHECK(wire.witness.droppedByHost == 3);

    wire.packer.add(eventNamed("after", "1"));
    wire.deliver();
    CHECK(wire.witness.events.back().name == "after");
    CHECK(wire.witness.droppedByHost == 3);
    CHECK(wire.witness.lost == 0);
}

TEST_CASE("an empty queue takes the largest event, and a second beside it") {
    for (const std::size_t largest : {std::size_t{1}, maxEvent, std::size_t{64} << 20}) {
        DatagramQueue queue(DatagramQueue::capacityFor(largest));
        Packer packer(uuidOf(1), std::string(maxHostName, 'h'), largest, queue);
        const std::string data(largest, 'x');
        CHECK(packer.add(bytesNamed("e", data)));
        CHECK(packer.add(bytesNamed("e", data)));
    }
}

TEST_CASE("the bucket lets a burst through and then keeps the rate") {
    using std::chrono::milliseconds;
    TokenBucket bucket(1'000'000, 10'000);
    Time now{std::chrono::hours(1)};
    std::size_t sent = 0;
    const auto sendAll = [&] {
        while (bucket.ready(now)) {
            bucket.spend(1000);
            sent += 1000;
        }
    };
    sendAll();
    CHECK(sent == 10'000);
    for (int ms = 0; ms < 1000; ++ms) {
        now += milliseconds(1);
        sendAll();
    }
    CHECK(sent >= 1'000'000);
    CHECK(sent <= 1'020'000);

    sent = 0;
    now += std::chrono::hours(1);
    sendAll();
    CHECK(sent <= 11'000);
}

TEST_CASE("the rate follows the receive buffer that hosts like this one have") {
    CHECK(sendRateFor(0) == sendRate);
    CHECK(sendRateFor(16 << 20) == sendRate);
    CHECK(sendRateFor(425'984) == 10'649'600);
}

TEST_CASE("the last fragment of a large event brings a rest with it") {
    Wire wire;
    wire.packer.add(bytesNamed("e", patterned(1 << 20)));
    std::uint64_t rest = 0;
    for (; !wire.queue.empty(); wire.queue.pop()) {
        CHECK(rest == 0);
        rest = wire.queue.front().rest;
    }
    CHECK(rest > (1 << 20) / restShare);
}
