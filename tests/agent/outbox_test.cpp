#include <doctest/doctest.h>

#include "outbox.hpp"

using namespace netcluster;
using Wake = Outbox::Wake;

namespace {

wire::EventView event(std::string_view name, std::string_view payload = "1") {
    wire::EventView view;
    view.name = name;
    view.channel = "A";
    view.payload = payload;
    return view;
}

// What is written in words: "hello +a sync:1 e1 e2".
std::string words(std::string_view bytes) {
    std::string text;
    if (bytes.starts_with(wire::preface)) bytes.remove_prefix(wire::preface.size());
    wire::FrameView frame;
    while (wire::nextFrame(bytes, bytes.size(), frame) == wire::Walk::frame) {
        if (!text.empty()) text += ' ';
        switch (frame.type) {
            case wire::FrameType::hello:
                text += "hello";
                break;
            case wire::FrameType::subscribe:
                text += "+" + std::string(wire::readSubscribe(frame)->pattern);
                break;
            case wire::FrameType::unsubscribe:
                text += "-" + std::to_string(*wire::readUnsubscribe(frame));
                break;
            case wire::FrameType::sync:
                text += "sync:" + std::to_string(*wire::readSync(frame));
                break;
            case wire::FrameType::event:
                text += wire::readEvent(frame)->name;
                break;
            default:
                text += "?";
        }
        bytes.remove_prefix(frame.whole.size());
    }
    return text + (bytes.empty() ? "" : " and a part");
}

// Everything that may be written now.
std::string written(Outbox& outbox) {
    std::string all;
    for (auto bytes = outbox.next(); !bytes.empty(); bytes = outbox.next()) {
        all += bytes;
        outbox.written(bytes.size());
    }
    return words(all);
}

Outbox& connected(Outbox& outbox) {
    outbox.greet({}, {}, 1);
    outbox.open();
    written(outbox);
    return outbox;
}

}  // namespace

TEST_CASE(
    "a connection begins with hello, subscriptions and a sync; events wait until it is open") {
    Outbox outbox(1 << 20);
    CHECK(outbox.subscribe("a") == Wake::no);
    outbox.subscribe("b");
    outbox.unsubscribe("b");
    CHECK(outbox.event(event("e1")).wake == Wake::no);
    outbox.greet({}, {}, 7);
    CHECK(written(outbox) == "hello +a sync:7");
    CHECK(outbox.next().empty());

    outbox.open();
    CHECK(written(outbox) == "e1");
    CHECK(outbox.bytes() == 0);
}

TEST_CASE("the writer is woken once, until it has seen that nothing is left") {
    Outbox outbox(1 << 20);
    connected(outbox);
    CHECK(outbox.event(event("e1")).wake == Wake::yes);
    CHECK(outbox.event(event("e2")).wake == Wake::no);
    CHECK(outbox.sync(3) == Wake::no);
    CHECK(written(outbox) == "e1 e2 sync:3");
    CHECK(outbox.subscribe("x") == Wake::yes);
    CHECK(written(outbox) == "+x");
}

TEST_CASE("subscriptions and events keep their order") {
    Outbox outbox(1 << 20);
    connected(outbox);
    outbox.event(event("e1"));
    outbox.subscribe("x");
    outbox.event(event("e2"));
    outbox.unsubscribe("x");
    outbox.unsubscribe("never");
    CHECK(written(outbox) == "e1 +x e2 -1");
}

TEST_CASE("a full queue refuses events and nothing else") {
    Outbox outbox(300);
    connected(outbox);
    const std::string payload(100, ' ');
    CHECK(outbox.event(event("e1", payload)).emitted == Emitted::accepted);
    CHECK(outbox.event(event("e2", payload)).emitted == Emitted::accepted);
    CHECK(outbox.event(event("e3", payload)).emitted == Emitted::queueFull);
    outbox.subscribe(std::string(200, 'x'));
    outbox.sync(2);
    CHECK(written(outbox) == "e1 e2 +" + std::string(200, 'x') + " sync:2");
    CHECK(outbox.event(event("e4", payload)).emitted == Emitted::accepted);
    CHECK(outbox.event(event("e5", std::string(400, ' '))).emitted == Emitted::queueFull);
}

TEST_CASE("what is written frees the queue as it goes, not only at its end") {
    Outbox outbox(300);
    connected(outbox);
    const std::string payload(100, ' ');
    outbox.event(event("e1", payload));
    outbox.event(event("e2", payload));
    outbox.next();
    outbox.written(150);
    CHECK(outbox.event(event("e3", payload)).emitted == Emitted::accepted);
    CHECK(outbox.next().size() + 150 > 200);
}

TEST_CASE("after a break, what was not handed over whole is sent whole, in order, events only") {
    std::string first;
    wire::appendEvent(first, event("e1"));
    const std::size_t firstEnd = first.size();
    wire::appendSync(first, wire::FrameType::sync, 5);
    const std::size_t all = first.size() + firstEnd;

    for (std::size_t cut = 0; cut <= all; ++cut) {
        CAPTURE(cut);
        Outbox outbox(1 << 20);
        connected(outbox);
        outbox.event(event("e1"));
        outbox.sync(5);
        outbox.event(event("e2"));
        REQUIRE(outbox.next().size() == all);
        outbox.written(cut);
        outbox.event(event("e3"));
        outbox.subscribe("x");
        outbox.broken();

        std::string expected = "hello +x sync:6";
        if (cut < firstEnd) expected += " e1";
        if (cut < all) expected += " e2";
        outbox.greet({}, {}, 6);
        outbox.open();
        CHECK(written(outbox) == expected + " e3");
        CHECK(outbox.bytes() == 0);
    }
}

TEST_CASE("a break in the middle of the greeting loses nothing") {
    Outbox outbox(1 << 20);
    outbox.subscribe("a");
    outbox.event(event("e1"));
    outbox.greet({}, {}, 1);
    outbox.written(outbox.next().size() / 2);
    outbox.broken();
    outbox.greet({}, {}, 2);
    outbox.open();
    CHECK(written(outbox) == "hello +a sync:2 e1");
}

TEST_CASE("clearing tells how many events are forgotten") {
    Outbox outbox(1 << 20);
    connected(outbox);
    outbox.event(event("e1"));
    outbox.next();
    outbox.event(event("e2"));
    outbox.sync(4);
    outbox.broken();
    CHECK(outbox.clear() == 2);
    CHECK(outbox.clear() == 0);
    CHECK(outbox.bytes() == 0);
}

TEST_CASE("queued events that a new daemon would not take are dropped") {
    Outbox outbox(1 << 20);
    outbox.event(event("small"));
    outbox.event(event("large", std::string(100, ' ')));
    outbox.event(event("small too"));
    outbox.greet({}, {}, 1);
    CHECK(outbox.dropLargerThan(99) == 1);
    CHECK(outbox.dropLargerThan(99) == 0);
    outbox.open();
    CHECK(written(outbox) == "hello sync:1 small small too");
    CHECK(outbox.bytes() == 0);
}

TEST_CASE("a refused subscription is known by its pattern") {
    Outbox outbox(1 << 20);
    outbox.subscribe("a");
    outbox.subscribe("b");
    CHECK(outbox.patternOf(2) == "b");
    outbox.unsubscribe("b");
    CHECK(outbox.patternOf(2).empty());
}
