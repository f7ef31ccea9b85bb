// Lets threads in until it is closed, and then waits until the others are out: what keeps the
// callbacks of a Tasks from running when it is gone. Any thread; a thread may be in several times,
// and may close it from inside, where it waits for the others alone.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace netcluster::tasks {

class Gate {
  public:
    /// One stay inside; false when it is closed. Must not outlive the gate.
    class Pass {
      public:
        explicit Pass(Gate& gate);
        ~Pass();
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;
        explicit operator bool() const { return gate_ != nullptr; }

      private:
        Gate* gate_ = nullptr;
    };

    void close();
    bool closed() const;

  private:
    mutable std::mutex mutex_;
    std::condition_variable left_;
    std::size_t inside_ = 0;
    bool closed_ = false;
};

}  // namespace netcluster::tasks
