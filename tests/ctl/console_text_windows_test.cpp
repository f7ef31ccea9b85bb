#include "console_text_windows.hpp"

#include <doctest/doctest.h>

namespace netcluster::ctl {

TEST_CASE("what is typed at a console comes as UTF-8, its lines with a newline alone") {
    ConsoleText text;
    CHECK(text.take(L"emit \u00fc \u6f22 \U0001f600\r\n") ==
          "emit \xc3\xbc \xe6\xbc\xa2 \xf0\x9f\x98\x80\n");
    CHECK(text.take(L"\r\n") == "\n");
}

TEST_CASE("a letter that two reads bring is one letter") {
    ConsoleText text;
    CHECK(text.take(L"a\xd83d") == "a");
    CHECK(text.take(L"\xde00z\r\n") == "\xf0\x9f\x98\x80z\n");
}

TEST_CASE("Ctrl-Z ends the input where a line begins, and nowhere else") {
    ConsoleText text;
    CHECK(text.take(L"a long line, of which") == "a long line, of which");
    CHECK(text.take(L"\x1a this is the rest\r\n") == "\x1a this is the rest\n");
    CHECK_FALSE(text.take(L"\x1a\r\n"));
    CHECK(text.take(L"on\r\n") == "on\n");
    CHECK_FALSE(text.take(L"\x1a\r\n"));
}

}  // namespace netcluster::ctl
