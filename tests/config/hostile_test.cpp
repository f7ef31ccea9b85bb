// Texts made to hurt: expressions that cost too much, names that leave the directory, floods.
#include <doctest/doctest.h>

#include "support.hpp"

namespace netcluster::config::test {

namespace {

std::string withPattern(const std::string& pattern) {
    return channel(R"("propagatetochannels": "B", "propagatetonet": ")" + pattern + '"');
}

std::string withChannel(const std::string& name) {
    return R"({"channels": {"control": {}, ")" + name + R"(": {}}})";
}

}  // namespace

TEST_CASE("an expression that would take a backtracking engine for ever is fine with RE2") {
    CHECK(problemsIn(withPattern("(a+)+$")) == "");
}

TEST_CASE("an expression that RE2 does not take is refused in its words") {
    const std::string place = "t:1:81: /channels/A/propagatetonet: bad regular expression: ";
    CHECK(problemsIn(withPattern("(?=x)")) == place + "invalid perl operator in \"(?=\"\n");
    CHECK(problemsIn(withPattern("(a{1,1000}){1,1000}")) ==
          place + "invalid repetition size in \"{1,1000}\"\n");
    CHECK(problemsIn(withPattern("\\\\pL{1,500}")) ==
          place + "pattern too large - compile failed\n");
    CHECK(problemsIn(withPattern("(((")) == place + "missing ) in \"(((\"\n");
    // Its own text is shown cut, so that the message stays a line.
    CHECK(problemsIn(withPattern(std::string(1024, '('))) ==
          place + "missing ) in \"" + std::string(80, '(') + "…\"\n");
}

TEST_CASE("a very long expression is refused unread") {
    const std::string place = "t:1:81: /channels/A/propagatetonet: ";
    const std::string limit = "bad regular expression: longer than 1024 bytes\n";
    CHECK(problemsIn(withPattern(std::string(20000, '('))) == place + limit);
    CHECK(problemsIn(withPattern(std::string(2048, 'a'))) == place + limit);
    CHECK(problemsIn(withPattern(std::string(1024, 'a'))) == "");
}

TEST_CASE("a channel name that could be a path, or is none, is refused at the name") {
    for (const std::string& name :
         {std::string("../x"), std::string("a/b"), std::string(".a"), std::string(".."),
          std::string(""), std::string("a b"), std::string("\xC3\xA9"), std::string("a\\u0007"),
          std::string(65, 'x')}) {
        CAPTURE(name);
        const auto parsed = parse(withChannel(name), "t");
        REQUIRE(parsed.problems.size() == 1);
        CHECK(parsed.problems[0].line == 1);
        CHECK(parsed.problems[0].column == 30);
        CHECK(parsed.problems[0].what.find("is no channel name") != std::string::npos);
        CHECK(parsed.problems[0].text().find('\a') == std::string::npos);
    }
    CHECK(problemsIn(withChannel(std::string(64, 'x'))) == "");
    CHECK(problemsIn(withChannel("A-b_c.9")) == "");
}

TEST_CASE("control may not be defined twice") {
    CHECK(problemsIn(withChannel("control")) ==
          "t:1:30: /channels/control: duplicate key; the first is in line 1\n");
}

TEST_CASE("a text of more than 1 MiB is refused unread") {
    const std::string blanks(maxConfigBytes - document("\"ttl\": 1").size(), ' ');
    CHECK(problemsIn(document("\"ttl\": 1") + blanks) == "");
    CHECK(problemsIn(document("\"ttl\": 1") + blanks + ' ') == "t: is larger than 1 MiB\n");
}

TEST_CASE("a text full of mistakes is answered with the first thousand and a count") {
    std::string keys = "\"ttl\": 1";
    for (int i = 0; i < 50000; ++i) keys += ",\"k" + std::to_string(i) + "\":0";
    const auto problems = parse(document(keys), "t").problems;
    REQUIRE(problems.size() == 1001);
    CHECK(problems[0].text() == "t:1:11: /k0: unknown key");
    CHECK(problems.back().text() == "t: 49000 more problems");
}

TEST_CASE("a text cut off anywhere is refused with a place, never taken and never a crash") {
    const std::string text = R"(/*c*/{"port":1.5e1,"peers":["a:1"],//x
"channels":{"control":{"mode":"\u0030600"}}})";
    for (std::size_t length = 0; length < text.size(); ++length) {
        const auto parsed = parse(std::string_view(text).substr(0, length), "t");
        CAPTURE(length);
        CHECK_FALSE(parsed.settings);
        REQUIRE_FALSE(parsed.problems.empty());
        CHECK(parsed.problems[0].line > 0);
    }
    CHECK(problemsIn(text) == "");
}

TEST_CASE("any byte put anywhere is taken or refused, never a crash") {
    const std::string text = R"({"addr":"ff15::1","peers":["[::1]:1"],"maxevent":"1KiB",
"channels":{"control":{"mode":"0600"},"A":{"propagatetochannels":"B"},"B":{}}})";
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (const char byte : {'\0', '"', '\\', '{', '}', '[', ',', ':', '/', '*', '-', '9', '\n',
                                '(', '\x80', '\xFF'}) {
            std::string broken = text;
            broken[at] = byte;
            const auto parsed = parse(broken, "t");
            CHECK(parsed.settings.has_value() == parsed.problems.empty());
        }
    }
}

}  // namespace netcluster::config::test
