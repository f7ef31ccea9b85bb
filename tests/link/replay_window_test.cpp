#include "replay_window.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>
#include <set>

using namespace netcluster::daemon::link;

namespace {

// What the bitmap does, said with a set.
struct Model {
    bool fresh(std::uint64_t number) const {
        if (number == 0 || seen.contains(number)) return false;
        return number > highest || highest - number < replayReach;
    }
    void set(std::uint64_t number) {
        seen.insert(number);
        highest = std::max(highest, number);
    }

    std::set<std::uint64_t> seen;
    std::uint64_t highest = 0;
};

}  // namespace

TEST_CASE("a number is fresh once") {
    ReplayWindow window;
    CHECK_FALSE(window.fresh(0));
    CHECK(window.fresh(1));
    window.set(1);
    CHECK_FALSE(window.fresh(1));
    CHECK(window.fresh(2));
    CHECK(window.highest() == 1);
}

TEST_CASE("asking changes nothing") {
    ReplayWindow window;
    CHECK(window.fresh(1'000'000));
    CHECK(window.fresh(1'000'000));
    CHECK(window.fresh(1));
}

TEST_CASE("a number as far back as the window reaches is fresh, one before is not") {
    ReplayWindow window;
    const std::uint64_t highest = 100'000;
    window.set(highest);
    CHECK(window.fresh(highest - replayReach + 1));
    CHECK_FALSE(window.fresh(highest - replayReach));
    window.set(highest - replayReach);  // too old to be remembered, and to do harm
    window.set(highest - replayReach + 1);
    CHECK_FALSE(window.fresh(highest - replayReach + 1));
    CHECK(window.fresh(highest - replayReach + 2));
    CHECK(window.highest() == highest);
}

TEST_CASE("a jump forgets what was before, however far it goes") {
    for (const std::uint64_t jump :
         {std::uint64_t{63}, std::uint64_t{64}, std::uint64_t{65}, std::uint64_t{8127},
          std::uint64_t{8128}, std::uint64_t{8129}, std::uint64_t{8191}, std::uint64_t{8192},
          std::uint64_t{8193}, std::uint64_t{16384}, std::uint64_t{1} << 40}) {
        CAPTURE(jump);
        ReplayWindow window;
        Model model;
        for (std::uint64_t number = 1; number <= 8192; ++number) {
            window.set(number);
            model.set(number);
        }
        window.set(8192 + jump);
        model.set(8192 + jump);
        bool same = true;
        const std::uint64_t from = jump > 20'000 ? jump - 1000 : 0;
        for (std::uint64_t number = from; number <= from + 30'000; ++number) {
            same = same && window.fresh(number) == model.fresh(number);
        }
        CHECK(same);
    }
}

TEST_CASE("the largest numbers there are do not overflow anything") {
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    ReplayWindow window;
    window.set(largest);
    CHECK_FALSE(window.fresh(largest));
    CHECK(window.fresh(largest - 1));
    CHECK_FALSE(window.fresh(1));
}

TEST_CASE("on any road the window says what a set of all numbers says") {
    for (unsigned seed = 0; seed < 3000; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        // Near together, around the window's edge, or far apart.
        const std::uint64_t spread = std::uint64_t{1} << (3 + seed % 14);
        const std::uint64_t stride = 1 + random() % (seed % 3 == 0 ? spread : 4);
        ReplayWindow window;
        Model model;
        std::uint64_t base = 1;
        for (int step = 0; step < 300; ++step) {
            base += random() % stride;
            const std::uint64_t number = base + random() % spread;
            REQUIRE(window.fresh(number) == model.fresh(number));
            if (!model.fresh(number)) continue;
            window.set(number);
            model.set(number);
            REQUIRE(window.highest() == model.highest);
        }
    }
}
