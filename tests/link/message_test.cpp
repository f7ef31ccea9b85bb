#include "message.hpp"

#include <doctest/doctest.h>

#include "link_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

Bad verdict(const wire::EventView& event, std::size_t maxEvent = 100) {
    std::string bytes;
    wire::appendEvent(bytes, event);
    std::string_view rest = bytes;
    wire::EventView read;
    const Bad bad = takeMessage(rest, maxEvent, read);
    CHECK(rest.empty());
    return bad;
}

wire::EventView onChannel(std::string_view channel) {
    wire::EventView event = eventNamed("e", "1");
    event.channel = channel;
    return event;
}

}  // namespace

TEST_CASE("an event crosses as it is, but for what the receiver knows better") {
    wire::EventView event = eventNamed("temperature", R"({"c":21.5})");
    event.flags = wire::broadcastFlag | wire::remoteFlag;
    event.host = "liar";
    event.to = "node-7";
    event.id = "42";
    event.replyTo = "me";
    std::string bytes;
    appendMessage(bytes, event);
    bytes += "the next";

    std::string_view rest = bytes;
    wire::EventView read;
    REQUIRE(takeMessage(rest, 100, read) == Bad::none);
    CHECK(rest == "the next");
    CHECK(read.name == "temperature");
    CHECK(read.payload == R"({"c":21.5})");
    CHECK(read.channel == "A");
    CHECK(read.sender == uuidOf(7));
    CHECK(read.to == "node-7");
    CHECK(read.id == "42");
    CHECK(read.replyTo == "me");
    CHECK(read.flags == wire::broadcastFlag);
    CHECK(read.host.empty());
    CHECK(read.whole.empty());
}

TEST_CASE("a host name inside the event is never believed") {
    wire::EventView event = eventNamed("e", "1");
    event.host = "liar";
    std::string bytes;
    wire::appendEvent(bytes, event);
    std::string_view rest = bytes;
    wire::EventView read;
    REQUIRE(takeMessage(rest, 100, read) == Bad::none);
    CHECK(read.host.empty());
}

TEST_CASE("names that must not come from the net are refused") {
    CHECK(verdict(eventNamed("e", "1")) == Bad::none);
    CHECK(verdict(eventNamed("", "1")) == Bad::eventName);
    CHECK(verdict(eventNamed(std::string_view("a\0b", 3), "1")) == Bad::eventName);
    CHECK(verdict(eventNamed("\xFF", "1")) == Bad::eventName);
    CHECK(verdict(eventNamed("nc-control-reloadconfig", "1")) == Bad::reservedName);
    CHECK(verdict(eventNamed("nc-", "1")) == Bad::reservedName);
    CHECK(verdict(eventNamed("nc", "1")) == Bad::none);
}

TEST_CASE("channels that are no channels are refused") {
    CHECK(verdict(onChannel("a.B_c-9")) == Bad::none);
    CHECK(verdict(onChannel(std::string(64, 'a'))) == Bad::none);
    CHECK(verdict(onChannel("")) == Bad::channel);
    CHECK(verdict(onChannel(".hidden")) == Bad::channel);
    CHECK(verdict(onChannel("../x")) == Bad::channel);
    CHECK(verdict(onChannel("a/b")) == Bad::channel);
    CHECK(verdict(onChannel("\xC3\xA4")) == Bad::channel);
    CHECK(verdict(onChannel("a b")) == Bad::channel);
}

TEST_CASE("data that claims to be JSON must be, bytes may be anything, none at all is fine") {
    CHECK(verdict(eventNamed("e", "")) == Bad::none);
    CHECK(verdict(eventNamed("e", R"(["x",null])")) == Bad::none);
    CHECK(verdict(eventNamed("e", "{")) == Bad::json);
    CHECK(verdict(eventNamed("e", R"(1},"event":"nc-x")")) == Bad::json);
    CHECK(verdict(eventNamed("e", std::string(100, '['))) == Bad::json);
    CHECK(verdict(bytesNamed("e", "{\xFF")) == Bad::none);
    CHECK(verdict(bytesNamed("e", "")) == Bad::none);
}

TEST_CASE("data up to the limit passes, one byte more does not") {
    CHECK(verdict(bytesNamed("e", std::string(100, 'x'))) == Bad::none);
    CHECK(verdict(bytesNamed("e", std::string(101, 'x'))) == Bad::tooLarge);
}

TEST_CASE("flags that never travel refuse the event") {
    for (const std::uint8_t flag : {wire::hostOnlyFlag, wire::remoteFlag}) {
        wire::EventView event = eventNamed("e", "1");
        event.flags = flag;
        CHECK(verdict(event) == Bad::event);
    }
    wire::EventView unknown = eventNamed("e", "1");
    unknown.flags = 0x80;
    CHECK(verdict(unknown) == Bad::event);
}

TEST_CASE("bytes that are no event end the walk or are skipped, but never trusted") {
    wire::EventView read;

    std::string_view garbage = "\xFF\xFF\xFF\xFF garbage";
    CHECK(takeMessage(garbage, 100, read) == Bad::event);
    CHECK(garbage.empty());

    std::string bytes;
    wire::appendSync(bytes, wire::FrameType::sync, 1);
    wire::appendEvent(bytes, eventNamed("after", "1"));
    std::string_view rest = bytes;
    CHECK(takeMessage(rest, 100, read) == Bad::event);
    CHECK(takeMessage(rest, 100, read) == Bad::none);
    CHECK(read.name == "after");

    std::string whole;
    wire::appendEvent(whole, eventNamed("name", "12345"));
    for (std::size_t length = 1; length < whole.size(); ++length) {
        const std::string cut = whole.substr(0, length);
        std::string_view part = cut;
        CHECK(takeMessage(part, 100, read) == Bad::event);
        CHECK(part.empty());
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = whole;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
            std::string_view walk = flipped;
            while (!walk.empty()) takeMessage(walk, 100, read);
        }
    }
}
