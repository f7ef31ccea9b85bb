#include "runs.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace netcluster {
namespace {

// Listeners that emit inside listeners nest; beyond this depth a counter in the Runnable does.
constexpr std::size_t maxSlots = 16;

// On cache lines of its own: it is written with every run.
struct alignas(64) ThreadRuns {
    std::array<std::atomic<const Runnable*>, maxSlots> slots{};
    std::size_t depth = 0;  // this thread only
};

// All threads' slots. Never destroyed: agents may be static objects, and threads may outlive main.
struct Registry {
    std::mutex mutex;
    std::condition_variable left;
    std::vector<std::unique_ptr<ThreadRuns>> all;
    std::vector<ThreadRuns*> unused;

    static Registry& instance() {
        static auto* registry = new Registry;
        return *registry;
    }

    ThreadRuns* acquire() {
        const std::lock_guard lock(mutex);
        if (unused.empty()) {
            all.push_back(std::make_unique<ThreadRuns>());
            return all.back().get();
        }
        ThreadRuns* runs = unused.back();
        unused.pop_back();
        return runs;
    }
};

thread_local ThreadRuns* threadRuns = nullptr;

// Gives the slots to the next thread when this one ends. What still runs after that (destructors
// of other thread-local or static objects) takes slots anew and keeps them.
struct GiveBack {
    bool armed = false;
    ~GiveBack() {
        if (!threadRuns || threadRuns->depth != 0) return;
        Registry& registry = Registry::instance();
        const std::lock_guard lock(registry.mutex);
        registry.unused.push_back(threadRuns);
        threadRuns = nullptr;
    }
};
thread_local GiveBack giveBack;

ThreadRuns& ownRuns() {
    if (!threadRuns) {
        threadRuns = Registry::instance().acquire();
        giveBack.armed = true;  // using it makes its destructor run
    }
    return *threadRuns;
}

bool runsNow(const Registry& registry, const Runnable& what) {
    if (what.deepRuns.load() != 0) return true;
    return std::any_of(registry.all.begin(), registry.all.end(), [&](const auto& runs) {
        return std::any_of(runs->slots.begin(), runs->slots.end(),
                           [&](const auto& slot) { return slot.load() == &what; });
    });
}

}  // namespace

Run::Run(Runnable& what) : what_(what) {
    ThreadRuns& runs = ownRuns();
    const std::size_t depth = runs.depth++;
    if (depth < maxSlots) {
        runs.slots[depth].store(&what);
    } else {
        what.deepRuns.fetch_add(1);
    }
    allowed_ = !what.gone.load();
}

Run::~Run() {
    assert(threadRuns && threadRuns->depth > 0);
    const std::size_t depth = --threadRuns->depth;
    if (depth < maxSlots) {
        threadRuns->slots[depth].store(nullptr, std::memory_order_release);
    } else {
        what_.deepRuns.fetch_sub(1);
    }
    if (!what_.gone.load()) return;
    // The lock makes sure that a remover is either before its look at the slots or asleep.
    Registry& registry = Registry::instance();
    { const std::lock_guard lock(registry.mutex); }
    registry.left.notify_all();
}

bool Run::inside() {
    return threadRuns && threadRuns->depth != 0;
}

bool isRunning(const Runnable& what) {
    Registry& registry = Registry::instance();
    const std::lock_guard lock(registry.mutex);
    return runsNow(registry, what);
}

void awaitStill(const Runnable& what) {
    if (Run::inside()) return;
    Registry& registry = Registry::instance();
    std::unique_lock lock(registry.mutex);
    // The time bound is for the one case where ~Run does not notify: it looked at `gone` just
    // before that was set, and its cleared slot was not visible yet. Paying a second full memory
    // barrier per run to exclude that would make every emit slower.
    while (runsNow(registry, what)) {
        registry.left.wait_for(lock, std::chrono::milliseconds(1));
    }
}

}  // namespace netcluster
