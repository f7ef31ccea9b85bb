// Which listener or handler runs on which thread at this moment, so that removing one can wait
// until it does not. Any thread; no lock where something is run.
//
// Every thread writes what it runs into slots of its own and then looks whether that is still
// wanted; a remover marks the thing unwanted and then looks into the slots of all threads. Both
// orders are sequentially consistent, so at least one of the two sees the other.
#pragma once

#include <atomic>
#include <cstdint>

namespace netcluster {

/// Something that runs and can be removed while it does.
struct Runnable {
    std::atomic<bool> gone{false};           ///< set before `awaitStill`; never cleared
    std::atomic<std::uint32_t> deepRuns{0};  ///< runs nested too deep for the thread's slots
};

/// While it lives, `what` runs on this thread; unless it was gone already, then it is false.
class Run {
  public:
    explicit Run(Runnable& what);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    explicit operator bool() const { return allowed_; }

    /// True inside any Run of this thread.
    static bool inside();

  private:
    Runnable& what_;
    bool allowed_;
};

/// True while any thread runs it.
bool isRunning(const Runnable& what);

/// Returns when no other thread runs `what`, which is gone. Returns at once inside a Run: two
/// listeners that remove each other must not wait for each other.
void awaitStill(const Runnable& what);

}  // namespace netcluster
