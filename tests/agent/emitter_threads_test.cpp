#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "emitter_support.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;

namespace {

// A number that threads wait for. Not std::atomic::wait: where the system has no futex, GCC 12's
// looks at the value before it takes its lock, and sleeps through the change.
class Turn {
  public:
    void set(int value) {
        const std::lock_guard lock(mutex_);
        value_ = value;
        changed_.notify_all();
    }
    void add() {
        const std::lock_guard lock(mutex_);
        ++value_;
        changed_.notify_all();
    }
    void await(int value) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return value_ >= value; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int value_ = 0;
};

}  // namespace

TEST_CASE("once runs exactly once however many threads emit at the same moment") {
    Bench bench;
    constexpr int threads = 4;
    constexpr int rounds = 500;
    std::atomic<int> runs{0};
    Turn round;
    Turn ready;
    std::vector<std::thread> emitters;
    for (int i = 0; i < threads; ++i) {
        emitters.emplace_back([&] {
            for (int mine = 1; mine <= rounds; ++mine) {
                round.await(mine);
                bench.emit("a");
                ready.add();
            }
        });
    }
    for (int i = 1; i <= rounds; ++i) {
        bench.once("a", [&](const Event&) { ++runs; });
        ready.set(0);
        round.set(i);
        ready.await(threads);
    }
    for (auto& emitter : emitters) emitter.join();
    CHECK(runs == rounds);
    CHECK(bench.emitter->count(*bench.owner) == 0);
}

TEST_CASE("removing waits for a run on another thread, and nothing runs after it") {
    Bench bench;
    Gate running;
    Gate finish;
    std::atomic<bool> ended{false};
    const auto id = bench.on("a", [&](const Event&) {
        running.open();
        finish.await();
        ended = true;
    });
    auto emitting = inBackground([&] { bench.emit("a"); });
    REQUIRE(running.await());

    auto removing = inBackground([&] {
        const bool removed = bench.remove(id);
        CHECK(ended);
        return removed;
    });
    // Other things go on while it waits.
    bench.on("b", [](const Event&) {});
    bench.emit("b");
    finish.open();
    CHECK(removing.get());
    emitting.get();
}

TEST_CASE("removing a once listener that runs now says false, and waits all the same") {
    Bench bench;
    Gate running;
    Gate finish;
    std::atomic<bool> ended{false};
    const auto id = bench.once("a", [&](const Event&) {
        running.open();
        finish.await();
        ended = true;
    });
    auto emitting = inBackground([&] { bench.emit("a"); });
    REQUIRE(running.await());
    auto removing = inBackground([&] {
        const bool removed = bench.remove(id);
        CHECK(ended);
        return removed;
    });
    finish.open();
    CHECK_FALSE(removing.get());
    emitting.get();
}

TEST_CASE("two listeners on two threads that remove each other do not wait for each other") {
    Bench bench;
    Gate firstRuns;
    Gate secondRuns;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    first = bench.on("first", [&](const Event&) {
        firstRuns.open();
        REQUIRE(secondRuns.await());
        bench.remove(second);
    });
    second = bench.on("second", [&](const Event&) {
        secondRuns.open();
        REQUIRE(firstRuns.await());
        bench.remove(first);
    });
    auto other = inBackground([&] { bench.emit("second"); });
    bench.emit("first");
    other.get();
    CHECK(bench.emitter->count(*bench.owner) == 0);
}

TEST_CASE("waiting for one listener is not waiting for the event it belongs to") {
    Bench bench;
    Gate running;
    Gate finish;
    const auto before = bench.on("a", [](const Event&) {});
    bench.on("a", [&](const Event&) {
        running.open();
        finish.await();
    });
    int after = 0;
    const auto behind = bench.on("a", [&](const Event&) { ++after; });
    auto emitting = inBackground([&] { bench.emit("a"); });
    REQUIRE(running.await());
    CHECK(bench.remove(before));
    CHECK(bench.remove(behind));
    finish.open();
    emitting.get();
    CHECK(after == 0);
}

TEST_CASE("a handler removed from inside a listener while another thread runs it ends with that") {
    Bench bench;
    Gate running;
    Gate finish;
    auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = held;
    const auto id = bench.on("slow", [&, held](const Event&) {
        running.open();
        finish.await();
        ++*held;
    });
    held.reset();
    bench.on("remover", [&](const Event&) { CHECK(bench.remove(id)); });
    auto emitting = inBackground([&] { bench.emit("slow"); });
    REQUIRE(running.await());
    bench.emit("remover");
    CHECK_FALSE(watch.expired());
    finish.open();
    emitting.get();
    CHECK(watch.expired());
}

TEST_CASE("no listener runs after its removal, under emits from all sides") {
    Bench bench;
    std::atomic<bool> stop{false};
    std::vector<std::thread> emitters;
    for (int i = 0; i < 3; ++i) {
        emitters.emplace_back([&] {
            while (!stop) {
                bench.emit("a");
                bench.emit("b");
            }
        });
    }
    for (int i = 0; i < 2000; ++i) {
        auto alive = std::make_unique<std::atomic<int>>(0);
        const auto id = bench.on("[ab]", [&, counter = alive.get()](const Event&) { ++*counter; });
        CHECK(bench.remove(id));
        alive.reset();  // a run after this would write to freed memory
    }
    stop = true;
    for (auto& emitter : emitters) emitter.join();
    CHECK(bench.emitter->count(*bench.owner) == 0);
}
