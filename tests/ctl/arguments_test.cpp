#include "arguments.hpp"

#include <doctest/doctest.h>

namespace netcluster::ctl {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("options stand anywhere, with their values in any of the usual ways") {
    for (const Words& words : {Words{"--json", "listen", "-C", "3", "A", "--wait", "0.5", "b"},
                               Words{"listen", "A", "b", "--count=3", "-W0.5", "--json"}}) {
        const auto parsed = parseWords(words);
        CHECK(parsed.error == "");
        CHECK(parsed.command == findCommand("listen"));
        CHECK(parsed.call.arguments == Words{"A", "b"});
        CHECK(parsed.call.has("--json"));
        CHECK(parsed.call.value("--count") == "3");
        CHECK(parsed.call.value("--wait") == "0.5");
    }
}

TEST_CASE("long names may have one dash") {
    const auto parsed = parseWords({"-json", "listen", "-count", "3", "A", "-wait=0.5", "-C4"});
    CHECK(parsed.error == "");
    CHECK(parsed.call.has("--json"));
    CHECK(parsed.call.value("--count") == "4");
    CHECK(parsed.call.value("--wait") == "0.5");
    CHECK(parseWords({"listen", "-bogus", "A"}).error == "there is no option -bogus");
}

TEST_CASE("data and patterns are taken as they are") {
    const Words data{"-5", "-.5", "-", "[1,2]", "{}", ""};
    for (const auto& text : data) {
        const auto parsed = parseWords({"emit", "A", "e", text});
        CHECK(parsed.error == "");
        CHECK(parsed.call.arguments == Words{"A", "e", text});
    }
    CHECK(parseWords({"listen", "A", "[ab]", "[a,b]"}).call.arguments ==
          Words{"A", "[ab]", "[a,b]"});
    CHECK(parseWords({"emit", "A", "--", "--broadcast"}).call.arguments ==
          Words{"A", "--broadcast"});
}

TEST_CASE("the call form is one word of the command line") {
    const auto parsed = parseWords({"--json", "showclient(\"A\", '0f8e')"});
    CHECK(parsed.error == "");
    CHECK(parsed.command == findCommand("showclient"));
    CHECK(parsed.call.arguments == Words{"A", "0f8e"});
}

TEST_CASE("what does not fit the table says so") {
    const std::vector<std::pair<Words, std::string>> examples{
        {{"bogus"}, "there is no command `bogus`; `help` lists them"},
        {{"stats", "--bogus"}, "there is no option --bogus"},
        {{"stats", "--broadcast"}, "there is no option --broadcast"},
        {{"--count", "1", "listen", "A"}, "there is no option --count"},
        {{"stats", "--json=yes"}, "--json takes no value"},
        {{"listen", "A", "-C"}, "-C needs a value: COUNT"},
        {{"stats", "A"}, "too many arguments; usage: stats"},
        {{"showclient", "A"}, "too few arguments; usage: showclient CHANNEL UUID"},
        {{"call", "A"}, "too many arguments; usage: call --target TARGET --fn NAME [OPTION…]"},
        {{"emit", "A"}, "too few arguments; usage: emit [--broadcast] CHANNEL EVENT [JSON|-]"},
        {{"showchannel("}, "column 13: an argument or `)` is missing"},
    };
    for (const auto& [words, error] : examples) CHECK(parseWords(words).error == error);
}

TEST_CASE("an error is shown as JSON also when --json stands behind it") {
    CHECK(parseWords({"bogus", "--json"}).call.has("--json"));
    CHECK_FALSE(parseWords({"bogus"}).call.has("--json"));
}

TEST_CASE("no words, no command, no error") {
    CHECK(parseWords({}).command == nullptr);
    CHECK(parseWords({"--dir", "/d"}).command == nullptr);
    CHECK(parseWords({"--dir", "/d"}).error == "");
}

TEST_CASE("help may be asked for without the arguments") {
    CHECK(parseWords({"emit", "--help"}).error == "");
    CHECK(parseWords({"emit", "-h"}).call.has("--help"));
}

TEST_CASE("how many arguments a row takes is read from its text") {
    CHECK((arityOf("") == Arity{0, 0}));
    CHECK((arityOf("[PATH]") == Arity{0, 1}));
    CHECK((arityOf("CHANNEL UUID") == Arity{2, 2}));
    CHECK((arityOf("CHANNEL EVENT [JSON|-]") == Arity{2, 3}));
    CHECK((arityOf("CHANNEL [PATTERN…]") == Arity{1, {}}));
}

TEST_CASE("seconds and counts are read strictly") {
    using std::chrono::milliseconds;
    CHECK(parseSeconds("2") == milliseconds(2000));
    CHECK(parseSeconds("0.25") == milliseconds(250));
    CHECK(parseSeconds("0.0001") == milliseconds(1));
    for (const auto* text : {"", "0", "-1", "1s", " 1", "nan", "inf", "1e99"}) {
        CAPTURE(text);
        CHECK_FALSE(parseSeconds(text));
    }
    CHECK(parseCount("1") == 1);
    for (const auto* text : {"", "0", "-1", "1.5", "x", "99999999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parseCount(text));
    }
}

}  // namespace
}  // namespace netcluster::ctl
