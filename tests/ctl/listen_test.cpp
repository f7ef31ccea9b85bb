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
