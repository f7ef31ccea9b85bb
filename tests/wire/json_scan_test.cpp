#include "json_scan.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace netcluster::wire {

TEST_CASE("JSON values are told from what is not JSON") {
    for (const char* text :
         {"null", "true", "false", "0", "-0", "-1.5e+10", "\"\"", "\"a\\n\\u00e9\"", "[]", "{}",
          "[1,[2,{\"a\":[]}],\"x\"]", " { \"a\" : 1 , \"b\" : [ ] } ", "\"\\ud83d\\ude00\"",
          "\"\xF0\x9F\x98\x80\""}) {
        CAPTURE(text);
        CHECK(validJson(text));
    }
    for (const char* text : {"",
                             " ",
                             "nul",
                             "nulls",
                             "+1",
                             "01",
                             "1.",
                             ".5",
                             "1e",
                             "1e+",
                             "\"",
                             "\"\\x\"",
                             "\"\\u12g4\"",
                             "\"\\ud800\"",
                             "\"\\ude00\"",
                             "\"\\ud800\\u0041\"",
                             "[",
                             "[1",
                             "[1,",
                             "[,1]",
                             "[1 2]",
                             "]",
                             "{",
                             "{\"a\"",
                             "{\"a\":",
                             "{\"a\":1,",
                             "{\"a\":1,}",
                             "{a:1}",
                             "{1:1}",
                             "[1}",
                             "{\"a\":1]",
                             "\"\t\"",
                             "1 2",
                             "\"\xC3\"",
                             "\"\xED\xA0\x80\"",
                             "\xEF\xBB\xBF{}",
                             "NaN",
                             "Infinity"}) {
        CAPTURE(text);
        CHECK_FALSE(validJson(text));
    }
}

TEST_CASE("nesting is bounded, and costs no stack") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(validJson(nested(maxDataDepth)));
    CHECK_FALSE(validJson(nested(maxDataDepth + 1)));
    CHECK_FALSE(validJson(std::string(100000, '[')));
    std::string objects;
    for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
    CHECK_FALSE(validJson(objects));
}

TEST_CASE("on mutated texts the scanner and a full parser agree") {
    const std::string seed =
        R"({"a":[1,-2.5e3,"x\u00e9\n",true,null,{"b":{}}],"c":"\ud83d\ude00"})";
    std::mt19937 random(7);
    const std::string alphabet = "{}[]\",:\\u0123eE+-.tfn x\xC3\xA9";
    int valid = 0;
    for (int round = 0; round < 30000; ++round) {
        std::string text = seed;
        for (unsigned edits = random() % 3; edits != 0; --edits) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = alphabet[random() % alphabet.size()];
                    break;
                case 1:
                    text.erase(at, 1);
                    break;
                default:
                    text.insert(at, 1, alphabet[random() % alphabet.size()]);
                    break;
            }
        }
        CAPTURE(text);
        const bool expected = nlohmann::json::accept(text);
        valid += expected ? 1 : 0;
        CHECK(validJson(text) == expected);
    }
    CHECK(valid > 1000);
}

TEST_CASE("an object is walked member by member") {
    ObjectScanner members(R"( {"a": 1, "b" : {"c":[2]} } )", 4);
    REQUIRE(members.next());
    CHECK(members.key() == "a");
    CHECK(members.value() == "1");
    REQUIRE(members.next());
    CHECK(members.key() == "b");
    CHECK(members.value() == R"({"c":[2]})");
    CHECK_FALSE(members.next());
    CHECK_FALSE(members.failed());
}

TEST_CASE("strings survive quoting and unquoting") {
    const std::string all = std::string("a\"\\\b\f\n\r\t\x01/") + '\0' + "\xC3\xA9\xF0\x9F\x98\x80";
    std::string quoted;
    appendQuoted(quoted, all);
    CHECK(validJson(quoted));
    CHECK(unescape(quoted) == all);
    CHECK(unescape(R"("\u0041\u00e9\ud83d\ude00\/")") == "A\xC3\xA9\xF0\x9F\x98\x80/");
}

}  // namespace netcluster::wire
