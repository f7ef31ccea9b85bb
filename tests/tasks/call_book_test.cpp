#include "call_book.hpp"

#include <doctest/doctest.h>

#include "waiting.hpp"

using namespace netcluster;
using namespace netcluster::tasks;
using namespace std::chrono_literals;
using Outcome = Answer::Outcome;

namespace {

// A clock that stands still until it is told.
struct Desk {
    CallBook book;
    CallBook::Time now{};
    std::shared_ptr<Waiting> waiting =
        std::make_shared<AwaitOne>(std::promise<Answer>());  // not asked here

    std::uint64_t open(const std::vector<std::string>& ids, std::chrono::milliseconds deadline) {
        std::vector<CallBook::Expected> nodes;
        for (const std::string& id : ids) nodes.push_back({id, "alpha", "host-1", 7, id == "own"});
        return book.open(std::move(nodes), waiting, now, now + deadline);
    }
    std::optional<CallBook::Settled> answer(std::uint64_t call, const std::string& node,
                                            Json result = nullptr) {
        Answer made;
        made.node = node;
        made.result = std::move(result);
        return book.answered(call, std::move(made), now);
    }
    std::vector<CallBook::Settled> lose(const std::string& id, const std::string& host,
                                        std::int64_t since) {
        return book.lost(
            [&](const CallBook::Expected& one) {
                return one.id == id && one.hostId == host && one.since == since;
            },
            "host", now);
    }
};

std::string told(const std::vector<CallBook::Settled>& all) {
    std::string text;
    for (const auto& one : all) {
        text += one.answer.node + ": " + std::string(nameOf(one.answer.outcome)) + ", " +
                one.answer.error + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("each node answers once; what comes late, twice or unasked is counted and nothing else") {
    Desk desk;
    const auto call = desk.open({"a", "b"}, 1s);
    desk.now += 3ms;
    const auto first = desk.answer(call, "a", 1);
    REQUIRE(first);
    CHECK(first->answer.result == 1);
    CHECK(first->answer.host == "alpha");
    CHECK(first->answer.took == 3ms);
    CHECK_FALSE(desk.answer(call, "a", 2));
    CHECK_FALSE(desk.answer(call, "c", 3));
    CHECK(desk.book.ignored() == 2);
    CHECK(desk.answer(call, "b", 4));
    CHECK(desk.book.callsOpen() == 0);
    CHECK_FALSE(desk.answer(call, "b", 4));
    CHECK_FALSE(desk.answer(99, "b", 4));
    CHECK(desk.book.ignored() == 4);
    CHECK_FALSE(desk.book.nextDeadline());
}

TEST_CASE("at the deadline those that have not answered are answered for, and not before") {
    Desk desk;
    const auto slow = desk.open({"a", "b"}, 500ms);
    const auto quick = desk.open({"c"}, 100ms);
    desk.answer(slow, "a");
    CHECK(desk.book.nextDeadline() == desk.now + 100ms);
    desk.now += 99ms;
    CHECK(desk.book.expired(desk.now).empty());
    desk.now += 1ms;
    CHECK(told(desk.book.expired(desk.now)) == "c: timeout, no answer within 100 ms\n");
    CHECK(desk.book.nextDeadline() == desk.now + 400ms);
    desk.now += 1h;
    CHECK(told(desk.book.expired(desk.now)) == "b: timeout, no answer within 500 ms\n");
    CHECK(desk.book.callsOpen() == 0);
    CHECK_FALSE(desk.answer(quick, "c"));
}

TEST_CASE("a node that goes is lost to all calls that wait for it, and to no others") {
    Desk desk;
    desk.open({"a", "b"}, 1s);
    const auto second = desk.open({"a"}, 1s);
    desk.open({"b"}, 1s);
    CHECK(desk.lose("a", "host-2", 7).empty());  // another one of that id
    CHECK(desk.lose("a", "host-1", 8).empty());  // which has come since
    const auto lost = desk.lose("a", "host-1", 7);
    CHECK(told(lost) == "a: lost, its host is gone\na: lost, its host is gone\n");
    CHECK(desk.book.callsOpen() == 2);
    CHECK_FALSE(desk.answer(second, "a"));
}

TEST_CASE("a call that was not sent is refused for the nodes of others") {
    Desk desk;
    const auto call = desk.open({"own", "other"}, 1s);
    CHECK(told(desk.book.refused(call, true, "full", desk.now)) == "other: refused, full\n");
    CHECK(told(desk.book.refused(call, false, "bad", desk.now)) == "own: refused, bad\n");
    CHECK(desk.book.callsOpen() == 0);
    CHECK(desk.book.refused(call, false, "bad", desk.now).empty());
}

TEST_CASE("pieces are joined, each node's for itself") {
    Desk desk;
    const auto call = desk.open({"a", "b"}, 1s);
    const auto piece = [&](const char* node, std::uint64_t part, const char* text) {
        return desk.book.piece(call, node, part, 2, text, desk.now);
    };
    CHECK_FALSE(piece("a", 0, "[1").whole);
    CHECK_FALSE(piece("b", 0, "{").whole);
    CHECK(piece("a", 1, ",2]").whole == "[1,2]");
    CHECK(piece("b", 1, "}").whole == "{}");
    CHECK(desk.answer(call, "a"));
    CHECK_FALSE(piece("a", 0, "late").failed);
    CHECK(desk.book.ignored() == 1);
}

TEST_CASE("an answer of which a piece is missing fails, with the reason; so does one at the end") {
    Desk desk;
    const auto call = desk.open({"a", "b"}, 1s);
    desk.book.piece(call, "a", 0, 3, "x", desk.now);
    const auto joined = desk.book.piece(call, "a", 2, 3, "z", desk.now);
    REQUIRE(joined.failed);
    CHECK(joined.failed->answer.outcome == Outcome::failed);
    CHECK(joined.failed->answer.error == "piece 2 of its result is lost");
    desk.book.piece(call, "b", 0, 3, "x", desk.now);
    desk.now += 1s;
    CHECK(told(desk.book.expired(desk.now)) ==
          "b: timeout, 1 of 3 pieces of its result came within 1000 ms\n");
}

TEST_CASE("unfinished results have a bound, which holds for all together and is given back") {
    Desk desk;
    const std::string half(maxResult / 2, ' ');
    const auto call = desk.open({"a", "b", "c", "d", "e"}, 1s);
    for (const char* node : {"a", "b"}) {
        for (std::uint64_t part = 0; part < 2; ++part) {
            CHECK_FALSE(desk.book.piece(call, node, part, 3, half, desk.now).failed);
        }
    }
    const auto over = desk.book.piece(call, "c", 0, 3, "x", desk.now);
    REQUIRE(over.failed);
    CHECK(over.failed->answer.error == "more than 536870912 bytes of results are unfinished");
    CHECK(desk.book.piece(call, "a", 2, 3, "", desk.now).whole->size() == maxResult);
    CHECK_FALSE(desk.book.piece(call, "d", 0, 3, half, desk.now).failed);
    CHECK_FALSE(desk.lose("b", "host-1", 7).empty());
    CHECK_FALSE(desk.book.piece(call, "e", 0, 3, half, desk.now).failed);
    desk.book.close();
    CHECK(desk.book.callsOpen() == 0);
}
