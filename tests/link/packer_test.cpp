#include "packer.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "link_testing.hpp"
#include "message.hpp"
#include "stream.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

constexpr std::size_t maxEvent = std::size_t{256} << 10;
constexpr std::size_t contentRoom = bodyRoom - dataHeadSize("alpha");

// A sender and the reader of its stream, with nothing between them but the buffer.
struct Fixture : StreamReader::Out {
    explicit Fixture(std::size_t queueRoom = SendBuffer::queueRoomFor(maxEvent))
        : buffer(queueRoom, std::size_t{64} << 20) {}

    void onMessage(const wire::FrameView& message) override { heard.emplace_back(message.whole); }
    void onBadStream(Bad reason) override { bad.push_back(reason); }

    std::uint64_t add(const std::string& frames) { return packer.add(runOf(frames)); }
    Data data(std::uint64_t sequence) const {
        Data data;
        REQUIRE(readData(buffer.body(sequence), data) == Bad::none);
        return data;
    }
    /// All that waits arrives.
    void deliver() {
        for (std::uint64_t next = buffer.sent() + 1; next <= buffer.highest(); ++next) {
            CHECK(buffer.body(next).size() <= bodyRoom);
            CHECK(data(next).sequence == next);
            CHECK(data(next).host == "alpha");
            reader.read(data(next).content, data(next).start);
        }
        buffer.markSent(buffer.highest());
    }

    SendBuffer buffer;
    Packer packer{"alpha", maxEvent, buffer};
    std::vector<std::string> heard;
    std::vector<Bad> bad;
    MemoryBudget budget{std::size_t{64} << 20};
    StreamReader reader{messageLimit(maxEvent), budget, *this};
};

std::string message(std::size_t size) {
    return frameOf(bytesNamed("e", patterned(size)));
}

