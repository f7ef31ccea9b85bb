#include "stream.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "link_testing.hpp"
#include "message.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

constexpr std::size_t maxEvent = std::size_t{256} << 10;

struct Fixture : StreamReader::Out {
    void onMessage(const wire::FrameView& message) override { heard.emplace_back(message.whole); }
    void onBadStream(Bad reason) override { bad.push_back(reason); }

    /// As much of the stream as one datagram holds.
    void read(std::string_view content, std::uint16_t start) {
        // Memory of its own: what is kept must be a copy.
        const std::vector<char> bytes(content.begin(), content.end());
        reader.read({bytes.data(), bytes.size()}, start);
    }

    std::vector<std::string> heard;
    std::vector<Bad> bad;
    MemoryBudget budget{std::size_t{1} << 20};
    StreamReader reader{messageLimit(maxEvent), budget, *this};
};

std::string message(std::size_t size) {
    return frameOf(bytesNamed("e", patterned(size)));
}

struct Piece {
    std::string content;
    std::uint16_t start = noStart;
};

// The messages in pieces of these sizes, over and over.
std::vector<Piece> cut(const std::vector<std::string>& messages,
                       const std::vector<std::size_t>& sizes) {
    std::string stream;
    std::vector<std::size_t> begins;
    for (const std::string& one : messages) {
        begins.push_back(stream.size());
        stream += one;
    }
    std::vector<Piece> pieces;
    std::size_t next = 0;
    for (std::size_t at = 0; at < stream.size();) {
        Piece piece{stream.substr(at, sizes[pieces.size() % sizes.size()])};
        while (next < begins.size() && begins[next] < at) ++next;
        if (next < begins.size() && begins[next] < at + piece.content.size()) {
            piece.start = static_cast<std::uint16_t>(begins[next] - at);
        }
        at += piece.content.size();
        pieces.push_back(std::move(piece));
    }
    return pieces;
}

}  // namespace

TEST_CASE("messages come whole and in order, however their stream is cut") {
    const std::vector<std::string> messages{message(0),  message(1),     message(100),
                                            message(50), message(5000),  message(3),
                                            message(0),  message(20000), message(7)};
    for (std::size_t size = 1; size < 120; ++size) {
        CAPTURE(size);
        Fixture all;
        for (const Piece& piece : cut(messages, {size})) all.read(piece.content, piece.start);
        CHECK(all.heard == messages);
        CHECK(all.bad.empty());
        CHECK(all.budget.used() == 0);
        CHECK(all.reader.incomplete() == 0);
    }
}

TEST_CASE(
    "and at random, with pieces missing: what lies in those that came arrives, nothing else") {
    for (unsigned seed = 0; seed < 500; ++seed) {
        CAPTURE(seed);
        std::minstd_rand random(seed + 1);
        std::vector<std::string> messages;
        std::vector<std::size_t> sizes;
        for (int i = 0; i < 40; ++i) messages.push_back(message(random() % (i % 5 ? 60 : 3000)));
        for (int i = 0; i < 10; ++i) sizes.push_back(1 + random() % 1200);
        const std::vector<Piece> pieces = cut(messages, sizes);

        Fixture all;
        std::vector<bool> came(pieces.size());
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            came[i] = random() % 10 != 0;
            if (came[i]) {
                all.read(pieces[i].content, pieces[i].start);
            } else {
                all.reader.missing();
            }
        }
        // A message comes if, and only if, every piece that holds some of it came.
        std::vector<std::string> expected;
        std::size_t at = 0;
        for (const std::string& one : messages) {
            bool whole = true;
            std::size_t begin = 0;
            for (std::size_t i = 0; i < pieces.size(); ++i) {
                const std::size_t end = begin + pieces[i].content.size();
                if (begin < at + one.size() && at < end) whole = whole && came[i];
                begin = end;
            }
            if (whole) expected.push_back(one);
            at += one.size();
        }
        CHECK(all.heard == expected);
        CHECK(all.bad.empty());
        all.reader.missing();
        CHECK(all.budget.used() == 0);
    }
}

