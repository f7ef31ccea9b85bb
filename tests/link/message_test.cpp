#include "message.hpp"

#include <doctest/doctest.h>

#include "link_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

wire::FrameView viewOf(std::string_view bytes) {
    wire::FrameView frame;
    REQUIRE(wire::nextFrame(bytes, bytes.size(), frame) == wire::Walk::frame);
    return frame;
}

Bad verdict(const wire::EventView& event, std::size_t maxEvent = 100) {
    const std::string bytes = frameOf(event);
    wire::EventView read;
    return readMessage(viewOf(bytes), maxEvent, read);
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
    CHECK_FALSE(isMessage(event));
    std::string bytes;
    appendMessage(bytes, event);

    wire::EventView read;
    REQUIRE(readMessage(viewOf(bytes), 100, read) == Bad::none);
    CHECK(read.name == "temperature");
    CHECK(read.payload == R"({"c":21.5})");
    CHECK(read.channel == "A");
    CHECK(read.sender == uuidOf(7));
    CHECK(read.to == "node-7");
    CHECK(read.id == "42");
    CHECK(read.replyTo == "me");
    CHECK(read.flags == wire::broadcastFlag);
    CHECK(read.host.empty());
    CHECK(isMessage(read));
}

TEST_CASE("an event's own frame is a message if it says nothing that does not travel") {
    const auto asFrame = [](wire::EventView event) {
        const std::string bytes = frameOf(event);
        return isMessage(*wire::readEvent(viewOf(bytes)));
    };
    wire::EventView event = eventNamed("e", "1");
    CHECK_FALSE(isMessage(event));  // built by hand: it has no frame
    CHECK(asFrame(event));
    event.to = "node-7";
    event.flags = wire::broadcastFlag | wire::bytesFlag;
    CHECK(asFrame(event));
    event.host = "liar";
    CHECK_FALSE(asFrame(event));
    event.host = {};
    event.flags = wire::hostOnlyFlag;
    CHECK_FALSE(asFrame(event));
}

TEST_CASE("a host name inside the event is never believed") {
    wire::EventView event = eventNamed("e", "1");
    event.host = "liar";
    const std::string bytes = frameOf(event);
    wire::EventView read;
    REQUIRE(readMessage(viewOf(bytes), 100, read) == Bad::none);
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
    CHECK(verdict(eventNamed("nc-nodes", "1")) == Bad::reservedName);
    wire::EventView ofDaemon = eventNamed("nc-nodes", "1");
    ofDaemon.channel = "control";
    CHECK(verdict(ofDaemon) == Bad::none);
    ofDaemon.name = "nc-control-stats";
    CHECK(verdict(ofDaemon) == Bad::reservedName);
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

TEST_CASE("addresses must be text") {
    for (const auto field :
         {&wire::EventView::to, &wire::EventView::id, &wire::EventView::replyTo}) {
        wire::EventView event = eventNamed("e", "1");
        event.*field = "\xFF";
        CHECK(verdict(event) == Bad::event);
        event.*field = "\xC3\xA4";
        CHECK(verdict(event) == Bad::none);
    }
}

TEST_CASE("the judgement of data alone is the same") {
    wire::EventView event = eventNamed("e", "{}");
    CHECK(judgeData(event, 2) == Bad::none);
    CHECK(judgeData(event, 1) == Bad::tooLarge);
    event.payload = "{";
    CHECK(judgeData(event, 2) == Bad::json);
    event.flags = wire::bytesFlag;
    CHECK(judgeData(event, 2) == Bad::none);
}

TEST_CASE("frames that are no event, or lie about their parts, are refused and never trusted") {
    wire::EventView read;
    std::string sync;
    wire::appendSync(sync, wire::FrameType::sync, 1);
    CHECK(readMessage(viewOf(sync), 100, read) == Bad::event);

    const std::string whole = frameOf(eventNamed("name", "12345"));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = whole;
            flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
            wire::FrameView frame;
            if (wire::nextFrame(flipped, 100, frame) != wire::Walk::frame) continue;
            (void)readMessage(frame, 100, read);
        }
    }
}
