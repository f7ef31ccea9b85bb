// Removing against running, with both ways of putting a barrier between the two steps of a run.
#include <doctest/doctest.h>

#include <array>
#include <thread>

#include "emitter_support.hpp"
#include "runs.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;

namespace {

/// Who does the barriers while it lives. Where the system cannot let removers do them, runs do.
class Fencing {
  public:
    enum class By { removers, runs };
    explicit Fencing(By by) {
        if (by == By::runs) RunSlot::removersFence = false;
    }
    ~Fencing() { RunSlot::removersFence = before_; }
    Fencing(const Fencing&) = delete;
    Fencing& operator=(const Fencing&) = delete;

  private:
    const bool before_ = (RunSlot::prepare(), RunSlot::removersFence.load());
};

template <typename Test>
void withBoth(Test test) {
    for (const auto by : {Fencing::By::removers, Fencing::By::runs}) {
        CAPTURE(static_cast<int>(by));
        const Fencing fencing(by);
        test();
    }
}

/// Something that must not run once it is `over`.
struct alignas(64) Task : Runnable {
    std::atomic<bool> over{false};
};

/// Lines that all threads write: what a thread stores after them waits in its processor's store
/// buffer, where no other thread sees it, for about as long as a remover takes.
struct Noise {
    struct alignas(64) Line {
        std::atomic<std::size_t> value{0};
    };
    std::array<Line, 8> lines;

    void make(std::size_t value) {
        for (Line& line : lines) line.value.store(value, std::memory_order_relaxed);
    }
};

std::size_t awaitMore(const std::atomic<std::size_t>& number, std::size_t than) {
    while (number <= than) std::this_thread::yield();
    return number;
}

}  // namespace

TEST_CASE("what is gone does not begin, and ends all the same") {
    withBoth([] {
        Runnable task;
        RunSlot slot;
        CHECK(slot.begin(task));
        CHECK(Run::inside());
        CHECK_FALSE(slot.end(task));
        CHECK_FALSE(Run::inside());
        task.gone = true;
        CHECK_FALSE(slot.begin(task));
        CHECK(slot.end(task));
        CHECK_FALSE(RunsSeen().has(task));
    });
}

TEST_CASE("what runs is seen, however deep, and nothing else is") {
    withBoth([] {
        std::array<Runnable, 2 * ThreadRuns::maxSlots> tasks;
        Runnable other;
        const std::function<void(std::size_t)> nest = [&](std::size_t depth) {
            const Run run(tasks[depth]);
            if (depth + 1 < tasks.size()) return nest(depth + 1);
            const RunsSeen seen;
            for (const Runnable& task : tasks) CHECK(seen.has(task));
            CHECK_FALSE(seen.has(other));
        };
        nest(0);
        const RunsSeen seen;
        for (const Runnable& task : tasks) CHECK_FALSE(seen.has(task));
    });
}

TEST_CASE("after the wait nothing runs any more, though its run begins while it is removed") {
    withBoth([] {
        constexpr std::size_t count = 20000;
        const auto tasks = std::make_unique<std::array<Task, count>>();
        Noise noise;
        std::atomic<std::size_t> begun{0};
        std::atomic<std::size_t> removed{0};
        std::size_t late = 0;
        auto running = inBackground([&] {
            RunSlot slot;
            for (std::size_t at = 0; at < count; at = awaitMore(removed, at)) {
                Task& task = (*tasks)[at];
                begun = at + 1;
                noise.make(at);
                if (slot.begin(task)) {
                    for (int look = 0; look < 400; ++look) {
                        if (task.over.load(std::memory_order_relaxed)) ++late;
                    }
                }
                slot.end(task);
            }
        });
        for (std::size_t at = 0; at < count; ++at) {
            awaitMore(begun, at);
            Task& task = (*tasks)[at];
            task.gone = true;
            awaitStill(task);
            task.over.store(true, std::memory_order_relaxed);
            noise.make(at);
            removed = at + 1;
        }
        running.get();
        CHECK(late == 0);
    });
}

TEST_CASE("many are awaited at once") {
    withBoth([] {
        std::array<Runnable, 3> tasks;
        Gate running;
        Gate finish;
        std::atomic<bool> ended{false};
        auto run = inBackground([&] {
            const Run last(tasks[2]);
            running.open();
            finish.await();
            ended = true;
        });
        REQUIRE(running.await());
        for (Runnable& task : tasks) task.gone = true;
        auto wait = inBackground([&] {
            awaitStill(std::array<const Runnable*, 3>{&tasks[0], &tasks[1], &tasks[2]});
            CHECK(ended);
        });
        finish.open();
        wait.get();
        run.get();
    });
}

TEST_CASE("what a removed listener wrote is there for who removed it") {
    withBoth([] {
        Bench bench;
        std::atomic<bool> stop{false};
        auto emitting = inBackground([&] {
            while (!stop) bench.emit("a");
        });
        for (int i = 0; i < 500; ++i) {
            std::size_t runs = 0;  // no atomic: removing orders it
            const auto id = bench.on("a", [&](const Event&) { ++runs; });
            CHECK(bench.remove(id));
            const std::size_t last = runs;
            bench.emit("a");
            CHECK(runs == last);
        }
        stop = true;
        emitting.get();
    });
}

TEST_CASE("runs may begin to pay for themselves while threads run") {
    const Fencing fencing(Fencing::By::removers);
    Bench bench;
    std::atomic<bool> stop{false};
    auto emitting = inBackground([&] {
        while (!stop) bench.emit("a");
    });
    for (int i = 0; i < 200; ++i) {
        if (i == 100) RunSlot::endRemoversFence();
        auto alive = std::make_unique<std::size_t>(0);
        const auto id = bench.on("a", [counter = alive.get()](const Event&) { ++*counter; });
        CHECK(bench.remove(id));
        alive.reset();  // a run after this would write to freed memory
    }
    stop = true;
    emitting.get();
}
