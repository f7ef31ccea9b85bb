#include "frame.hpp"

#include <doctest/doctest.h>

#include <vector>

#include <fstream>
#include <random>
#include <sstream>

namespace netcluster::wire {
namespace {

Uuid sender() {
    Uuid uuid;
    for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::uint8_t>(0xA0 + i);
    return uuid;
}

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        text += digits[static_cast<unsigned char>(c) >> 4];
        text += digits[c & 15];
    }
    return text;
}

FrameView only(std::string_view bytes) {
    FrameView frame;
    REQUIRE(nextFrame(bytes, 1 << 20, frame) == Walk::frame);
    REQUIRE(frame.whole.size() == bytes.size());
    return frame;
}

EventView logEvent() {
    EventView event;
    event.sender = sender();
    event.name = "log";
    event.channel = "A";
    event.payload = R"({"x":1})";
    return event;
}

}  // namespace

// A change here is a change of the protocol.
TEST_CASE("the bytes of docs/wire-protocol.md are the bytes we write") {
    std::ifstream file(PROTOCOL_PAGE);
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    REQUIRE(page.size() > 1000);
    const auto documented = [&](auto append) {
        std::string bytes;
        append(bytes);
        CAPTURE(hex(bytes));
        CHECK(page.find("\n    " + hex(bytes) + "\n") != std::string::npos);
    };
    documented([](auto& out) {
        out = preface;
        appendHello(out, {1, 1, 0, "demo"});
    });
    documented([](auto& out) { appendWelcome(out, {1, 0, 4194304, sender(), "A", "alpha"}); });
    documented([](auto& out) { appendEvent(out, logEvent()); });
    documented([](auto& out) { appendSubscribe(out, {7, "A.*"}); });
    documented([](auto& out) { appendUnsubscribe(out, 7); });
    documented([](auto& out) { appendSync(out, FrameType::sync, 9); });
    documented([](auto& out) { appendSync(out, FrameType::synced, 9); });
    documented([](auto& out) { appendGap(out, {3, 5, 7}); });
    documented([](auto& out) { appendUnwanted(out, {5, hostOnlyFlag, "log"}); });
    documented([](auto& out) { appendRefused(out, {7, "no"}); });
    documented([](auto& out) { appendGoodbye(out, "bye"); });
}

TEST_CASE("what is written is read back") {
    std::string bytes;
    SUBCASE("an event with all its addressing") {
        EventView event = logEvent();
        event.flags = broadcastFlag | bytesFlag;
        event.host = "beta";
        event.to = "node-1";
        event.id = "42";
        event.replyTo = "node-2";
        appendEvent(bytes, event);
        const auto read = readEvent(only(bytes));
        REQUIRE(read);
        CHECK(read->broadcast());
        CHECK(read->bytes());
        CHECK(read->sender == sender());
        CHECK(read->name == "log");
        CHECK(read->channel == "A");
        CHECK(read->host == "beta");
        CHECK(read->to == "node-1");
        CHECK(read->id == "42");
        CHECK(read->replyTo == "node-2");
        CHECK(read->payload == R"({"x":1})");
        CHECK(read->whole == bytes);
    }
    SUBCASE("an event without data") {
        EventView event = logEvent();
        event.payload = {};
        appendEvent(bytes, event);
        CHECK(readEvent(only(bytes))->payload.empty());
    }
    SUBCASE("small frames") {
        const Hello hello{1, 3, 5, "demo"};
        appendHello(bytes, hello);
        CHECK(readHello(only(bytes)) == hello);
        bytes.clear();
        const Welcome welcome{1, 0, 1024, sender(), "A", "alpha"};
        appendWelcome(bytes, welcome);
        CHECK(readWelcome(only(bytes)) == welcome);
        bytes.clear();
        const Unwanted unwanted{5, broadcastFlag, "log"};
        appendUnwanted(bytes, unwanted);
        CHECK(readUnwanted(only(bytes)) == unwanted);
        bytes.clear();
        const Gap gap{3, 5, 7};
        appendGap(bytes, gap);
        CHECK(readGap(only(bytes)) == gap);
        bytes.clear();
        appendSubscribe(bytes, {7, "A.*"});
        CHECK(readSubscribe(only(bytes)) == Subscription{7, "A.*"});
        bytes.clear();
        appendRefused(bytes, {7, "no"});
        CHECK(readRefused(only(bytes)) == Refusal{7, "no"});
        bytes.clear();
        appendGoodbye(bytes, "bye");
        CHECK(readGoodbye(only(bytes)) == "bye");
    }
}

TEST_CASE("the sender is stamped in place") {
    std::string bytes;
    EventView event = logEvent();
    event.sender = {};
    appendEvent(bytes, event);
    stampSender(bytes, sender());
    CHECK(readEvent(only(bytes))->sender == sender());
}

