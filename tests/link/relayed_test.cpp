#include "relayed.hpp"

#include <doctest/doctest.h>

#include "link_testing.hpp"
#include "message.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

Relayed example(std::string_view content) {
    Relayed relayed;
    relayed.hops = 2;
    relayed.back = 7;
    relayed.number = 258 * 2048 + 18;
    relayed.host = uuidOf(1);
    relayed.session = uuidOf(2);
    relayed.name = "alpha";
    relayed.content = content;
    return relayed;
}

std::string bytesOf(const Relayed& relayed) {
    std::string bytes;
    appendRelayed(bytes, relayed);
    return bytes;
}

Bad read(std::string_view bytes, Relayed& out) {
    wire::FrameView frame;
    if (wire::nextFrame(bytes, bytes.size(), frame) != wire::Walk::frame) return Bad::body;
    return readRelayed(frame, out);
}

Bad read(std::string_view bytes) {
    Relayed ignored;
    return read(bytes, ignored);
}

}  // namespace

TEST_CASE("what is passed on: bytes and back") {
    const std::string event = frameOf(eventNamed("hello", "1"));
    const std::string bytes = bytesOf(example(event));
    CHECK(bytes.size() <= relayedOverhead + event.size());
    Relayed got;
    REQUIRE(read(bytes, got) == Bad::none);
    CHECK(got.kind == Relayed::Kind::event);
    CHECK(got.hops == 2);
    CHECK(got.back == 7);
    CHECK(got.number == 258 * 2048 + 18);
    CHECK(got.host == uuidOf(1));
    CHECK(got.session == uuidOf(2));
    CHECK(got.name == "alpha");
    CHECK(got.content == event);
}

TEST_CASE("the bytes of docs/link-protocol.md") {
    const std::string bytes = bytesOf(example(""));
    CHECK(bytes == std::string("\x3d\0\0\0\x03\x10\x05\0"
                               "\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\0\0\0\0"
                               "alpha"
                               "\0\2\0\0\7\0\0\0\x12\x10\x08\0\0\0\0\0"
                               "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
                               65));
}

TEST_CASE("a daemon that knows no relays takes it for an event that may not travel") {
    const std::string bytes = bytesOf(example(frameOf(eventNamed("hello", "1"))));
    wire::FrameView frame;
    wire::nextFrame(bytes, bytes.size(), frame);
    wire::EventView event;
    CHECK(readMessage(frame, 1000, event) == Bad::event);
}

TEST_CASE("what does not fit together is refused") {
    const std::string good = bytesOf(example("x"));
    CHECK(read(good) == Bad::none);
    const auto with = [&](std::size_t at, char value) {
        std::string bad = good;
        bad[at] = value;
        return read(bad);
    };
    const std::size_t place = wire::eventHeader + 5;
    CHECK(with(5, 17) == Bad::relayed);         // flags
    CHECK(with(7, 1) == Bad::relayed);          // a channel
    CHECK(with(28, '\n') == Bad::hostName);     // name
    CHECK(with(place, 3) == Bad::relayed);      // kind
    CHECK(with(place + 1, 0) == Bad::relayed);  // hops
    CHECK(with(place + 1, 33) == Bad::relayed);
    CHECK(with(place + 7, '\xff') == Bad::relayed);   // it would be before the first
    CHECK(with(place + 15, '\x80') == Bad::relayed);  // number
    Relayed none = example("x");
    none.number = none.back = 0;
    CHECK(read(bytesOf(none)) == Bad::relayed);
    for (std::size_t size = wire::eventHeader; size < place + 32; ++size) {
        std::string cut = good.substr(0, size);
        wire::storeLittle(cut.data(), static_cast<std::uint32_t>(size - 4));
        CHECK(read(cut) != Bad::none);
    }
}

TEST_CASE("an event's number is its place in the stream; impossible sequences have none") {
    CHECK(eventNumber(1, 0) < eventNumber(1, 28));
    CHECK(eventNumber(1, bodyRoom) < eventNumber(2, 0));
    CHECK(eventNumber(std::uint64_t{1} << 51, 5) < numberLimit);
    CHECK(eventNumber(std::uint64_t{1} << 52, 5) == 0);
    CHECK(eventNumber(numberLimit - 1, 5) == 0);
}
