#include "texts.hpp"

#include <doctest/doctest.h>

using namespace netcluster::lua;

TEST_CASE("a line is one line") {
    CHECK(oneLine("a\nb\x1b[31m\x7f\tä") == "a?b?[31m?\tä");
    CHECK(oneLine("a\xffz") == "a\uFFFDz");
}

TEST_CASE("no half characters are left where a text is cut") {
    CHECK(shortened("aää", 5) == "aää");
    CHECK(shortened("aää", 4) == "aä …");
    CHECK(shortened("aää", 3) == "aä …");
    CHECK(shortened("aää", 2) == "a …");
    CHECK(shortened("\x80\x80\x80", 2) == " …");
    CHECK(asUtf8("\xc3") == "\uFFFD");
}
