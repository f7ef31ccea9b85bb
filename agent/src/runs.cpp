#include "runs.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <thread>
#include <vector>

#include "process_barrier.hpp"

namespace netcluster {
namespace {

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

    // Whether another thread has slots.
    bool othersMayRun() const { return all.size() - unused.size() > (ThreadRuns::mine ? 1 : 0); }
};

// Gives the slots to the next thread when this one ends. What still runs after that (destructors
// of other thread-local or static objects) takes slots anew and keeps them.
struct GiveBack {
    bool armed = false;
    ~GiveBack() {
        ThreadRuns*& runs = ThreadRuns::mine;
        if (!runs || runs->depth != 0) return;
        Registry& registry = Registry::instance();
        const std::lock_guard lock(registry.mutex);
        registry.unused.push_back(runs);
        runs = nullptr;
    }
};
thread_local GiveBack giveBack;

}  // namespace

constinit thread_local ThreadRuns* ThreadRuns::mine = nullptr;
constinit std::atomic<bool> RunSlot::removersFence{false};

ThreadRuns& ThreadRuns::acquire() {
    mine = Registry::instance().acquire();
    giveBack.armed = true;  // using it makes its destructor run
    return *mine;
}

void RunSlot::prepare() {
    static std::once_flag once;
    std::call_once(once, [] { removersFence = enableProcessBarrier(); });
}

// The lock makes sure that a remover is either before its look at the slots or asleep.
void RunSlot::tellRemovers() {
    Registry& registry = Registry::instance();
    { const std::lock_guard lock(registry.mutex); }
    registry.left.notify_all();
}

void RunSlot::endRemoversFence() {
    removersFence = false;
    // What was stored without a barrier leaves its processor in far less than this.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

RunsSeen::RunsSeen() : lock_(Registry::instance().mutex) {
    if (!RunSlot::removersFence) return;
    // A thread that takes slots later has passed the lock by then, which is a barrier, too.
    if (!Registry::instance().othersMayRun() || processBarrier()) return;
    RunSlot::endRemoversFence();  // the system gives it no longer: a sandbox, entered late
}

bool RunsSeen::has(const Runnable& what) const {
    assert(lock_.owns_lock());
    if (what.deepRuns.load() != 0) return true;
    const auto& all = Registry::instance().all;
    return std::any_of(all.begin(), all.end(), [&](const auto& runs) {
        return std::any_of(runs->slots.begin(), runs->slots.end(),
                           [&](const auto& slot) { return slot.load() == &what; });
    });
}

void awaitStill(std::span<const Runnable* const> all) {
    if (Run::inside()) return;
    RunsSeen seen;
    for (const Runnable* what : all) {
        // The time bound is for the one case where the end of a run does not tell: it looked at
        // `gone` just before that was set, and its cleared slot was not visible yet. That needs
        // runs that pay for their own barriers; paying for a second one would exclude it.
        while (seen.has(*what)) {
            Registry::instance().left.wait_for(seen.lock_, std::chrono::milliseconds(1));
        }
    }
}

}  // namespace netcluster
