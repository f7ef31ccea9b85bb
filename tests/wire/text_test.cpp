#include "text.hpp"

#include <doctest/doctest.h>

namespace netcluster::wire {

TEST_CASE("UTF-8 is checked to the letter of the Unicode standard") {
    CHECK(validUtf8(""));
    CHECK(
        validUtf8("\xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
    for (const char* text :
         {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80",
          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
        CHECK_FALSE(validUtf8(text));
    }
}

TEST_CASE("event names are 1 to 255 bytes of UTF-8 without NUL") {
    CHECK(validEventName("a"));
    CHECK(validEventName(std::string(255, 'a')));
    CHECK_FALSE(validEventName(""));
    CHECK_FALSE(validEventName(std::string(256, 'a')));
    CHECK_FALSE(validEventName(std::string_view("a\0b", 3)));
    CHECK_FALSE(validEventName("\xFF"));
}

TEST_CASE("base64 is that of RFC 4648, section 10") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("foobar") == "Zm9vYmFy");
    CHECK(base64("\xFF\xFE") == "//4=");
}

TEST_CASE("uuids are spelled and read") {
    const std::string text = "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf";
    CHECK(uuidText(uuidFromText(text)) == text);
    CHECK(uuidFromText("A0A1A2A3-A4A5-A6A7-A8A9-AAABACADAEAF") == uuidFromText(text));
    for (const char* wrong : {"", "a0a1a2a3", "a0a1a2a3+a4a5-a6a7-a8a9-aaabacadaeaf",
                              "g0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf"}) {
        CHECK(uuidFromText(wrong) == Uuid{});
    }
}

}  // namespace netcluster::wire
