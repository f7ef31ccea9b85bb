#include "log_lines.hpp"

#include <doctest/doctest.h>

using netcluster::worker::LogLines;
using namespace std::chrono_literals;

TEST_CASE("a burst of lines is logged, then so many a second") {
    LogLines lines;
    const LogLines::Time start{1000s};
    int logged = 0;
    for (int i = 0; i < 1000; ++i) logged += lines.admits(start) ? 1 : 0;
    CHECK(logged == 200);
    CHECK_FALSE(lines.admits(start + 5ms));
    CHECK(lines.admits(start + 20ms));
    logged = 0;
    for (int i = 0; i < 1000; ++i) logged += lines.admits(start + 20ms + i * 1ms) ? 1 : 0;
    CHECK(logged >= 98);
    CHECK(logged <= 101);
}
