#include <doctest/doctest.h>

#include "schedules.hpp"

using netcluster::worker::Schedules;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

TEST_CASE("schedules keep to their period, however late they are looked at") {
    const Schedules::Time start{1000s};
    Schedules schedules;
    CHECK_FALSE(schedules.next());
    schedules.add("slow", 1s, start);
    schedules.add("fast", 250ms, start);
    CHECK(schedules.next() == start + 250ms);
    CHECK(schedules.due(start + 249ms).empty());
    CHECK(schedules.due(start + 260ms) == Names{"fast"});
    schedules.ended("fast");
    CHECK(schedules.next() == start + 500ms);  // not 510
    CHECK(schedules.due(start + 500ms) == Names{"fast"});
    schedules.ended("fast");
    CHECK(schedules.leftOut() == 0);

    // Much too late: once, then at the next multiple.
    CHECK(schedules.due(start + 3100ms) == Names{"slow", "fast"});
    CHECK(schedules.leftOut() == 2 + 9);
    CHECK(schedules.next() == start + 3250ms);
}

TEST_CASE("a schedule does not overlap with itself") {
    const Schedules::Time start{};
    Schedules schedules;
    schedules.add("f", 100ms, start);
    schedules.add("g", 100ms, start);
    CHECK(schedules.due(start + 100ms) == Names{"f", "g"});
    schedules.ended("g");
    CHECK(schedules.due(start + 200ms) == Names{"g"});
    CHECK(schedules.leftOut() == 1);
    schedules.ended("f");
    schedules.ended("g");
    CHECK(schedules.due(start + 300ms) == Names{"f", "g"});
}
