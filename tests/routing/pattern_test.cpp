#include "pattern.hpp"

#include <doctest/doctest.h>

namespace netcluster {

TEST_CASE("a pattern matches the whole name, or anywhere when it is a channel rule") {
    const auto whole = [](const char* pattern, const char* name) {
        return Pattern::compile(pattern).pattern->matches(name);
    };
    const auto anywhere = [](const char* pattern, const char* name) {
        return Pattern::compile(pattern, Pattern::Anchor::anywhere).pattern->matches(name);
    };
    CHECK(whole("A.*", "AAA"));
    CHECK(whole("A", "A"));
    CHECK_FALSE(whole("A", "AA"));
    CHECK_FALSE(whole("A.*", "BA"));
    CHECK(whole("^A$", "A"));
    CHECK(whole("a|b", "b"));
    CHECK_FALSE(whole("a|b", "ab"));
    CHECK(anywhere("A", "XAX"));
    CHECK_FALSE(anywhere("^A$", "XAX"));
}

TEST_CASE("a name without operators is a literal, its escapes taken off") {
    CHECK(Pattern::compile("sensor-1").pattern->isLiteral());
    CHECK_FALSE(Pattern::compile("sensor.1").pattern->isLiteral());
    const auto escaped = Pattern::compile("sensor\\.1\\+").pattern;
    CHECK(escaped->isLiteral());
    CHECK(escaped->text() == "sensor\\.1\\+");
    CHECK(escaped->matches("sensor.1+"));
    CHECK_FALSE(escaped->matches("sensorx1+"));
    CHECK_FALSE(Pattern::compile("sensor\\d").pattern->isLiteral());
    CHECK_FALSE(Pattern::compile("sensor\\").pattern);
}

TEST_CASE("a hostile pattern is refused or harmless, never slow") {
    CHECK_FALSE(Pattern::compile(std::string(20000, '(')).pattern);
    CHECK_FALSE(Pattern::compile("(a{1,1000}){1,1000}").pattern);
    CHECK(Pattern::compile("\xFF").error == "invalid UTF-8");
    CHECK(Pattern::compile("\xFF.").error == "invalid UTF-8");
    CHECK(Pattern::compile("caf\xC3\xA9").pattern->matches("caf\xC3\xA9"));
    const auto greedy = Pattern::compile("(a+)+$").pattern;
    REQUIRE(greedy);
    CHECK_FALSE(greedy->matches(std::string(250, 'a') + "!"));
}

}  // namespace netcluster
