#include "subscriptions.hpp"

#include <doctest/doctest.h>

namespace netcluster::daemon {

TEST_CASE("patterns must match the whole name") {
    PatternCache cache;
    Subscriptions patterns;
    CHECK(patterns.add(1, "A.*", cache).empty());
    CHECK(patterns.add(2, "log", cache).empty());
    CHECK(patterns.match("AAA"));
    CHECK(patterns.match("log"));
    CHECK_FALSE(patterns.match("logs"));
    CHECK_FALSE(patterns.match("BA"));
    CHECK(patterns.match("A\nB"));

    patterns.remove(1);
    CHECK_FALSE(patterns.match("AAA"));
    CHECK(patterns.texts() == std::vector<std::string>{"log"});
}

TEST_CASE("what does not compile, or is too much, is refused with the reason") {
    PatternCache cache;
    Subscriptions patterns;
    CHECK(patterns.add(1, "a(", cache) == "missing ): a(");
    CHECK(patterns.add(1, "(?=x)", cache).find("invalid perl operator") == 0);
    CHECK(patterns.add(1, std::string(2000, 'x'), cache) == "longer than 1024 bytes");
    CHECK_FALSE(patterns.match("a("));
    for (std::uint32_t id = 1; id <= Subscriptions::maxPatterns; ++id) {
        CHECK(patterns.add(id, "x" + std::to_string(id), cache).empty());
    }
    CHECK(patterns.add(0, "y", cache) == "more than 4096 patterns");
    CHECK(patterns.add(7, "y", cache).empty());  // in place of another
}

TEST_CASE("clients that listen to the same share one automaton") {
    PatternCache cache;
    CHECK(cache.get("a.*").pattern == cache.get("a.*").pattern);
}

}  // namespace netcluster::daemon
