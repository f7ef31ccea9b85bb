// Rings at a time that is set: a thread that sleeps, for deadlines pass also when nothing arrives
// and nobody polls. Its thread starts with the first call of `start`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace netcluster::tasks {

class Alarm {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// `ring` runs on the alarm's thread. It may come too early, never too late.
    explicit Alarm(std::function<void()> ring);
    /// Waits for a ring that is under way, unless called by it.
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

    /// Throws std::system_error when there can be no thread. Not from two threads at once.
    void start();
    /// Ring then, or before.
    void set(Time when);

  private:
    struct State;
    static void run(const std::shared_ptr<State>& state);

    const std::shared_ptr<State> state_;
    std::thread thread_;
};

}  // namespace netcluster::tasks
