#include "origin_window.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace netcluster::daemon::link;
using Result = OriginWindow::Result;

namespace {

Result take(OriginWindow& window, std::uint64_t number, std::uint64_t back) {
    const Result result = window.judge(number, back);
    if (result == Result::fresh) window.add(number, back);
    return result;
}

}  // namespace

TEST_CASE("what comes in order is fresh once, and stays one span however much it is") {
    OriginWindow window;
    CHECK(take(window, 100, 0) == Result::fresh);
    for (std::uint64_t number = 103; number < 100'000; number += 3) {
        REQUIRE(take(window, number, 3) == Result::fresh);
    }
    CHECK(window.spans() == 1);
    for (std::uint64_t number = 100; number < 100'000; number += 3) {
        REQUIRE(take(window, number, 3) == Result::seen);
    }
}

TEST_CASE("behind a hole an event is ahead; what fills the hole is fresh and closes it") {
    OriginWindow window;
    take(window, 10, 0);
    CHECK(take(window, 30, 10) == Result::ahead);
    CHECK(take(window, 30, 0) == Result::ahead);  // who knows what was before it
    window.add(30, 10);
    CHECK(window.spans() == 2);
    CHECK(take(window, 30, 10) == Result::seen);
    CHECK(take(window, 20, 10) == Result::fresh);
    CHECK(window.spans() == 1);
    CHECK(take(window, 20, 10) == Result::seen);
    CHECK(take(window, 40, 10) == Result::fresh);
}

TEST_CASE("what came before the first is fresh; all up to a floor is not") {
    OriginWindow window;
    take(window, 30, 10);
    CHECK(take(window, 20, 10) == Result::fresh);
    CHECK(window.spans() == 1);
    window.seenUpTo(25);
    CHECK(take(window, 10, 0) == Result::seen);
    CHECK(take(window, 30, 10) == Result::seen);
    CHECK(take(window, 40, 10) == Result::fresh);
    OriginWindow other;
    other.seenUpTo(25);
    CHECK(take(other, 35, 10) == Result::fresh);
    CHECK(take(other, 65, 20) == Result::ahead);
}

TEST_CASE("with too many holes the oldest events count as seen: nothing comes twice") {
    OriginWindow window;
    constexpr std::uint64_t holes = OriginWindow::maxSpans + 100;
    for (std::uint64_t i = 1; i <= holes; ++i) window.add(i * 10, 5);
    CHECK(window.spans() == OriginWindow::maxSpans);
    for (std::uint64_t i = 1; i <= holes; ++i) REQUIRE(take(window, i * 10, 5) == Result::seen);
    CHECK(take(window, 5, 0) == Result::seen);
}

TEST_CASE("in any order, with any copies, each is fresh once") {
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937 random(seed);
        std::vector<std::pair<std::uint64_t, std::uint64_t>> events;
        std::uint64_t number = 1;
        for (int i = 0; i < 100; ++i) {
            const std::uint64_t back = 1 + random() % 50;
            number += back;
            for (unsigned copies = 0; copies < 1 + seed % 3; ++copies) {
                events.emplace_back(number, random() % 5 == 0 ? 0 : back);
            }
        }
        std::shuffle(events.begin(), events.end(), random);
        OriginWindow window;
        std::set<std::uint64_t> seen;
        for (const auto& [one, back] : events) {
            const bool known = window.judge(one, back) == Result::seen;
            REQUIRE(known == !seen.insert(one).second);
            if (!known) window.add(one, back);
        }
    }
}
