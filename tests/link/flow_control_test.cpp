#include "flow_control.hpp"

#include <doctest/doctest.h>

#include "link_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t noLimit = ~std::uint64_t{0};

struct Fixture {
    /// A receiver says that it has all below `next`, and room for `window`.
    void status(const wire::Uuid& from, std::uint64_t next, std::uint32_t window = 100) {
        flow.onStatus(now, from, {uuidOf(99), next, window}, sent);
    }
    /// Held up all the time, as the sender sees it.
    void held(std::chrono::milliseconds time) {
        for (const Time end = now + time; now < end; now += 5ms) flow.onHeld(now);
    }
    bool lagging(const wire::Uuid& who) const { return flow.find(who)->lagging; }

    FlowControl flow;
    Time now{1h};
    std::uint64_t sent = 0;
    const wire::Uuid alpha = uuidOf(1);
    const wire::Uuid beta = uuidOf(2);
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "nobody listens, nothing is held") {
    CHECK(flow.limit() == noLimit);
    CHECK_FALSE(flow.onHeld(now));
    CHECK(flow.find(alpha) == nullptr);
}

TEST_CASE_FIXTURE(
    Fixture, "who joins owes nothing of what was sent before, and has little room until it says") {
    sent = 1000;
    flow.join(alpha, sent);
    CHECK(flow.limit() == 1000 + defaultWindow);
    flow.leave(alpha);
    CHECK(flow.limit() == noLimit);
    CHECK(flow.find(alpha) == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "the slowest decides") {
    flow.join(alpha, 0);
    flow.join(beta, 0);
    sent = 50;
    status(alpha, 51);
    status(beta, 11, 60);
    CHECK(flow.limit() == 70);
    status(beta, 51, 60);
    CHECK(flow.limit() == 110);
    flow.leave(beta);
    CHECK(flow.limit() == 150);
    CHECK(flow.find(alpha)->next == 51);
    CHECK(flow.find(alpha)->window == 100);
}

TEST_CASE_FIXTURE(Fixture, "a status that is late, impossible or from a stranger changes nothing") {
    flow.join(alpha, 0);
    sent = 50;
    status(alpha, 31);
    CHECK(flow.limit() == 130);
    status(alpha, 11);
    CHECK(flow.limit() == 130);
    status(alpha, 52);  // what was never sent
    CHECK(flow.limit() == 130);
    status(beta, 1, 1);
    CHECK(flow.limit() == 130);
    status(alpha, 31, 0);  // no room at all would silence us for ever
    CHECK(flow.limit() == 31);
}

TEST_CASE_FIXTURE(Fixture, "one that holds the others up and does not move is not waited for") {
    flow.join(alpha, 0);
    flow.join(beta, 0);
    sent = defaultWindow;
    status(alpha, sent + 1, 1000);
    CHECK(flow.limit() == defaultWindow);
    CHECK_FALSE(flow.onHeld(now));
    held(stallTime);
    CHECK_FALSE(lagging(beta));
    CHECK(flow.onHeld(now));
    CHECK(lagging(beta));
    CHECK_FALSE(lagging(alpha));
    CHECK(flow.limit() == sent + 1000);
    CHECK(flow.find(beta)->timesLagging == 1);
}

TEST_CASE_FIXTURE(Fixture, "one that moves is waited for, however long") {
    flow.join(alpha, 0);
    status(alpha, 1, 100);
    for (int i = 0; i < 50; ++i) {
        sent = flow.limit();
        held(100ms);
        status(alpha, sent + 1, 100);  // 1,000 datagrams per second
        CHECK_FALSE(lagging(alpha));
    }
    // A tenth of that is too little.
    for (int i = 0; i < 50 && !lagging(alpha); ++i) {
        sent = flow.limit();
        held(100ms);
        status(alpha, sent - 90, 100);
    }
    CHECK(lagging(alpha));
}

TEST_CASE_FIXTURE(Fixture, "being held for a moment now and then is not being stalled") {
    flow.join(alpha, 0);
    status(alpha, 1, 100);
    for (int i = 0; i < 20; ++i) {
        // A burst as large as its window, once a second.
        sent = flow.limit();
        held(10ms);
        status(alpha, sent + 1, 100);
        now += 1s;
        CHECK_FALSE(lagging(alpha));
    }
}

TEST_CASE_FIXTURE(Fixture,
                  "the first time it is waited for again as soon as it has nearly caught up") {
    flow.join(alpha, 0);
    status(alpha, 1, 100);
    sent = 100;
    held(stallTime + 5ms);
    REQUIRE(lagging(alpha));
    sent = 1000;
    status(alpha, 600, 100);
    CHECK(lagging(alpha));
    CHECK(flow.limit() == noLimit);
    status(alpha, 601, 100);
    CHECK_FALSE(lagging(alpha));
    CHECK(flow.limit() == 700);
}

TEST_CASE_FIXTURE(
    Fixture,
    "after that it waits out a penalty, twice as long each time, and is forgiven in the end") {
    flow.join(alpha, 0);
    const auto stall = [&] {
        status(alpha, sent + 1, 100);
        REQUIRE_FALSE(lagging(alpha));
        sent += 100;
        now += 100ms;
        held(stallTime + 5ms);
        REQUIRE(lagging(alpha));
        now -= 5ms;  // `held` looks at the clock afterwards
    };
    stall();
    std::chrono::milliseconds penalty = secondPenalty;
    for (int i = 0; i < 8; ++i) {
        stall();
        now += penalty - 1ms;
        status(alpha, sent + 1, 100);
        CHECK(lagging(alpha));
        now += 1ms;
        status(alpha, sent + 1, 100);
        CHECK_FALSE(lagging(alpha));
        penalty = std::min(2 * penalty, longestPenalty);
    }
    CHECK(penalty == longestPenalty);
    CHECK(flow.find(alpha)->timesLagging == 9);
    now += longestPenalty;
    stall();
    status(alpha, sent + 1, 100);
    CHECK_FALSE(lagging(alpha));
}

TEST_CASE_FIXTURE(Fixture, "who comes back is asked for what is sent from then on") {
    flow.join(alpha, 0);
    sent = 64;
    flow.leave(alpha);
    sent = 5000;
    flow.join(alpha, sent);
    status(alpha, 64, 100);  // it is far behind, but that is not waited for
    CHECK(flow.limit() == 5000 + defaultWindow);
    status(alpha, 5001, 100);
    CHECK(flow.limit() == 5100);
}

TEST_CASE_FIXTURE(Fixture,
                  "when much has to be sent again the window shrinks, and grows when that ends") {
    flow.join(alpha, 0);
    status(alpha, 1, 50'000);
    flow.onSent(now, 0, 0);
    CHECK(flow.window() == largestWindow);
    const auto span = [&](std::uint64_t fresh, std::uint64_t again) {
        now += lossSpan;
        flow.onSent(now, fresh, again);
        return flow.window();
    };
    CHECK(span(1000, 100) == largestWindow);  // a radio
    CHECK(span(800, 400) == 600);
    CHECK(flow.limit() == 600);
    CHECK(span(10, 10) == 600);  // too few to say anything
    CHECK(span(200, 200) == 200);
    for (int i = 0; i < 10; ++i) span(200, 200);
    CHECK(flow.window() == smallestWindow);
    CHECK(flow.limit() == smallestWindow);
    CHECK(span(100, 0) == smallestWindow + smallestWindow / 4);
    for (int i = 0; i < 100; ++i) span(100, 0);
    CHECK(flow.window() == largestWindow);
    CHECK(flow.limit() == 50'000);

    // All of a span counts, not what came last in it.
    now += lossSpan / 2;
    flow.onSent(now, 0, 500);
    now += lossSpan / 2;
    flow.onSent(now, 500, 0);
    CHECK(flow.window() == 500);
}
