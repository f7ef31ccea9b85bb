#include "escape.hpp"

#include <doctest/doctest.h>

namespace netcluster::ctl {
namespace {

using nlohmann::json;

TEST_CASE("text that a terminal would obey is written out") {
    CHECK(printable("plain, with blanks \\ and \"quotes\"") ==
          "plain, with blanks \\ and \"quotes\"");
    CHECK(printable("a\nb\rc\td") == "a\\nb\\rc\\td");
    CHECK(printable("\x1b]0;owned\x07") == "\\u001b]0;owned\\u0007");
    CHECK(printable(std::string_view("\0", 1)) == "\\u0000");
    CHECK(printable("\x7f") == "\\u007f");
    CHECK(printable("\xc2\x9b"
                    "31m") == "\\u009b31m");  // C1, as UTF-8
    CHECK(printable("\xe2\x80\xae"
                    "txt.exe") == "\\u202etxt.exe");  // reorders what follows
    CHECK(printable("\xe2\x80\xa8") == "\\u2028");
}

TEST_CASE("letters of any script stay, bytes that are not UTF-8 do not") {
    CHECK(printable("grüße 日本 🚀") == "grüße 日本 🚀");
    CHECK(printable("\x9b") == "\\x9b");                             // C1, as a byte
    CHECK(printable("\xc3") == "\\xc3");                             // cut off
    CHECK(printable("\xc0\x9b") == "\\xc0\\x9b");                    // overlong
    CHECK(printable("\xe0\x82\x9b") == "\\xe0\\x82\\x9b");           // overlong
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // surrogate
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond Unicode
    CHECK(printable("\xe6\x97\x1b") == "\\xe6\\x97\\u001b");         // cut off by an escape
}

TEST_CASE("JSON is as safe and still JSON") {
    const json value{{"k\x1b", "a\n\x7f\xc2\x9b\xe2\x80\xae é"}};
    const auto line = jsonLine(value);
    CHECK(line == "{\"k\\u001b\":\"a\\n\\u007f\\u009b\\u202e é\"}");
    CHECK(json::parse(line) == value);

    const auto indented = jsonIndented(value);
    CHECK(indented == "{\n  \"k\\u001b\": \"a\\n\\u007f\\u009b\\u202e é\"\n}");
    CHECK(json::parse(indented) == value);

    CHECK(jsonLine("\xff") == "\"\xef\xbf\xbd\"");
}

TEST_CASE("no byte below a blank, no DEL and no C1 is left, whatever comes") {
    std::string all;
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; second += 3) {
            all += static_cast<char>(first);
            all += static_cast<char>(second);
        }
    }
    const auto text = printable(all);
    CHECK(printable(text) == text);
    for (const char c : text) CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
}

TEST_CASE("width counts characters, not bytes") {
    CHECK(displayWidth("") == 0);
    CHECK(displayWidth("abc") == 3);
    CHECK(displayWidth("grüße") == 5);
}

}  // namespace
}  // namespace netcluster::ctl
