#include "order_window.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "link_testing.hpp"
#include "lossy_network.hpp"

using namespace netcluster::daemon::link;
using namespace std::chrono_literals;
using Result = OrderWindow::Result;
using Ranges = std::vector<Range>;

namespace {

struct Fixture : OrderWindow::Out {
    void inOrder(std::string_view body) override { said += std::string(body) + " "; }
    void missing(Range range, bool gone) override {
        said += "[" + std::to_string(range.first) + "-" + std::to_string(range.last) +
                (gone ? " gone] " : "] ");
    }

    Result add(std::uint64_t sequence) {
        // Memory of its own: what waits must be a copy.
        const std::string body = std::to_string(sequence);
        return window.add(now, sequence, body, backoff);
    }
    Result announce(std::uint64_t highest, std::uint64_t oldest = 1) {
        return window.announce(now, highest, oldest, backoff);
    }
    Ranges ask(bool heard = true, std::uint32_t most = 1000) {
        Ranges ranges;
        window.ask(now, heard, most, ranges);
        return ranges;
    }
    /// What is asked for when the next thing is due.
    Ranges askWhenDue(bool heard = true, std::uint32_t most = 1000) {
        REQUIRE(window.deadline());
        now = std::max(now, *window.deadline());
        return ask(heard, most);
    }