TEST_CASE_FIXTURE(Fixture, "who joins in the middle waits for a beginning") {
    const std::string one = message(10);
    read("the end of something", noStart);
    read("more of it" + one, 10);
    read(one, 0);
    CHECK(heard == std::vector<std::string>{one, one});
    CHECK(reader.incomplete() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a message whose piece is missing is counted, and never put together") {
    const std::string large = message(3000);
    read(large.substr(0, 1000), 0);
    CHECK(budget.used() >= 1000);
    reader.missing();
    CHECK(budget.used() == 0);
    CHECK(reader.incomplete() == 1);
    read(large.substr(2000), noStart);
    const std::string next = message(5);
    read("rest" + next, 4);
    CHECK(heard == std::vector<std::string>{next});
    // Between two messages nothing is lost.
    reader.missing();
    CHECK(reader.incomplete() == 1);
}

TEST_CASE_FIXTURE(Fixture, "an impossible length ends the reading until the next beginning") {
    const std::string good = message(5);
    std::string tooLong = message(5);
    wire::storeLittle(tooLong.data(), std::uint32_t{0xFFFFFFF0});
    read(good + tooLong + good, 0);
    CHECK(bad == std::vector{Bad::event});
    CHECK(heard == std::vector<std::string>{good});
    read(good, noStart);
    CHECK(heard.size() == 1);
    read(good, 0);
    CHECK(heard.size() == 2);

    // Its length cut in two.
    read(tooLong.substr(0, 3), 0);
    read(tooLong.substr(3), noStart);
    CHECK(bad == std::vector{Bad::event, Bad::event});
    CHECK(budget.used() == 0);
    read(good, 0);
    CHECK(heard.size() == 3);
}

TEST_CASE_FIXTURE(Fixture,
                  "a length is believed up to the largest event, and costs nothing itself") {
    std::string head = message(0);
    wire::storeLittle(head.data(), static_cast<std::uint32_t>(messageLimit(maxEvent) - 4));
    read(head, 0);
    CHECK(bad.empty());
    CHECK(budget.used() <= 4096);

    Fixture other;
    wire::storeLittle(head.data(), static_cast<std::uint32_t>(messageLimit(maxEvent) - 3));
    other.read(head, 0);
    CHECK(other.bad == std::vector{Bad::event});
    CHECK(other.budget.used() == 0);
}

TEST_CASE("memory is shared, and who finds none gives up one message") {
    struct Two : Fixture {
        StreamReader second{messageLimit(maxEvent), budget, *this};
    } two;
    two.budget.take((std::size_t{1} << 20) - 8192);
    const std::string large = message(9000);
    two.read(large.substr(0, 1000), 0);
    two.second.read(std::string_view(large).substr(0, 1000), 0);
    CHECK(two.bad.empty());
    two.read(large.substr(1000), noStart);
    CHECK(two.bad == std::vector{Bad::noMemory});
    CHECK(two.reader.incomplete() == 1);
    CHECK(two.budget.used() == (std::size_t{1} << 20) - 4096);

    const std::string next = message(5);
    two.read(next, 0);
    CHECK(two.heard == std::vector<std::string>{next});
    two.second.missing();
    CHECK(two.budget.used() == (std::size_t{1} << 20) - 8192);
}

TEST_CASE("the largest event never needs more memory than its own size and what it begins with") {
    struct : Fixture {
        MemoryBudget just{messageLimit(maxEvent)};
        StreamReader only{messageLimit(maxEvent), just, *this};
    } one;
    const std::string largest = frameOf(bytesNamed("e", patterned(maxEvent)));
    for (std::size_t at = 0; at < largest.size(); at += 1000) {
        one.only.read(std::string_view(largest).substr(at, 1000), at == 0 ? 0 : noStart);
    }
    CHECK(one.bad.empty());
    CHECK(one.heard == std::vector<std::string>{largest});
    CHECK(one.just.used() == 0);
}

TEST_CASE("memory goes back with its reader") {
    Fixture all;
    {
        StreamReader reader(messageLimit(maxEvent), all.budget, all);
        reader.read(std::string_view(message(3000)).substr(0, 1000), 0);
        CHECK(all.budget.used() != 0);
    }
    CHECK(all.budget.used() == 0);
}
