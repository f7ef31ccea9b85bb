#include "inflow.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "link_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

struct Fixture : Inflow::Out {
    // As routing takes it: by the first event and the frames of all.
    void onEvents(const wire::EventRun& run) override {
        views.push_back(run.frames);
        runs.emplace_back();
        std::size_t count = 0;
        wire::forEachFrame(run.frames, [&](std::string_view frame) {
            wire::FrameView view;
            REQUIRE(wire::nextFrame(frame, frame.size(), view) == wire::Walk::frame);
            const auto event = wire::readEvent(view);
            REQUIRE(event);
            // What is decided for the first holds for all.
            CHECK(event->name == run.first.name);
            CHECK(event->channel == run.first.channel);
            CHECK(event->flags == run.first.flags);
            CHECK(event->host == run.first.host);
            CHECK(run.event(frame).payload == event->payload);
            CHECK((event->flags & wire::remoteFlag) != 0);
            runs.back() += std::string(event->host) + ":" + std::string(event->name) + "=" +
                           std::string(event->payload) + " ";
            senders.push_back(event->sender);
            last = *event;
            ++count;
        });
        CHECK(count == run.count);
        CHECK(run.first.knownJson);
    }

    Bad add(const wire::EventView& event, std::string_view host = "alpha") {
        return addFrame(frameOf(event), host);
    }
    Bad addFrame(const std::string& bytes, std::string_view host = "alpha") {
        // Memory of its own: what is kept must be a copy.
        const std::vector<char> own(bytes.begin(), bytes.end());
        wire::FrameView frame;
        REQUIRE(wire::nextFrame({own.data(), own.size()}, own.size(), frame) == wire::Walk::frame);
        return inflow.add(frame, host);
    }

