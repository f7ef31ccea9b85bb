// Which listener or handler runs on which thread at this moment, so that removing one can wait
// until it does not. Any thread; no lock where something is run.
//
// Every thread writes what it runs into slots of its own and then looks whether that is still
// wanted; a remover marks the thing unwanted and then looks into the slots of all threads. With a
// full barrier between the two steps on both sides, at least one of the two sees the other. Runs
// are many and removers few, so the remover makes all threads pass the barrier
// (process_barrier.hpp), and a run is left with plain stores: the asymmetric fences of P1202. Where
// the system does not give that, every run pays for a barrier of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

namespace netcluster {

/// Something that runs and can be removed while it does.
struct Runnable {
    std::atomic<bool> gone{false};           ///< set before `awaitStill`; never cleared
    std::atomic<std::uint32_t> deepRuns{0};  ///< runs nested too deep for the thread's slots
};

/// What one thread runs. Written with every run, so nothing else is on its cache lines, nor on the
/// ones next to them, which processors fetch along.
struct alignas(128) ThreadRuns {
    /// Listeners that emit inside listeners nest; beyond this depth a counter in the Runnable does.
    static constexpr std::size_t maxSlots = 16;

    std::array<std::atomic<const Runnable*>, maxSlots> slots{};
    std::size_t depth = 0;  // this thread only

    static ThreadRuns& own() { return mine ? *mine : acquire(); }

    static constinit thread_local ThreadRuns* mine;

  private:
    static ThreadRuns& acquire();
};

/// A slot of this thread, for things that run one after the other. Lives on the stack; nests.
class RunSlot {
  public:
    RunSlot()
        : runs_(ThreadRuns::own()),
          depth_(runs_.depth),
          slot_(depth_ < ThreadRuns::maxSlots ? &runs_.slots[depth_] : nullptr) {}
    RunSlot(const RunSlot&) = delete;
    RunSlot& operator=(const RunSlot&) = delete;

    /// False when `what` is gone already and must not run. Pairs with `end` either way.
    bool begin(Runnable& what) {
        runs_.depth = depth_ + 1;
        if (!slot_) [[unlikely]] {
            what.deepRuns.fetch_add(1);
        } else if (removersFence.load(std::memory_order_relaxed)) [[likely]] {
            // Release, for who finds this in the slot knows by it that the run before has ended.
            slot_->store(&what, std::memory_order_release);
            std::atomic_signal_fence(std::memory_order_seq_cst);  // the compiler may not swap them
        } else {
            slot_->store(&what);
        }
        return !what.gone.load();
    }

    /// True when `what` is gone.
    bool end(Runnable& what) {
        runs_.depth = depth_;
        if (slot_) [[likely]] {
            slot_->store(nullptr, std::memory_order_release);
        } else {
            what.deepRuns.fetch_sub(1);
        }
        if (!what.gone.load()) [[likely]]
            return false;
        tellRemovers();
        return true;
    }

    /// Before anything runs: asks the system for the barrier of removers. The first call counts.
    static void prepare();
    /// Every run does its own barrier from now on. Returns when no run is left that began otherwise
    /// and cannot be seen yet.
    static void endRemoversFence();

    /// True while removers do the barriers of all. May become true only while nothing runs.
    static constinit std::atomic<bool> removersFence;

  private:
    static void tellRemovers();

    ThreadRuns& runs_;
    const std::size_t depth_;
    std::atomic<const Runnable*>* const slot_;  // null when too deep for one
};

/// While it lives, `what` runs on this thread; unless it was gone already, then it is false.
class Run {
  public:
    explicit Run(Runnable& what) : what_(what), allowed_(slot_.begin(what)) {}
    ~Run() { slot_.end(what_); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    explicit operator bool() const { return allowed_; }

    /// True inside any run of this thread.
    static bool inside() { return ThreadRuns::mine && ThreadRuns::mine->depth != 0; }

  private:
    RunSlot slot_;
    Runnable& what_;
    const bool allowed_;
};

/// What runs, for as long as this lives: a thread that ends a run of something gone waits for it.
class RunsSeen {
  public:
    /// What is asked about must be gone already.
    RunsSeen();
    bool has(const Runnable& what) const;

  private:
    std::unique_lock<std::mutex> lock_;
    friend void awaitStill(std::span<const Runnable* const> all);
};

/// Returns when no other thread runs any of them, which are gone. Returns at once inside a Run: two
/// listeners that remove each other must not wait for each other.
void awaitStill(std::span<const Runnable* const> all);
inline void awaitStill(const Runnable& what) {
    const Runnable* const one = &what;
    awaitStill(std::span(&one, 1));
}

}  // namespace netcluster
