#include "order_window.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "lossy_network.hpp"

using namespace netcluster::daemon::link;
using namespace std::chrono_literals;
using Result = OrderWindow::Result;

namespace {

struct Fixture : OrderWindow::Out {
    void inOrder(Time, std::string_view datagram) override { said += std::string(datagram) + " "; }
    void missing(std::uint64_t first, std::uint64_t last) override {
        said += "[" + std::to_string(first) + "-" + std::to_string(last) + "] ";
    }

    Result add(std::uint64_t sequence) {
        return window.add(now, sequence, std::to_string(sequence));
    }
    void pass(std::chrono::milliseconds time) {
        now += time;
        window.expire(now);
    }

    MemoryBudget budget{1 << 20};
    OrderWindow window{budget, *this};
    Time now{1h};
    std::string said;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "datagrams in order pass at once") {
    for (std::uint64_t i = 1; i <= 3; ++i) CHECK(add(i) == Result::taken);
    CHECK(said == "1 2 3 ");
    CHECK_FALSE(window.deadline());
}

TEST_CASE_FIXTURE(Fixture, "who joins late misses nothing of the past") {
    add(1000);
    add(1001);
    CHECK(said == "1000 1001 ");
    CHECK(add(999) == Result::old);
}

TEST_CASE_FIXTURE(Fixture, "a datagram that overtook waits for those before it") {
    add(1);
    add(3);
    add(4);
    CHECK(said == "1 ");
    CHECK(window.deadline() == now + holeTime);
    add(2);
    CHECK(said == "1 2 3 4 ");
    CHECK_FALSE(window.deadline());
    CHECK(budget.used() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a hole that stays is a gap, and what comes for it later is dropped") {
    add(1);
    add(5);
    pass(19ms);
    CHECK(said == "1 ");
    pass(1ms);
    CHECK(said == "1 [2-4] 5 ");
    CHECK(add(3) == Result::old);
    add(6);
    CHECK(said == "1 [2-4] 5 6 ");
}

TEST_CASE_FIXTURE(Fixture, "each hole has its own time") {
    add(1);
    add(3);
    pass(10ms);
    add(5);
    pass(10ms);
    CHECK(said == "1 [2-2] 3 ");
    pass(10ms);
    CHECK(said == "1 [2-2] 3 [4-4] 5 ");
}

TEST_CASE_FIXTURE(Fixture, "when too many wait, the first hole is given up") {
    add(1);
    for (std::uint64_t i = 0; i < holeDatagrams; ++i) add(3 + i);
    CHECK(said == "1 ");
    add(3 + holeDatagrams);
    CHECK(said.starts_with("1 [2-2] 3 4 "));
    CHECK(said.ends_with(std::to_string(3 + holeDatagrams) + " "));
    CHECK(window.waiting() == 0);
    CHECK(budget.used() == 0);
}

TEST_CASE_FIXTURE(Fixture, "without memory nothing waits: the hole is given up at once") {
    REQUIRE(budget.take(1 << 20));
    add(1);
    add(3);
    CHECK(said == "1 [2-2] 3 ");
    budget.give(1 << 20);
}

TEST_CASE_FIXTURE(Fixture, "duplicates are dropped, waiting or delivered") {
    add(1);
    CHECK(add(1) == Result::old);
    add(3);
    CHECK(add(3) == Result::old);
    add(2);
    CHECK(add(2) == Result::old);
    CHECK(add(3) == Result::old);
    CHECK(said == "1 2 3 ");
}

TEST_CASE_FIXTURE(Fixture, "a lost tail is found by the announcement of the highest number") {
    add(1);
    window.announce(now, 3);
    CHECK(window.deadline() == now + holeTime);
    pass(10ms);
    window.announce(now, 3);
    pass(10ms);
    CHECK(said == "1 [2-3] ");
    CHECK_FALSE(window.deadline());
    add(4);
    CHECK(said == "1 [2-3] 4 ");
}

TEST_CASE_FIXTURE(Fixture, "a tail that was only late is no loss") {
    add(1);
    window.announce(now, 3);
    pass(10ms);
    add(2);
    add(3);
    pass(30ms);
    CHECK(said == "1 2 3 ");
}

TEST_CASE_FIXTURE(Fixture, "the tail's gap goes around what did arrive") {
    add(1);
    window.announce(now, 6);
    pass(5ms);
    add(3);
    add(5);
    pass(15ms);
    CHECK(said == "1 [2-2] 3 [4-4] 5 [6-6] ");
}

TEST_CASE_FIXTURE(Fixture, "an announcement is where one joins a sender that is silent") {
    window.announce(now, 10);
    CHECK(add(10) == Result::old);
    add(11);
    CHECK(said == "11 ");
}

TEST_CASE_FIXTURE(Fixture, "before the first datagram the announcement is zero") {
    window.announce(now, 0);
    add(2);
    pass(20ms);
    CHECK(said == "[1-1] 2 ");
}

TEST_CASE_FIXTURE(Fixture, "a jump beyond all loss is refused, as data and as announcement") {
    add(1);
    CHECK(add(2 + maxJump) == Result::taken);
    CHECK(add(3 + maxJump) == Result::reset);
    CHECK(add(numberLimit - 1) == Result::reset);
    CHECK(window.announce(now, numberLimit - 1) == Result::reset);
    CHECK(said == "1 ");
    window.forget();
    CHECK(budget.used() == 0);
    add(7);
    CHECK(said == "1 7 ");
}

namespace {

// Walks a stream through the network; checks order, that nothing comes twice, and that what did not
// come is exactly what was reported.
struct Model : OrderWindow::Out {
    static constexpr std::uint64_t count = 300;

    Model(unsigned seed, Mess mess) : network(seed, mess) {}

    void inOrder(Time, std::string_view datagram) override {
        const std::uint64_t sequence = std::stoull(std::string(datagram));
        if (next != 0) REQUIRE(sequence == next);
        next = sequence + 1;
        ++delivered;
    }
    void missing(std::uint64_t first, std::uint64_t last) override {
        REQUIRE(first == next);
        REQUIRE(last >= first);
        next = last + 1;
        lost += last - first + 1;
    }

    void runTo(Time end) {
        for (;;) {
            const auto arrival = network.next();
            const auto deadline = window.deadline();
            Time event = arrival.value_or(Time::max());
            if (deadline && *deadline < event) {
                if (*deadline > end) return;
                window.expire(*deadline);
                continue;
            }
            if (event > end) return;
            const std::uint64_t sequence = network.take();
            if (joined == 0) joined = sequence;
            window.add(event, sequence, std::to_string(sequence));
            REQUIRE(window.waiting() <= holeDatagrams);
        }
    }

    void run() {
        Time now{1h};
        for (std::uint64_t sequence = 1; sequence <= count; ++sequence) {
            network.send(now, sequence);
            now += std::chrono::microseconds(network.number(400));
            runTo(now);
        }
        runTo(now + 1s);
        window.announce(now + 1s, count);
        runTo(now + 2s);
        if (joined == 0) joined = count + 1;
        CHECK(delivered + lost == count + 1 - joined);
        CHECK(window.waiting() == 0);
        CHECK(budget.used() == 0);
    }

    LossyNetwork<std::uint64_t> network;
    MemoryBudget budget{1 << 20};
    OrderWindow window{budget, *this};
    std::uint64_t joined = 0, next = 0, delivered = 0, lost = 0;
};

}  // namespace

TEST_CASE("in two thousand messy networks what is missing is what is reported") {
    for (unsigned seed = 0; seed < 2000; ++seed) {
        CAPTURE(seed);
        const int percent = static_cast<int>(seed % 40);
        const auto late = std::chrono::milliseconds(1 + seed % 50);
        Model(seed, {percent, percent / 2, percent, late}).run();
    }
}

TEST_CASE("a network that only reorders and repeats loses nothing") {
    for (unsigned seed = 0; seed < 1000; ++seed) {
        CAPTURE(seed);
        Model model(seed, {0, 20, 30, 15ms});
        model.run();
        CHECK(model.lost == 0);
    }
}
