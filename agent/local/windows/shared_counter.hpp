// On POSIX, a number that the daemon writes and its clients read without a system call, in memory
// that is handed over along a Stream. A pipe hands nothing over, and a daemon that may put a handle
// into any client's process would have to be an administrator: Windows has none. The protocol does
// without: every event is sent to the daemon, whether somebody wants it or not.
#pragma once

#include <cstdint>

namespace netcluster::local {

/// What a Stream could hand over: nothing.
class Descriptor {
  public:
    explicit operator bool() const { return false; }
};

class SharedCounter {
  public:
    bool supported() const { return false; }
    const Descriptor& memory() const { return memory_; }
    void set(std::uint64_t) {}

  private:
    Descriptor memory_;
};

class CounterView {
  public:
    bool attach(const Descriptor&) { return false; }
    void detach() {}
    /// 0: there is no counter.
    std::uint64_t value() const { return 0; }
};

}  // namespace netcluster::local
