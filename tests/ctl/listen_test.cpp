#include "listen.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace netcluster::ctl {
namespace {

using std::chrono::milliseconds;
using Kind = LineQueue::Line::Kind;

constexpr milliseconds atOnce{0};
constexpr milliseconds patient{10000};

TEST_CASE("several patterns make one") {
    CHECK(anyOf({".*"}) == ".*");
    CHECK(anyOf({"a|b", "c"}) == "(?:a|b)|(?:c)");
}

TEST_CASE("a gap says how much is missing, from where, and why") {
    using Why = Gap::Why;
    CHECK(gapText({3, 5, 7, "", Why::slow}) ==
          "3 events lost here (5 to 7): this listener did not keep up");
    CHECK(gapText({3, 5, 7, "beta", Why::lost}) ==
          "3 datagrams of host beta (5 to 7) did not arrive");
    CHECK(gapText({3, 5, 7, "beta", Why::gone}) ==
          "3 datagrams of host beta (5 to 7) did not arrive, and the host keeps them no longer");
    CHECK(gapText({3, 0, 0, "be\x1bta", Why::dropped}).find('\x1b') == std::string::npos);
    CHECK(gapText({3, 0, 0, "beta", Why::dropped}) ==
          "3 events lost at host beta: its queue to the link was full");
    CHECK(gapText({0, 0, 0, "beta", Why::reset}) ==
          "events of host beta may be missing: its numbers jumped");
}

TEST_CASE("lines come out in the order they went in, notices among them") {
    LineQueue queue;
    CHECK(queue.take(atOnce).empty());
    queue.push({Kind::event, "one"});
    queue.push({Kind::notice, "two"});
    const auto lines = queue.take(patient);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].text == "one");
    CHECK(lines[1].kind == Kind::notice);
    CHECK(queue.take(atOnce).empty());
}

TEST_CASE("a full queue holds up who fills it until lines are taken") {
    LineQueue queue;
    queue.push({Kind::event, std::string(LineQueue::limit, 'x')});
    std::thread filler([&queue] { queue.push({Kind::event, "next"}); });
    CHECK(queue.take(patient).front().text.size() == LineQueue::limit);
    CHECK(queue.take(patient).front().text == "next");
    filler.join();
}

TEST_CASE("closing lets a waiting push go") {
    LineQueue queue;
    queue.push({Kind::event, std::string(LineQueue::limit, 'x')});
    std::thread filler([&queue] { queue.push({Kind::event, "lost"}); });
    queue.close();
    filler.join();
    queue.push({Kind::event, "lost too"});
    CHECK(queue.take(atOnce).size() == 1);
}

}  // namespace
}  // namespace netcluster::ctl
