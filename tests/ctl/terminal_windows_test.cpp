// What ncctl asks Windows about its output and its input.
#include "terminal.hpp"

#include <doctest/doctest.h>
#include <windows.h>

namespace netcluster::ctl {

TEST_CASE("a pipe that nobody reads any more is known without writing to it") {
    const HANDLE before = GetStdHandle(STD_OUTPUT_HANDLE);
    HANDLE reader = nullptr;
    HANDLE writer = nullptr;
    REQUIRE(CreatePipe(&reader, &writer, nullptr, 0));
    SetStdHandle(STD_OUTPUT_HANDLE, writer);
    const bool early = outputAbandoned();
    CloseHandle(reader);
    const bool late = outputAbandoned();
    SetStdHandle(STD_OUTPUT_HANDLE, before);
    CloseHandle(writer);
    CHECK_FALSE(early);
    CHECK(late);
}

TEST_CASE("no signal has come before one comes") {
    const Interruption interruption;
    CHECK(interruption.signal() == Interruption::Signal::none);
}

}  // namespace netcluster::ctl
