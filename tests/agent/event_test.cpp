#include <doctest/doctest.h>

#include <netcluster/error.hpp>

#include "event_access.hpp"
#include "outgoing_event.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;

namespace {

wire::EventView remoteEvent(std::string_view payload, std::uint8_t flags = 0) {
    wire::EventView view;
    view.flags = flags;
    view.sender = wire::uuidFromText("00112233-4455-6677-8899-aabbccddeeff");
    view.name = "sensor";
    view.channel = "B";
    view.host = "other";
    view.to = "node";
    view.id = "7";
    view.replyTo = "me";
    view.payload = payload;
    return view;
}

std::string textOf(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Json nested(int depth) {
    Json value = 1;
    for (int i = 0; i < depth; ++i) value = Json::array({value});
    return value;
}

}  // namespace

TEST_CASE("an event of this process shows the data it was given, and its text on demand") {
    const Json data = {{"celsius", 21.5}};
    LocalEvent local;
    local.name = "sensor";
    local.channel = "A";
    local.data = &data;
    local.to = "node";
    const Event event = EventAccess::local(local);

    CHECK(&event.data() == &data);
    CHECK(event.text() == R"({"celsius":21.5})");
    CHECK(event.fromThisProcess());
    CHECK_FALSE(event.isBytes());
    CHECK(event.bytes().empty());
    CHECK(event.sender().empty());
    CHECK(event.host().empty());
    CHECK(event.to() == "node");
}

TEST_CASE("an event of another process shows everything its frame says") {
    const auto view = remoteEvent(R"({"a": [1, 2]})", wire::broadcastFlag);
    Event event = EventAccess::blank();
    EventAccess::fill(event, view);

    CHECK(event.name() == "sensor");
    CHECK(event.channel() == "B");
    CHECK(event.host() == "other");
    CHECK(event.sender() == "00112233-4455-6677-8899-aabbccddeeff");
    CHECK(event.broadcast());
    CHECK(event.id() == "7");
    CHECK(event.replyTo() == "me");
    CHECK_FALSE(event.fromThisProcess());
    CHECK(event.data() == Json{{"a", {1, 2}}});
    CHECK(event.text() == R"({"a": [1, 2]})");
}

TEST_CASE("no payload means null") {
    const auto view = remoteEvent("");
    Event event = EventAccess::blank();
    EventAccess::fill(event, view);
    CHECK(event.data().is_null());
    CHECK(event.text() == "null");
}

TEST_CASE("opaque bytes are bytes, and in data what clients of the JSON encoding see") {
    const std::string_view payload("\x00\xff\x10", 3);
    const auto view = remoteEvent(payload, wire::bytesFlag);
    Event event = EventAccess::blank();
    EventAccess::fill(event, view);
    CHECK(event.isBytes());
    CHECK(textOf(event.bytes()) == payload);
    CHECK(event.data() == Json{{"$bytes", "AP8Q"}});
    CHECK(event.text() == R"({"$bytes":"AP8Q"})");
}

TEST_CASE("data that is not JSON, or nested too deep, throws when asked for; its text is there") {
    for (const std::string text : {"{", "nul", "[1,]", "1e999"}) {
        const auto view = remoteEvent(text);
        Event event = EventAccess::blank();
        EventAccess::fill(event, view);
        CHECK_THROWS_AS(event.data(), Error);
        CHECK(event.text() == text);
    }
    const std::string deep = std::string(33, '[') + std::string(33, ']');
    const auto view = remoteEvent(deep);
    Event event = EventAccess::blank();
    EventAccess::fill(event, view);
    CHECK_THROWS_AS(event.data(), Error);
}

TEST_CASE("an event kept for later does not need the bytes it was read from") {
    auto frame = std::make_unique<std::string>();
    wire::appendEvent(*frame, remoteEvent("[1]", wire::broadcastFlag));
    wire::FrameView read;
    REQUIRE(wire::nextFrame(*frame, 4096, read) == wire::Walk::frame);
    const KeptEvent kept(wire::readEvent(read).value());
    frame.reset();

    CHECK(kept.view().name == "sensor");
    CHECK(kept.view().payload == "[1]");
    CHECK(kept.view().replyTo == "me");
    CHECK(kept.view().broadcast());

    const KeptEvent byHand(remoteEvent("[2]"));
    CHECK(byHand.view().payload == "[2]");
}

TEST_CASE("what an event makes on demand it makes once, and each by itself") {
    const auto view = remoteEvent("[1]");
    Event event = EventAccess::blank();
    EventAccess::fill(event, view);
    const std::string* const sender = &event.sender();
    const Json* const data = &event.data();
    CHECK(*data == Json{1});
    CHECK(&event.sender() == sender);
    CHECK(&event.data() == data);
    CHECK(*sender == "00112233-4455-6677-8899-aabbccddeeff");

    const Json own = {{"a", 1}};
    LocalEvent local;
    local.data = &own;
    const wire::Uuid uuid = wire::uuidFromText("00112233-4455-6677-8899-aabbccddeeff");
    local.sender = &uuid;
    const Event ownEvent = EventAccess::local(local);
    const std::string_view text = ownEvent.text();
    CHECK(ownEvent.sender() == *sender);
    CHECK(text == R"({"a":1})");
    CHECK(ownEvent.text().data() == text.data());
    CHECK(&ownEvent.data() == &own);
}

TEST_CASE("an event of this process that carries bytes has no other data") {
    LocalEvent local;
    local.bytes = std::string_view("\x00\xff\x10", 3);
    const Event event = EventAccess::local(local);
    CHECK(event.isBytes());
    CHECK(textOf(event.bytes()) == local.bytes);
    CHECK(event.data() == Json{{"$bytes", "AP8Q"}});
    CHECK(event.text() == R"({"$bytes":"AP8Q"})");
}

TEST_CASE("text is looked at wherever it is not ASCII") {
    for (std::size_t length = 1; length <= 40; ++length) {
        for (std::size_t at = 0; at < length; ++at) {
            std::string text(length, 'x');
            text[at] = '\xff';
            CAPTURE(length);
            CAPTURE(at);
            CHECK_THROWS_AS(checkData("a", text), Error);
            CHECK_THROWS_AS(checkData("a", Json{{text, 1}}), Error);
            text.replace(at, 1, "\xc3\xa4");
            CHECK(checkData("a", text) == text.size() + 2);
        }
    }
    CHECK(checkData("a", "") == 2);
}

TEST_CASE("data is refused for what JSON cannot carry") {
    CHECK_NOTHROW(checkData("a", nested(32)));
    CHECK(contains(errorOf([] { checkData("a", nested(33)); }), "deeper than 32"));
    CHECK(contains(errorOf([] { checkData("a", Json("\xff")); }), "not UTF-8"));
    CHECK(contains(errorOf([] { checkData("a", Json{{"k\xff", 1}}); }), "not UTF-8"));
    CHECK(contains(errorOf([] { checkData("a", Json::binary({1, 2})); }), "emitBytes"));
    CHECK_THROWS_AS(checkData("a", Json(Json::value_t::discarded)), Error);
}

TEST_CASE("the least length of data is never more than its text") {
    const Json values[] = {
        nullptr,       true,           17,        "text",
        Json::array(), Json::object(), {1, 2, 3}, {{"a", {{"b", "c"}}}, {"d", 1}}};
    for (const Json& value : values) {
        const std::size_t least = checkData("a", value);
        CHECK(least >= 1);
        CHECK(least <= value.dump().size());
    }
}

TEST_CASE("reserved names are for the control channel") {
    CHECK(contains(errorOf([] { checkReserved("nc-x", "A"); }), "reserved"));
    CHECK_NOTHROW(checkReserved("nc-x", "control"));
    CHECK_NOTHROW(checkReserved("ncx", "A"));
}

TEST_CASE("addresses have a length and are text") {
    EmitOptions options;
    const std::string longest(1024, 'x');
    const std::string tooLong(1025, 'x');
    options.to = longest;
    CHECK_NOTHROW(checkAddresses(options));
    options.to = tooLong;
    CHECK_THROWS_AS(checkAddresses(options), Error);
    options.to = "\xff";
    CHECK_THROWS_AS(checkAddresses(options), Error);
}