    static constexpr std::chrono::microseconds backoff{100};
    MemoryBudget budget{1 << 20};
    OrderWindow window{64, budget, *this};
    Time now{1h};
    std::string said;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "datagrams in order pass at once") {
    CHECK(window.next() == 0);
    for (std::uint64_t i = 1; i <= 3; ++i) CHECK(add(i) == Result::taken);
    CHECK(said == "1 2 3 ");
    CHECK(window.next() == 4);
    CHECK_FALSE(window.deadline());
    CHECK(ask().empty());
    CHECK(add(2) == Result::old);
}

TEST_CASE_FIXTURE(Fixture, "who joins late misses nothing of the past") {
    CHECK(add(1000) == Result::taken);
    CHECK(add(999) == Result::old);
    CHECK(add(1001) == Result::taken);
    CHECK(said == "1000 1001 ");
    CHECK_FALSE(window.deadline());
}

TEST_CASE_FIXTURE(Fixture, "who hears first what there is joins behind it, and gets the next") {
    CHECK(announce(1000, 500) == Result::announced);
    CHECK(window.next() == 1001);
    CHECK_FALSE(window.deadline());
    CHECK(add(1000) == Result::old);
    CHECK(add(1002) == Result::taken);
    CHECK(askWhenDue() == Ranges{{1001, 1001}});
    add(1001);
    CHECK(said == "1001 1002 ");
}

TEST_CASE_FIXTURE(Fixture, "one who joined before the first datagram misses the first as well") {
    announce(0);
    CHECK(window.next() == 1);
    add(2);
    CHECK(askWhenDue() == Ranges{{1, 1}});
}

TEST_CASE_FIXTURE(Fixture,
                  "what is missing is asked for after the back-off, and what came waits for it") {
    add(1);
    add(4);
    CHECK(window.waiting() == 1);
    CHECK(window.deadline() == now + backoff);
    CHECK(ask().empty());
    CHECK(askWhenDue() == Ranges{{2, 3}});
    CHECK(add(2) == Result::taken);
    CHECK(said == "1 2 ");
    CHECK(add(3) == Result::taken);
    CHECK(said == "1 2 3 4 ");
    CHECK(window.repaired() == 2);
    CHECK(window.waiting() == 0);
    CHECK(budget.used() == 0);
    CHECK_FALSE(window.deadline());
}

TEST_CASE_FIXTURE(Fixture, "it is asked for again, half as much later each time, up to the most") {
    add(1);
    add(3);
    askWhenDue();
    std::chrono::microseconds wait = nakRetry;
    for (int i = 0; i < 12; ++i) {
        CHECK(window.deadline() == now + wait);
        CHECK(askWhenDue() == Ranges{{2, 2}});
        wait = std::min<std::chrono::microseconds>(wait * 3 / 2, nakRetryMost);
    }
    CHECK(wait == nakRetryMost);
}

TEST_CASE_FIXTURE(Fixture, "what was asked for in vain is given up, and order goes on behind it") {
    add(1);
    add(3);
    add(5);
    const Time began = now;
    int askings = 0;
    while (said == "1 ") {
        if (!askWhenDue().empty()) ++askings;
        REQUIRE(askings < 100);
    }
    CHECK(askings >= nakTries);
    CHECK(now - began >= nakPatience);
    CHECK(now - began < nakPatience + 200ms);
    CHECK(said == "1 [2-2] 3 [4-4] 5 ");
    CHECK(add(2) == Result::old);
    CHECK(budget.used() == 0);
    CHECK_FALSE(window.deadline());
}

TEST_CASE_FIXTURE(Fixture,
                  "a silent sender is asked less and less often, and nothing of it given up") {
    add(1);
    add(3);
    const Time began = now;
    int askings = 0;
    while (now - began < 60s) {
        CHECK(askWhenDue(false) == Ranges{{2, 2}});
        ++askings;
    }
    CHECK(askings < 60'000 / nakRetryMost.count() + 20);
    CHECK(said == "1 ");
    // It is back.
    add(2);
    CHECK(said == "1 2 3 ");
}

TEST_CASE_FIXTURE(Fixture, "hearing another ask puts off one's own asking of the same") {
    add(1);
    add(3);
    window.othersAsked(now, {2, 2});
    CHECK(window.deadline() == now + nakRetry);
    add(6);
    window.othersAsked(now, {4, 4});  // not all that we miss
    CHECK(window.deadline() == now + backoff);
    CHECK(askWhenDue() == Ranges{{4, 5}});
    window.othersAsked(now, {1, 1000});
    CHECK(*window.deadline() >= now + nakRetry);
    // Never earlier than it would have been.
    askWhenDue();
    const Time due = *window.deadline();
    window.othersAsked(now - 1s, {1, 1000});
    CHECK(*window.deadline() == due);
}

TEST_CASE_FIXTURE(Fixture, "what the sender no longer keeps is reported at once") {
    add(1);
    add(5);
    announce(5, 3);
    CHECK(said == "1 [2-2 gone] ");
    CHECK(askWhenDue() == Ranges{{3, 4}});
    announce(9, 9);
    CHECK(said == "1 [2-2 gone] [3-4 gone] 5 [6-8 gone] ");
    CHECK(add(4) == Result::old);
    CHECK(add(9) == Result::taken);
    CHECK(window.next() == 10);
    CHECK(budget.used() == 0);
    // An older announcement takes nothing back.
    CHECK(announce(5, 1) == Result::announced);
    CHECK(window.next() == 10);
    CHECK_FALSE(window.deadline());
}

TEST_CASE_FIXTURE(Fixture, "more may be gone than there is room to wait for") {
    add(1);
    add(3);
    announce(100'000, 90'000);
    CHECK(said == "1 [2-2 gone] 3 [4-89999 gone] ");
    CHECK(askWhenDue() == Ranges{{90'000, 90'063}});
}

TEST_CASE_FIXTURE(Fixture, "a lost tail is found by what the sender says it has sent") {
    add(1);
    CHECK(announce(3) == Result::announced);
    CHECK(askWhenDue() == Ranges{{2, 3}});
    add(3);
    add(2);
    CHECK(said == "1 2 3 ");
    CHECK_FALSE(window.deadline());
}

TEST_CASE_FIXTURE(Fixture, "what comes too far ahead is asked for when there is room") {
    add(1);
    CHECK(add(66) == Result::ahead);  // 2 to 65 are all that may wait
    CHECK(add(65) == Result::taken);
    CHECK(add(10'000) == Result::ahead);
    CHECK(askWhenDue() == Ranges{{2, 64}});
    for (std::uint64_t i = 2; i < 65; ++i) CHECK(add(i) == Result::taken);
    CHECK(window.next() == 66);
    CHECK(askWhenDue() == Ranges{{66, 129}});
}

TEST_CASE_FIXTURE(Fixture, "a jump that is no loss is not believed") {
    add(1);
    CHECK(add(maxJump + 3) == Result::reset);
    CHECK(announce(maxJump + 3) == Result::reset);
    CHECK(announce(maxJump + 2) == Result::announced);
    CHECK(add(2) == Result::taken);
    CHECK(said == "1 2 ");
    window.forget();
    CHECK(window.next() == 0);
    CHECK_FALSE(window.deadline());
    CHECK(add(maxJump * 2) == Result::taken);
    CHECK(window.next() == maxJump * 2 + 1);
}

TEST_CASE_FIXTURE(Fixture, "duplicates of what waits are noticed") {
    add(1);
    add(3);
    CHECK(add(3) == Result::old);
    CHECK(add(1) == Result::old);
    add(2);
    CHECK(said == "1 2 3 ");
}

TEST_CASE_FIXTURE(Fixture, "a hole shrinks from both sides and falls apart in the middle") {
    add(1);
    add(9);
    add(2);
    CHECK(askWhenDue() == Ranges{{3, 8}});
    add(8);
    add(5);
    CHECK(askWhenDue() == Ranges{{3, 4}, {6, 7}});
    add(4);
    add(6);
    add(7);
    add(3);
    CHECK(said == "1 2 3 4 5 6 7 8 9 ");
    CHECK(window.repaired() == 7);
}

TEST_CASE_FIXTURE(Fixture, "no more is asked for than there is room for, the first of it first") {
    add(1);
    add(60);
    CHECK(askWhenDue(true, 10) == Ranges{{2, 11}});
    CHECK(askWhenDue(true, 10).front() == Range{2, 11});  // asked again: it did not come
    for (std::uint64_t i = 2; i <= 11; ++i) add(i);
    CHECK(askWhenDue(true, 10) == Ranges{{12, 21}});
}

TEST_CASE_FIXTURE(Fixture, "what was not asked for yet is not given up with what was") {
    add(1);
    add(60);
    const Time began = now;
    // The sender answers, slowly; in the end all came.
    for (std::uint64_t next = 2; next < 60;) {
        const Ranges asked = askWhenDue(true, 1);
        if (asked.empty()) continue;
        now += 60ms;
        REQUIRE(asked == Ranges{{next, next}});
        add(next++);
    }
    CHECK(now - began > nakPatience);
    CHECK(said.find('[') == std::string::npos);
    CHECK(window.next() == 61);
}

TEST_CASE_FIXTURE(Fixture, "of very many holes as many are asked for as one NAK holds") {
    OrderWindow large(1024, budget, *this);
    for (std::uint64_t i = 1; i < 400; i += 2) large.add(now, i, "x", backoff);
    now += 1ms;
    Ranges ranges;
    large.ask(now, true, 1000, ranges);
    CHECK(ranges.size() == maxNakRanges);
    CHECK(ranges.front() == Range{2, 2});
    now += nakRetry;
    ranges.clear();
    large.ask(now, true, 1000, ranges);
    CHECK(ranges.size() == maxNakRanges);
}

TEST_CASE("without memory a datagram is dropped, and comes when it is asked for again") {
    struct Small : Fixture {
        MemoryBudget little{3};
        OrderWindow tight{64, little, *this};
        Result put(std::uint64_t sequence) {
            return tight.add(now, sequence, std::to_string(sequence), backoff);
        }
    } all;
    all.put(1);
    for (std::uint64_t i = 3; i <= 5; ++i) CHECK(all.put(i) == Result::taken);
    CHECK(all.put(7) == Result::ahead);
    CHECK(all.put(6) == Result::ahead);
    CHECK(all.little.used() == 3);
    all.put(2);
    CHECK(all.little.used() == 0);
    CHECK(all.said == "1 2 3 4 5 ");
    all.now += 1ms;
    Ranges ranges;
    all.tight.ask(all.now, true, 100, ranges);
    CHECK(ranges.front().first == 6);
    CHECK(ranges.back().last == 7);
    all.put(6);
    all.put(7);
    CHECK(all.said == "1 2 3 4 5 6 7 ");
}

TEST_CASE_FIXTURE(Fixture, "giving up reports all holes and keeps what waits") {
    add(1);
    add(3);
    add(6);
    window.giveUp();
    CHECK(said == "1 [2-2] 3 [4-5] 6 ");
    CHECK(window.next() == 7);
    CHECK(budget.used() == 0);
    window.giveUp();
    CHECK(add(7) == Result::taken);
}

TEST_CASE("memory goes back with its window") {
    Fixture all;
    {
        OrderWindow window(64, all.budget, all);
        window.add(all.now, 1, "one", 0us);
        window.add(all.now, 3, "three", 0us);
        CHECK(all.budget.used() == 5);
    }
    CHECK(all.budget.used() == 0);
}

TEST_CASE("whatever comes in whatever order, each number is told once, in order, or missing") {
    for (unsigned seed = 0; seed < 400; ++seed) {
        CAPTURE(seed);
        struct : OrderWindow::Out {
            void inOrder(std::string_view body) override {
                good = good && std::stoull(std::string(body)) == next++;
                ++delivered;
            }
            void missing(Range range, bool) override {
                good = good && range.first == next;
                next = range.last + 1;
            }
            std::uint64_t next = 1, delivered = 0;
            bool good = true;
        } out;
        std::minstd_rand random(seed + 1);
        MemoryBudget budget(seed % 3 == 0 ? 60 : 1 << 20);
        OrderWindow window(16 + seed % 200, budget, out);
        Time now{1h};
        window.announce(now, 0, 1, 0us);
        std::uint64_t highest = 0;
        std::uint64_t oldest = 1;
        std::set<std::uint64_t> wanted;
        for (int step = 0; step < 400; ++step) {
            now += std::chrono::microseconds(random() % 5000);
            const unsigned what = random() % 10;
            if (what < 5) {
                highest += 1 + (random() % 10 == 0 ? random() % 100 : random() % 2);
                window.add(now, highest, std::to_string(highest), 100us);
            } else if (what < 7) {
                const std::uint64_t any = 1 + random() % (highest + 1);
                if (any <= highest) window.add(now, any, std::to_string(any), 100us);
            } else if (what == 7) {
                if (random() % 20 == 0) oldest = std::max(oldest, random() % (highest + 1) + 1);
                window.announce(now, highest, oldest, 100us);
            }
            Ranges ranges;
            window.ask(now, true, 30, ranges);
            for (const Range& range : ranges) {
                for (std::uint64_t one = range.first; one <= range.last; ++one) {
                    CHECK(one <= highest);
                    if (random() % 2 == 0) window.add(now, one, std::to_string(one), 100us);
                }
            }
        }
        window.announce(now, highest, oldest, 0us);
        while (window.next() <= highest) {
            Ranges ranges;
            REQUIRE(window.deadline());
            now = std::max(now, *window.deadline());
            window.ask(now, true, 1000, ranges);
            for (const Range& range : ranges) {
                for (std::uint64_t one = range.first; one <= range.last; ++one) {
                    window.add(now, one, std::to_string(one), 0us);
                }
            }
        }
        CHECK(out.good);
        CHECK(out.next == highest + 1);
        CHECK(budget.used() == 0);
        CHECK(window.waiting() == 0);
    }
}