TEST_CASE("a run is as long as the events differ in their data alone") {
    const auto frames = [](const std::vector<EventView>& events) {
        std::string bytes;
        for (const EventView& event : events) appendEvent(bytes, event);
        return bytes;
    };
    const auto runOf = [](const std::string& bytes, std::size_t maxPayload = 100) {
        FrameView frame;
        REQUIRE(nextFrame(bytes, 1 << 20, frame) == Walk::frame);
        return readRun(*readEvent(frame), bytes, maxPayload);
    };
    EventView one;
    one.name = "e";
    one.channel = "A";
    one.payload = "1";
    EventView two = one;
    two.payload = "22";
    EventView three = one;
    three.payload = "";

    std::string bytes = frames({one, two, three});
    EventRun run = runOf(bytes);
    CHECK(run.count == 3);
    CHECK(run.frames == bytes);
    std::vector<std::string_view> payloads;
    forEachFrame(run.frames, [&](std::string_view frame) {
        payloads.push_back(run.event(frame).payload);
        CHECK(run.event(frame).name == "e");
    });
    CHECK(payloads == std::vector<std::string_view>{"1", "22", ""});
    CHECK(firstFrames(run.frames, 2) == frames({one, two}));
    CHECK(firstFrames(run.frames, 9) == bytes);

    const auto endsBefore = [&](EventView other, std::size_t maxPayload = 100) {
        bytes = frames({one, one, other, one});
        return runOf(bytes, maxPayload).count == 2;
    };
    EventView other = one;
    other.name = "f";
    CHECK(endsBefore(other));
    other = one;
    other.channel = "B";
    CHECK(endsBefore(other));
    other = one;
    other.name = "eA";  // the same bytes, cut elsewhere
    other.channel = "";
    CHECK(endsBefore(other));
    other = one;
    other.flags = broadcastFlag;
    CHECK(endsBefore(other));
    other = one;
    other.to = "node";
    CHECK(endsBefore(other));
    other = one;
    other.payload = "12345";
    CHECK(endsBefore(other, 4));
    CHECK_FALSE(endsBefore(other, 5));

    other = one;
    other.to = "node";
    bytes = frames({other, other});
    CHECK(runOf(bytes).count == 1);  // what has extensions is looked at one by one

    bytes = frames({one, one, one});
    for (std::size_t cut = 1; cut < bytes.size() / 3; ++cut) {
        CHECK(runOf(bytes.substr(0, bytes.size() - cut)).count == 2);
    }
    bytes = frames({one, one}) + std::string(64, '\0');  // a frame of impossible length
    CHECK(runOf(bytes).count == 2);
}

TEST_CASE("a frame that is not whole yet says how much it needs") {
    std::string bytes;
    appendEvent(bytes, logEvent());
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        FrameView frame;
        std::size_t needed = 0;
        CHECK(nextFrame(std::string_view(bytes).substr(0, cut), 1 << 20, frame, &needed) ==
              Walk::incomplete);
        CHECK(needed == (cut < frameHeader ? frameHeader : bytes.size()));
    }
}

TEST_CASE("impossible lengths are malformed before anything is allocated") {
    const auto walk = [](std::string_view head) {
        FrameView frame;
        return nextFrame(head, 1 << 20, frame);
    };
    using namespace std::string_view_literals;
    CHECK(walk("\x00\x00\x00\x00\x03\x00\x00\x00"sv) == Walk::malformed);
    CHECK(walk("\x03\x00\x00\x00\x03\x00\x00\x00"sv) == Walk::malformed);
    CHECK(walk("\xFF\xFF\xFF\xFF\x03\x00\x00\x00"sv) == Walk::malformed);
    CHECK(walk("\x00\x00\x00\x80\x03\x00\x00\x00"sv) == Walk::malformed);
    CHECK(walk("\x00\x20\x00\x00\x04\x00\x00\x00"sv) == Walk::malformed);   // a subscribe of 8 KiB
    CHECK(walk("\x00\x20\x00\x00\x03\x00\x00\x00"sv) == Walk::incomplete);  // an event of 8 KiB
}

TEST_CASE("an event whose parts overrun it is refused") {
    std::string good;
    EventView event = logEvent();
    event.to = "node";
    appendEvent(good, event);
    const auto readWith = [&](std::size_t at, char value) {
        std::string bytes = good;
        bytes[at] = value;
        return readEvent(only(bytes)).has_value();
    };
    CHECK(readWith(6, 3));              // as it was
    CHECK_FALSE(readWith(6, '\xFF'));   // the name overruns
    CHECK_FALSE(readWith(7, '\xFF'));   // the channel overruns
    CHECK_FALSE(readWith(25, '\x7F'));  // the extensions overrun
    CHECK_FALSE(readWith(33, '\x7F'));  // an extension overruns the extensions
    FrameView small{FrameType::event, 0, std::string_view(good).substr(0, 12), {}};
    CHECK_FALSE(readEvent(small));
}

TEST_CASE("extensions have a bound of their own") {
    std::string bytes;
    EventView event = logEvent();
    const std::string longest(maxExtensions - 3, 'x');
    event.to = longest;
    appendEvent(bytes, event);
    CHECK(readEvent(only(bytes)));
    const std::string longer = longest + 'x';
    event.to = longer;
    bytes.clear();
    appendEvent(bytes, event);
    CHECK_FALSE(readEvent(only(bytes)));
}

TEST_CASE("an extension of a later version is skipped by its length") {
    std::string bytes;
    EventView event = logEvent();
    event.to = "node";
    appendEvent(bytes, event);
    bytes[32] = 99;  // the tag of `to`
    const auto read = readEvent(only(bytes));
    REQUIRE(read);
    CHECK(read->to.empty());
    CHECK(read->payload == R"({"x":1})");
}

TEST_CASE("random bytes never make the readers read outside them") {
    std::mt19937 random(20261121);
    for (int round = 0; round < 20000; ++round) {
        std::string bytes(random() % 80, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        if (bytes.size() >= 5) {
            bytes[0] = static_cast<char>(bytes.size() - 4);
            bytes[1] = bytes[2] = bytes[3] = 0;
            bytes[4] = static_cast<char>(random() % 12);
        }
        FrameView frame;
        if (nextFrame(bytes, 1 << 20, frame) != Walk::frame) continue;
        (void)readEvent(frame);
        (void)readHello(frame);
        (void)readWelcome(frame);
        (void)readSubscribe(frame);
        (void)readUnsubscribe(frame);
        (void)readSync(frame);
        (void)readGap(frame);
        (void)readRefused(frame);
    }
}

}  // namespace netcluster::wire
