#include "sender.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "link_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::chrono_literals;
using Chosen = std::vector<std::uint64_t>;

namespace {

struct Fixture {
    explicit Fixture(std::uint64_t rate = 0, std::size_t repairRoom = std::size_t{8} << 20)
        : buffer(std::size_t{8} << 20, repairRoom), sender(buffer, rate) {}

    void put(std::size_t count, std::size_t size = 100) {
        for (std::size_t i = 0; i < count; ++i) {
            buffer.begin();
            buffer.append(std::string(size, 'x'));
            buffer.finish();
        }
    }
    Chosen choose(std::size_t most = 48) {
        Chosen chosen;
        sender.choose(now, most, chosen);
        return chosen;
    }
    Chosen send(std::size_t most = 48) {
        const Chosen chosen = choose(most);
        std::uint64_t bytes = 0;
        for (const std::uint64_t one : chosen) bytes += buffer.body(one).size();
        sender.onSent(now, chosen, bytes);
        return chosen;
    }
    void sendAll() {
        while (!send().empty()) continue;
    }
    bool nak(std::vector<Range> ranges) { return sender.onNak({uuidOf(9), std::move(ranges)}); }
    void join(std::uint32_t window) {
        sender.flow().join(uuidOf(1), buffer.sent());
        status(buffer.sent() + 1, window);
    }
    void status(std::uint64_t next, std::uint32_t window) {
        sender.flow().onStatus(now, uuidOf(1), {uuidOf(9), next, window}, buffer.sent());
    }

