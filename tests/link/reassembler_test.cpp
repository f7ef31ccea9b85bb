#include "reassembler.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace netcluster::daemon::link;
using Result = Reassembler::Result;

namespace {

struct Fixture {
    MemoryBudget budget{1 << 20};
    Reassembler reassembler{100'000, budget};

    Result add(std::uint32_t size, std::uint32_t index, std::uint32_t count,
               std::string_view bytes) {
        return reassembler.add({size, index, count, bytes});
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "fragments in order make the message") {
    CHECK(add(6, 0, 3, "ab") == Result::more);
    CHECK(add(6, 1, 3, "cd") == Result::more);
    CHECK(add(6, 2, 3, "ef") == Result::complete);
    CHECK(reassembler.message() == "abcdef");
    CHECK(add(2, 0, 2, "x") == Result::more);
    CHECK(add(2, 1, 2, "y") == Result::complete);
    CHECK(reassembler.message() == "xy");
    reassembler.boundary();
    CHECK(budget.used() == 0);
    CHECK(reassembler.incomplete() == 0);
}

TEST_CASE_FIXTURE(Fixture, "the rest of a message that began before we joined is nobody's loss") {
    CHECK(add(6, 1, 3, "cd") == Result::skipped);
    CHECK(add(6, 2, 3, "ef") == Result::skipped);
    CHECK(reassembler.incomplete() == 0);
    CHECK(add(1, 0, 1, "x") == Result::complete);
}

TEST_CASE_FIXTURE(Fixture, "a message with a missing fragment is dropped whole and counted once") {
    CHECK(add(8, 0, 4, "ab") == Result::more);
    reassembler.missing();
    CHECK(add(8, 2, 4, "ef") == Result::skipped);
    CHECK(add(8, 3, 4, "gh") == Result::skipped);
    CHECK(reassembler.incomplete() == 1);
    CHECK(budget.used() == 0);
    CHECK(add(1, 0, 1, "x") == Result::complete);
}

TEST_CASE_FIXTURE(Fixture, "a message whose beginning is missing is counted once") {
    CHECK(add(1, 0, 1, "x") == Result::complete);
    reassembler.missing();
    CHECK(add(6, 1, 3, "cd") == Result::skipped);
    CHECK(add(6, 2, 3, "ef") == Result::skipped);
    CHECK(reassembler.incomplete() == 1);
}

TEST_CASE_FIXTURE(Fixture, "fragments that disagree drop the message") {
    SUBCASE("on the size") {
        add(6, 0, 3, "ab");
        CHECK(add(7, 1, 3, "cd") == Result::bad);
    }
    SUBCASE("on the count") {
        add(6, 0, 3, "ab");
        CHECK(add(6, 1, 4, "cd") == Result::bad);
    }
    SUBCASE("on the order") {
        add(6, 0, 3, "ab");
        CHECK(add(6, 2, 3, "cd") == Result::bad);
    }
    SUBCASE("the same one twice") {
        add(6, 0, 3, "ab");
        add(6, 1, 3, "cd");
        CHECK(add(6, 1, 3, "cd") == Result::bad);
    }
    SUBCASE("more bytes than the size") {
        add(6, 0, 3, "ab");
        CHECK(add(6, 1, 3, "cdefg") == Result::bad);
    }
    SUBCASE("fewer bytes than the size") {
        add(6, 0, 2, "ab");
        CHECK(add(6, 1, 2, "c") == Result::bad);
    }
    SUBCASE("larger than any message") {
        CHECK(add(100'001, 0, 3, "ab") == Result::bad);
    }
    CHECK(reassembler.incomplete() == 1);
    CHECK(budget.used() == 0);
    CHECK(add(2, 0, 1, "ok") == Result::complete);
}

TEST_CASE("a claimed size allocates nothing") {
    MemoryBudget budget(std::size_t{1} << 30);
    Reassembler reassembler(std::size_t{64} << 20, budget);
    CHECK(reassembler.add({64u << 20, 0, 60'000, "x"}) == Result::more);
    CHECK(budget.used() <= 16 * 1024);
}

TEST_CASE("a used up budget drops the message and nothing else") {
    MemoryBudget budget(40'000);
    Reassembler first(100'000, budget);
    Reassembler second(100'000, budget);
    const std::string piece(10'000, 'x');
    CHECK(first.add({50'000, 0, 5, piece}) == Result::more);
    CHECK(second.add({50'000, 0, 5, piece}) == Result::more);
    CHECK(second.add({50'000, 1, 5, piece}) == Result::noMemory);
    CHECK(second.add({50'000, 2, 5, piece}) == Result::skipped);
    CHECK(first.add({50'000, 1, 5, piece}) == Result::more);
    CHECK(second.incomplete() == 1);
    first.reset();
    CHECK(budget.used() == 0);
}

TEST_CASE("a thousand random streams of fragments never exceed their bounds") {
    for (unsigned seed = 0; seed < 1000; ++seed) {
        std::mt19937 random(seed);
        MemoryBudget budget(50'000);
        Reassembler reassembler(40'000, budget);
        const std::string bytes(2000, 'x');
        for (int step = 0; step < 200; ++step) {
            Fragment fragment;
            fragment.count = 1 + random() % 20;
            fragment.index = random() % fragment.count;
            fragment.size = fragment.count * 2000 - random() % 3;
            fragment.bytes = std::string_view(bytes).substr(random() % 3);
            if (reassembler.add(fragment) == Result::complete) {
                CHECK(reassembler.message().size() == fragment.size);
            }
            if (random() % 10 == 0) reassembler.missing();
            REQUIRE(budget.used() <= 50'000);
        }
        reassembler.reset();
        CHECK(budget.used() == 0);
    }
}