// Data of an event whose message has this size.
std::size_t dataFor(std::size_t messageSize) {
    return messageSize - message(0).size();
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "small events share a datagram until somebody closes it") {
    add(message(1));
    add(message(2));
    CHECK(buffer.highest() == 0);
    CHECK(packer.close());
    CHECK(buffer.highest() == 1);
    CHECK(data(1).start == 0);
    CHECK(data(1).content == message(1) + message(2));
    CHECK_FALSE(packer.close());
    deliver();
    CHECK(heard == std::vector{message(1), message(2)});
    CHECK(packer.counts().events == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "events of every size around a datagram's edges cross whole and in order") {
    std::vector<std::string> all;
    for (std::size_t datagrams = 1; datagrams < 4; ++datagrams) {
        for (int around = -3; around <= 3; ++around) {
            const auto size =
                static_cast<std::size_t>(static_cast<int>(datagrams * contentRoom) + around);
            all.push_back(message(dataFor(size)));
            all.push_back(message(1));
            for (std::size_t i = all.size() - 2; i < all.size(); ++i) CHECK(add(all[i]) == 0);
            // Closed now and then, as at the end of a turn.
            if (around % 2 == 0) packer.close();
        }
    }
    packer.close();
    deliver();
    CHECK(heard == all);
    CHECK(bad.empty());
    CHECK(budget.used() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a large event fills every datagram but the last") {
    add(message(0));
    add(message(10 * contentRoom));
    packer.close();
    CHECK(buffer.highest() == 11);
    for (std::uint64_t i = 1; i <= 10; ++i) CHECK(buffer.body(i).size() == bodyRoom);
    CHECK(data(1).start == 0);
    for (std::uint64_t i = 2; i <= 11; ++i) CHECK(data(i).start == noStart);
}

TEST_CASE_FIXTURE(Fixture, "the start says where the first message begins, and only of the first") {
    add(message(dataFor(contentRoom + 10)));
    add(message(1));
    add(message(2));
    packer.close();
    CHECK(data(1).start == 0);
    CHECK(data(2).start == 10);
    CHECK(data(2).content.substr(10) == message(1) + message(2));

    // One that just fills its datagram leaves none open.
    add(message(dataFor(contentRoom)));
    CHECK(buffer.highest() == 3);
    CHECK_FALSE(packer.close());
    CHECK(data(3).start == 0);
}

TEST_CASE("who joins at any datagram hears every event that begins from there on") {
    std::vector<std::size_t> sizes{10, 3000, 5, 5, 700, 700, 700, 0, 5000, 1};
    for (std::uint64_t join = 1; join < 10; ++join) {
        CAPTURE(join);
        Fixture all;
        std::vector<std::string> expected;
        for (const std::size_t size : sizes) {
            const std::uint64_t begins =
                all.buffer.openSequence() + (all.buffer.isOpen() && all.buffer.room() == 0 ? 1 : 0);
            all.add(message(size));
            if (begins >= join) expected.push_back(message(size));
        }
        all.packer.close();
        REQUIRE(all.buffer.highest() >= join);
        for (std::uint64_t next = join; next <= all.buffer.highest(); ++next) {
            all.reader.read(all.data(next).content, all.data(next).start);
        }
        CHECK(all.heard == expected);
    }
}

TEST_CASE_FIXTURE(Fixture, "a run goes out as its frames are, without a copy in between") {
    const std::string frames = message(1) + message(2) + message(3);
    CHECK(add(frames) == 0);
    CHECK(packer.counts().events == 3);
    packer.close();
    CHECK(data(1).content == frames);
}

TEST_CASE_FIXTURE(
    Fixture,
    "an event with a host, with flags that never travel or built by hand is written anew") {
    wire::EventView event = eventNamed("e", "1");
    event.host = "liar";
    event.flags = wire::broadcastFlag | wire::remoteFlag;
    packer.add(wire::EventRun(event));
    const std::string frame = frameOf(event);
    packer.add(runOf(frame));
    packer.close();
    deliver();
    wire::EventView bare = eventNamed("e", "1");
    bare.flags = wire::broadcastFlag;
    CHECK(heard == std::vector{frameOf(bare), frameOf(bare)});
}

TEST_CASE("what there is no room for is left out whole, and noted in its place") {
    Fixture all(20 * bodyRoom);
    std::vector<std::string> taken;
    std::uint64_t dropped = 0;
    for (int i = 0; i < 40; ++i) {
        const std::string one = message(contentRoom);
        const std::uint64_t out = all.add(one);
        CHECK(out <= 1);
        dropped += out;
        if (out == 0) taken.push_back(one);
    }
    CHECK(dropped > 15);
    CHECK(all.packer.counts().dropped == dropped);
    CHECK(all.packer.counts().events == 40 - dropped);
    // A small one may still fit; the note stands before it.
    all.packer.close();
    all.deliver();
    REQUIRE(all.heard.size() > 1);
    wire::FrameView note;
    REQUIRE(wire::nextFrame(all.heard.back(), 4096, note) == wire::Walk::frame);
    CHECK(note.type == wire::FrameType::gap);
    CHECK(wire::readGap(note)->count == dropped);
    all.heard.pop_back();
    CHECK(all.heard == taken);

    CHECK(all.add(message(1)) == 0);
    all.packer.close();
    all.deliver();
    CHECK(all.heard.back() == message(1));
    CHECK(all.bad.empty());
}

TEST_CASE("a note stands before the next event that is taken") {
    Fixture all(10 * bodyRoom);
    std::uint64_t dropped = all.add(message(20 * contentRoom));
    CHECK(dropped == 1);
    all.add(message(3));
    all.packer.close();
    all.deliver();
    REQUIRE(all.heard.size() == 2);
    CHECK(all.heard[0][4] == static_cast<char>(wire::FrameType::gap));
    CHECK(all.heard[1] == message(3));
}

TEST_CASE_FIXTURE(Fixture, "an event larger than any is left out, however much room there is") {
    CHECK(add(message(maxEvent + wire::maxEventOverhead)) == 1);
    CHECK(add(message(maxEvent)) == 0);
}

TEST_CASE("what there is said to be room for is taken") {
    for (std::size_t size = 0; size < 3 * contentRoom; size += 37) {
        for (std::size_t before = 0; before < 2 * contentRoom; before += 101) {
            Fixture all(12 * bodyRoom);
            all.add(message(before));
            std::string run;
            for (int i = 0; i < 3; ++i) run += message(size);
            while (all.packer.hasRoom(runOf(run))) {
                if (all.add(run) == 0) continue;
                CAPTURE(size);
                CAPTURE(before);
                FAIL("said to have room, and dropped");
            }
            CHECK(all.packer.counts().dropped == 0);
        }
    }
}

TEST_CASE("the queue always takes one event of the largest size while another waits") {
    for (const std::size_t largest :
         {std::size_t{1} << 10, std::size_t{4} << 20, std::size_t{16} << 20}) {
        SendBuffer buffer(SendBuffer::queueRoomFor(largest), 1);
        Packer packer(std::string(maxHostName, 'h'), largest, buffer);
        const std::string one = frameOf(bytesNamed("e", std::string(largest, 'x')));
        for (int i = 0; i < 2; ++i) {
            CHECK(packer.hasRoom(runOf(one)));
            CHECK(packer.add(runOf(one)) == 0);
        }
    }
}

// -- the buffer --------------------------------------------------------------------------------

TEST_CASE("the buffer keeps what was sent until there is no room, oldest first") {
    SendBuffer buffer(std::size_t{8} << 20, std::size_t{1} << 20);
    const auto put = [&](std::string_view bytes) {
        buffer.begin();
        CHECK(buffer.isOpen());
        CHECK(buffer.room() == bodyRoom);
        buffer.append(bytes);
        CHECK(buffer.room() == bodyRoom - bytes.size());
        buffer.finish();
    };
    CHECK(buffer.highest() == 0);
    CHECK(buffer.sent() == 0);
    CHECK(buffer.oldest() == 1);
    CHECK_FALSE(buffer.holds(1));
    for (int i = 1; i <= 5000; ++i) put(std::to_string(i));
    CHECK(buffer.waiting() == 5000);
    CHECK(buffer.oldest() == 1);  // what was not sent is never thrown away

    buffer.markSent(5000);
    CHECK(buffer.waiting() == 0);
    CHECK(buffer.oldest() > 1);
    // About as much as there is memory for.
    CHECK(5000 - buffer.oldest() > 700);
    CHECK(5000 - buffer.oldest() < 1000);
    for (std::uint64_t i = buffer.oldest(); i <= 5000; ++i) {
        CHECK(buffer.holds(i));
        CHECK(buffer.body(i) == std::to_string(i));
        CHECK(buffer.repeated(i) == Time{});
    }
    CHECK_FALSE(buffer.holds(buffer.oldest() - 1));
    CHECK_FALSE(buffer.holds(5001));
    buffer.repeated(4999) = Time{std::chrono::hours(1)};
    CHECK(buffer.repeated(5000) == Time{});
    buffer.markSent(4000);  // a repetition
    CHECK(buffer.sent() == 5000);
}

TEST_CASE("a place used again has forgotten when its former datagram was repeated") {
    SendBuffer buffer(std::size_t{8} << 20, 1);
    for (int i = 1; i <= 1000; ++i) {
        buffer.begin();
        buffer.append("x");
        buffer.finish();
        const auto last = static_cast<std::uint64_t>(i);
        CHECK(buffer.repeated(last) == Time{});
        buffer.repeated(last) = Time{std::chrono::hours(1)};
        buffer.markSent(last);
        CHECK(last - buffer.oldest() < 130);
    }
}

TEST_CASE("what was patched is what is sent, and senders go on when half has drained") {
    SendBuffer buffer(10 * bodyRoom, 1);
    buffer.begin();
    CHECK(buffer.openSequence() == 1);
    buffer.append("abcd");
    buffer.patch(1, 0x3231);
    CHECK(buffer.openSize() == 4);
    buffer.finish();
    CHECK(buffer.body(1) == "a12d");
    CHECK(buffer.drained());
    for (int i = 0; i < 9; ++i) {
        buffer.begin();
        buffer.append("x");
        buffer.finish();
    }
    CHECK_FALSE(buffer.drained());
    CHECK_FALSE(buffer.hasRoom(1));
    buffer.markSent(4);
    CHECK_FALSE(buffer.drained());
    buffer.markSent(5);
    CHECK(buffer.drained());
    CHECK(buffer.hasRoom(1));
    CHECK_FALSE(buffer.hasRoom(100 * bodyRoom));
}