    Time now{1h};
    SendBuffer buffer;
    Sender sender;
};

Chosen from(std::uint64_t first, std::uint64_t last) {
    Chosen all;
    for (; first <= last; ++first) all.push_back(first);
    return all;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what waits goes out in order, a batch at a time") {
    CHECK_FALSE(sender.wants());
    CHECK(send().empty());
    put(100);
    CHECK(sender.wants());
    CHECK(send() == from(1, 48));
    CHECK(buffer.sent() == 48);
    CHECK(send() == from(49, 96));
    CHECK(send() == from(97, 100));
    CHECK_FALSE(sender.wants());
    CHECK(send().empty());
    CHECK(sender.counts().repaired == 0);
}

TEST_CASE_FIXTURE(Fixture, "what was chosen and not sent is chosen again") {
    put(10);
    CHECK(choose() == from(1, 10));
    CHECK(choose() == from(1, 10));
}

TEST_CASE_FIXTURE(Fixture, "a batch is of one size, but for its last") {
    put(2, 100);
    put(1, 50);
    put(2, 100);
    put(1, 120);
    put(2, 50);
    CHECK(send() == from(1, 3));
    CHECK(send() == from(4, 5));
    CHECK(send() == from(6, 7));
    CHECK(send() == from(8, 8));
}

TEST_CASE_FIXTURE(Fixture,
                  "what is asked for again goes first, and has a quarter while new ones wait") {
    put(40);
    sendAll();
    CHECK(nak({{3, 5}, {10, 30}}));
    put(100);
    Chosen expected = from(3, 5);
    for (const std::uint64_t one : from(10, 18)) expected.push_back(one);
    for (const std::uint64_t one : from(41, 76)) expected.push_back(one);
    CHECK(send(48) == expected);
    CHECK(sender.counts().repaired == 12);
    CHECK(sender.counts().asked == 24);
    expected = from(19, 30);
    for (const std::uint64_t one : from(77, 112)) expected.push_back(one);
    CHECK(send(48) == expected);
    sendAll();
    CHECK(sender.counts().repaired == 24);
}

TEST_CASE_FIXTURE(Fixture, "while nothing new waits repetitions have all of a batch") {
    put(100);
    sendAll();
    nak({{1, 100}});
    CHECK(sender.wants());
    CHECK(send(48) == from(1, 48));
    CHECK(send(48) == from(49, 96));
    CHECK(send(48) == from(97, 100));
    CHECK_FALSE(sender.wants());
}

TEST_CASE_FIXTURE(Fixture, "even a batch of one is shared in turn") {
    put(2);
    sendAll();
    nak({{1, 2}});
    put(2);
    CHECK(send(1) == from(1, 1));
    CHECK(send(1) == from(2, 2));
    CHECK(send(1) == from(3, 3));
}

TEST_CASE_FIXTURE(Fixture, "asked for by several at once, a datagram is repeated once") {
    put(10);
    sendAll();
    nak({{1, 4}});
    nak({{2, 6}});
    nak({{1, 1}, {3, 3}});
    CHECK(send() == from(1, 6));
    CHECK(sender.counts().asked == 11);
    // While the repetition is on its way.
    now += repeatPause - 1us;
    nak({{1, 6}});
    CHECK(send().empty());
    CHECK_FALSE(sender.wants());
    now += 1us;
    nak({{1, 7}});
    CHECK(send() == from(1, 7));
}

TEST_CASE_FIXTURE(Fixture, "what was never sent nobody gets, whoever asks") {
    put(10);
    sendAll();
    put(10);
    CHECK(nak({{11, 11}, {15, ~std::uint64_t{0}}, {5, 4'000'000'000}}));
    CHECK(sender.counts().asked == 6);
    CHECK(choose(4) == Chosen{5, 11, 12, 13});
}

TEST_CASE("who asks for what is gone is told so, and gets the rest") {
    Fixture all(0, 1);
    all.put(1000);
    all.sendAll();
    const std::uint64_t oldest = all.buffer.oldest();
    REQUIRE(oldest > 100);
    CHECK_FALSE(all.nak({{1, 10}}));
    CHECK(all.sender.counts().gone == 10);
    CHECK(all.send().empty());
    CHECK_FALSE(all.nak({{oldest - 2, oldest + 1}}));
    CHECK(all.sender.counts().gone == 12);
    CHECK(all.send() == from(oldest, oldest + 1));
    CHECK(all.nak({{oldest, oldest}}));
    // Asked for in time, but gone before its turn came.
    all.now += 1s;
    all.nak({{oldest, oldest + 1}});
    all.put(1000);
    Chosen chosen;
    while (all.buffer.holds(oldest + 1)) {
        chosen = all.choose();
        std::erase_if(chosen, [&](std::uint64_t one) { return one <= all.buffer.sent(); });
        all.sender.onSent(all.now, chosen, 1);
    }
    for (const std::uint64_t one : all.choose()) CHECK(all.buffer.holds(one));
}

TEST_CASE_FIXTURE(Fixture, "a repetition has to fit into the batch as well") {
    put(2, 50);
    put(2, 100);
    sendAll();
    nak({{1, 4}});
    CHECK(send() == from(1, 2));
    CHECK(send() == from(3, 4));
}

TEST_CASE_FIXTURE(Fixture, "receivers hold it: never more is under way than they have room for") {
    join(20);
    put(100);
    CHECK(send() == from(1, 20));
    CHECK_FALSE(choose().size() != 0);
    CHECK(sender.held());
    CHECK(sender.wants());
    CHECK(sender.counts().held == 1);
    choose();
    CHECK(sender.counts().held == 1);
    // Repetitions pass all the same, a whole batch of them.
    nak({{1, 20}});
    CHECK(send() == from(1, 20));
    CHECK(sender.held());

    status(11, 20);
    CHECK_FALSE(sender.held());
    CHECK(send() == from(21, 30));
    choose();
    CHECK(sender.counts().held == 2);

    // It never moves again: at last the others are served.
    bool changed = false;
    for (const Time began = now; !changed && now - began < 1s; now += 5ms) {
        changed = sender.onHeld(now);
    }
    CHECK(changed);
    CHECK_FALSE(sender.held());
    CHECK(send() == from(31, 78));
}

TEST_CASE_FIXTURE(Fixture, "nothing waits, nothing is held") {
    join(20);
    put(20);
    sendAll();
    CHECK_FALSE(sender.held());
    CHECK(sender.counts().held == 0);
}

TEST_CASE("a rate is kept: so many bytes at once, the rest as time passes") {
    Fixture all(1'000'000);
    all.put(2000, 1000);
    std::size_t sent = 0;
    while (const std::size_t count = all.send().size()) sent += count;
    CHECK(static_cast<double>(sent) * 1000 >= sendBurst);
    CHECK(static_cast<double>(sent) * 1000 <= sendBurst + 48'000);
    const Time began = all.now;
    std::size_t more = 0;
    while (all.now - began < 1s) {
        REQUIRE(all.sender.wants());
        REQUIRE_FALSE(all.sender.held());
        REQUIRE(all.sender.rateAllowsAt() > all.now);
        all.now = all.sender.rateAllowsAt();
        const std::size_t count = all.send().size();
        REQUIRE(count != 0);
        more += count;
        while (all.send().size() != 0) continue;
    }
    CHECK(more >= 950);
    CHECK(more <= 1100);
}

TEST_CASE("a bucket is full after a pause, and never fuller") {
    TokenBucket bucket(1'000'000);
    Time now{1h};
    CHECK(bucket.ready(now));
    bucket.spend(100'000);
    CHECK_FALSE(bucket.ready(now));
    CHECK(bucket.readyAt() > now + 34ms);
    CHECK(bucket.readyAt() < now + 35ms);
    now = bucket.readyAt();
    CHECK(bucket.ready(now));
    now += 1h;
    CHECK(bucket.ready(now));
    bucket.spend(static_cast<std::uint64_t>(sendBurst));
    CHECK_FALSE(bucket.ready(now));
    // A clock that stands still or goes back fills nothing.
    CHECK_FALSE(bucket.ready(now - 1s));
    CHECK(bucket.ready(now + 1ms));
}

TEST_CASE("without a limit a bucket is always ready") {
    TokenBucket bucket(0);
    for (int i = 0; i < 10; ++i) {
        CHECK(bucket.ready(Time{1h}));
        bucket.spend(std::uint64_t{1} << 40);
    }
}
