#include "backlog.hpp"

#include <doctest/doctest.h>

#include <string>

namespace netcluster::daemon {
namespace {

std::string all(const Backlog& backlog) {
    std::vector<std::string_view> pieces;
    backlog.gather(pieces, 1024);
    std::string text;
    for (const auto piece : pieces) text += piece;
    return text;
}

}  // namespace

TEST_CASE("bytes come out in the order they went in, across blocks") {
    Backlog backlog;
    std::string expected;
    for (int i = 0; i < 50; ++i) {
        const std::string event(5000, static_cast<char>('a' + i % 26));
        backlog.append(event, true, 1);
        expected += event;
    }
    CHECK(all(backlog) == expected);
    CHECK(backlog.bytes() == expected.size());

    CHECK(backlog.consume(12345) == 2);
    expected.erase(0, 12345);
    CHECK(all(backlog) == expected);
    CHECK(backlog.frontIsPartial());

    std::string rest;
    backlog.removeFront(&rest);
    CHECK(rest == std::string(2655, 'c'));
    CHECK_FALSE(backlog.frontIsPartial());
    CHECK(backlog.consume(backlog.bytes()) == 47);
    CHECK(backlog.empty());
    CHECK(backlog.cost() == 0);
}

TEST_CASE("notices are told from events, and gap notices count for what they tell of") {
    Backlog backlog;
    backlog.append("event", true, 1);
    backlog.append("gap", false, 7);
    backlog.append("answer", false, 0);
    CHECK(backlog.noticeBytes() == 6);
    CHECK(backlog.consume(8) == 8);
    CHECK(backlog.noticeBytes() == 6);
    CHECK(backlog.consume(6) == 0);
    CHECK(backlog.noticeBytes() == 0);
}

}  // namespace netcluster::daemon
