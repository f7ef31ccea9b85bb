// A number that the daemon writes and its clients read without a system call: one page of memory,
// handed over along a Stream. Clients can neither write it nor make it smaller.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace netcluster::local {

/// An open descriptor, closed when it goes.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
    Descriptor& operator=(Descriptor&& other) noexcept;

    int number() const { return number_; }
    /// It is the caller's to close.
    int release() { return std::exchange(number_, -1); }
    explicit operator bool() const { return number_ >= 0; }

  private:
    int number_ = -1;
};

/// The daemon's side. One thread writes.
class SharedCounter {
  public:
    /// 0 until `set`; 0 again for its readers when it is gone. `supported` is false where the
    /// system has no such memory; `set` then does nothing.
    SharedCounter();
    ~SharedCounter();
    SharedCounter(const SharedCounter&) = delete;
    SharedCounter& operator=(const SharedCounter&) = delete;

    bool supported() const { return static_cast<bool>(memory_); }
    const Descriptor& memory() const { return memory_; }
    void set(std::uint64_t value) {
        if (value_) value_->store(value, std::memory_order_release);
    }

  private:
    Descriptor memory_;
    std::atomic<std::uint64_t>* value_ = nullptr;
};

/// A client's side. Attached and detached by one thread, read by any, without a lock.
class CounterView {
  public:
    CounterView();
    ~CounterView();
    CounterView(const CounterView&) = delete;
    CounterView& operator=(const CounterView&) = delete;

    /// Shows the counter behind what a Stream handed over. False, and 0 to read, when that is not a
    /// SharedCounter's memory.
    bool attach(const Descriptor& memory);
    /// 0 to read from now on.
    void detach();

    /// 0 when there is no counter. (ThreadSanitizer takes the exchange for a write to the page.)
    [[gnu::no_sanitize("thread")]] std::uint64_t value() const {
        return value_ ? value_->load(std::memory_order_acquire) : 0;
    }

  private:
    // The page stays where it is, so that threads may read it at any time: what it shows is
    // exchanged under them (mmap with MAP_FIXED), never taken away.
    const std::atomic<std::uint64_t>* value_ = nullptr;
};

}  // namespace netcluster::local