    Inflow inflow{1000, *this};
    std::vector<std::string> runs;
    std::vector<std::string_view> views;
    std::vector<wire::Uuid> senders;
    wire::EventView last;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "events that differ in their data alone are handed on as one run") {
    for (const char* data : {"1", "", "[true]", "{}"}) {
        CHECK(add(eventNamed("e", data)) == Bad::none);
    }
    CHECK(runs.empty());
    inflow.flush();
    CHECK(runs == std::vector<std::string>{"alpha:e=1 alpha:e= alpha:e=[true] alpha:e={} "});
    inflow.flush();
    CHECK(runs.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "each keeps its own sender") {
    wire::EventView event = eventNamed("e", "1");
    for (const std::uint8_t one : {1, 2, 3}) {
        event.sender = uuidOf(one);
        add(event);
    }
    inflow.flush();
    CHECK(runs.size() == 1);
    CHECK(senders == std::vector{uuidOf(1), uuidOf(2), uuidOf(3)});
}

TEST_CASE_FIXTURE(Fixture, "anything else begins another run") {
    wire::EventView event = eventNamed("e", "1");
    add(event);
    event.name = "f";
    add(event);
    event.channel = "B";
    add(event);
    event.flags = wire::broadcastFlag;
    add(event);
    event.flags = wire::bytesFlag;
    add(event);
    event.to = "node-7";
    add(event);
    event.id = "42";
    add(event);
    event.replyTo = "me";
    add(event);
    add(event, "beta");
    add(event, "beta");
    inflow.flush();
    CHECK(runs == std::vector<std::string>{"alpha:e=1 ", "alpha:f=1 ", "alpha:f=1 ", "alpha:f=1 ",
                                           "alpha:f=1 ", "alpha:f=1 ", "alpha:f=1 ", "alpha:f=1 ",
                                           "beta:f=1 beta:f=1 "});
    CHECK(last.to == "node-7");
    CHECK(last.id == "42");
    CHECK(last.replyTo == "me");
    CHECK(last.flags == (wire::bytesFlag | wire::remoteFlag));
}

TEST_CASE_FIXTURE(Fixture, "names that only together are alike are not") {
    wire::EventView event = eventNamed("ab", "1");
    event.channel = "c";
    add(event);
    event.name = "a";
    event.channel = "bc";
    add(event);
    event.name = "ab";
    event.channel = "c";
    add(event);
    add(eventNamed("e", "12"));
    add(eventNamed("e1", "2"));
    inflow.flush();
    CHECK(runs == std::vector<std::string>{"alpha:ab=1 ", "alpha:a=1 ", "alpha:ab=1 ",
                                           "alpha:e=12 ", "alpha:e1=2 "});
}

TEST_CASE_FIXTURE(Fixture,
                  "the host is the one that the datagram names, never the one in the frame") {
    wire::EventView event = eventNamed("e", "1");
    event.host = "liar";
    CHECK(add(event) == Bad::none);
    CHECK(add(event) == Bad::none);
    inflow.flush();
    CHECK(runs == std::vector<std::string>{"alpha:e=1 alpha:e=1 "});
}

TEST_CASE_FIXTURE(Fixture, "bad messages are dropped by name, alone, in a run or after one") {
    const auto named = [](std::string_view name) { return eventNamed(name, "1"); };
    wire::EventView channel = named("e");
    channel.channel = "../x";
    wire::EventView flags = named("e");
    flags.flags = wire::remoteFlag;
    wire::EventView to = named("e");
    to.to = "\xFF";
    const std::string large(1001, '1');
    const std::vector<std::pair<wire::EventView, Bad>> cases{
        {named(""), Bad::eventName},
        {named("\xFF"), Bad::eventName},
        {named("nc-control-stats"), Bad::reservedName},
        {channel, Bad::channel},
        {flags, Bad::event},
        {to, Bad::event},
        {eventNamed("e", "{"), Bad::json},
        {eventNamed("e", large), Bad::tooLarge},
        {bytesNamed("e", large), Bad::tooLarge},
    };
    for (int round = 0; round < 2; ++round) {
        for (const auto& [event, reason] : cases) {
            CHECK(add(event) == reason);
            CHECK(add(event) == reason);
            CHECK(add(eventNamed("e", "1")) == Bad::none);
            // Of the same kind as the good one before it.
            CHECK(add(eventNamed("e", "{")) == Bad::json);
            CHECK(add(eventNamed("e", large)) == Bad::tooLarge);
            CHECK(add(eventNamed("e", "2")) == Bad::none);
        }
    }
    inflow.flush();
    std::string all;
    for (const std::string& run : runs) all += run;
    std::string expected;
    for (std::size_t i = 0; i < 2 * cases.size(); ++i) expected += "alpha:e=1 alpha:e=2 ";
    CHECK(all == expected);
}

TEST_CASE_FIXTURE(Fixture, "a frame that is no event is refused, also behind events") {
    std::string sync;
    wire::appendSync(sync, wire::FrameType::sync, 1);
    CHECK(addFrame(sync) == Bad::event);
    CHECK(add(eventNamed("e", "1")) == Bad::none);
    CHECK(addFrame(sync) == Bad::event);
    inflow.flush();
    CHECK(runs == std::vector<std::string>{"alpha:e=1 "});
}

TEST_CASE_FIXTURE(Fixture,
                  "a frame shorter than what its like has before the data is judged by itself") {
    add(eventNamed("longer-name", "1"));
    std::string shorter = frameOf(eventNamed("longer-name", ""));
    shorter.resize(shorter.size() - 1);
    wire::storeLittle(shorter.data(), static_cast<std::uint32_t>(shorter.size() - 4));
    CHECK(addFrame(shorter) == Bad::event);
    shorter.resize(12);
    wire::storeLittle(shorter.data(), std::uint32_t{8});
    CHECK(addFrame(shorter) == Bad::event);
    CHECK(add(eventNamed("longer-name", "")) == Bad::none);
    inflow.flush();
    CHECK(runs == std::vector<std::string>{"alpha:longer-name=1 ", "alpha:longer-name= "});
}

TEST_CASE_FIXTURE(Fixture, "addresses that leave no room for the host's name refuse the event") {
    const std::string address(wire::maxAddress, 'x');
    wire::EventView event = eventNamed("e", "1");
    event.to = event.id = event.replyTo = address;
    CHECK(add(event) == Bad::none);
    CHECK(add(event, std::string(maxHostName, 'h')) == Bad::none);
    inflow.flush();
    CHECK(runs.size() == 2);
    CHECK(last.host == std::string(maxHostName, 'h'));
    CHECK(last.replyTo == address);
}

TEST_CASE("what was handed on stands still until it is done with, however much follows") {
    struct : Fixture {
        Inflow large{std::size_t{1} << 20, *this};
        Bad put(const wire::EventView& event) {
            const std::string bytes = frameOf(event);
            wire::FrameView frame;
            wire::nextFrame(bytes, bytes.size(), frame);
            return large.add(frame, "alpha");
        }
    } all;
    for (int round = 0; round < 3; ++round) {
        all.views.clear();
        std::vector<std::string> expected;
        for (std::size_t i = 0; i < 3000; ++i) {
            const std::string data = patterned(i % 700 == 0 ? 300'000 : i % 600);
            REQUIRE(all.put(bytesNamed("e", data)) == Bad::none);
            wire::EventView event = bytesNamed("e", "");
            event.flags |= wire::remoteFlag;
            event.host = "alpha";
            event.payload = data;
            expected.push_back(frameOf(event));
        }
        all.large.flush();
        // Several chunks: a run never goes from one to the next.
        CHECK(all.views.size() > 4);
        std::size_t i = 0;
        for (const std::string_view view : all.views) {
            wire::forEachFrame(view,
                               [&](std::string_view frame) { CHECK(frame == expected.at(i++)); });
        }
        CHECK(i == expected.size());
        all.large.reset();
    }
}
