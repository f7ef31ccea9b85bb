// What the agent's tests share: waiting with a deadline, never for a time.
#pragma once

#include <doctest/doctest.h>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <string>

namespace netcluster::testing {

inline constexpr std::chrono::seconds deadline{20};

/// Things that happened on any thread, to wait for one by one.
template <typename Value>
class Heard {
  public:
    void add(Value value) {
        const std::lock_guard lock(mutex_);
        values_.push_back(std::move(value));
        arrived_.notify_all();
    }
    /// The next one; fails the test when none comes.
    Value next() {
        std::unique_lock lock(mutex_);
        REQUIRE(arrived_.wait_for(lock, deadline, [&] { return !values_.empty(); }));
        Value value = std::move(values_.front());
        values_.pop_front();
        return value;
    }
    std::size_t waiting() const {
        const std::lock_guard lock(mutex_);
        return values_.size();
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Value> values_;
};

/// Opens once, for all who wait.
class Gate {
  public:
    void open() { opened_.set_value(); }
    /// From any thread; false when it does not open.
    bool await() const { return open_.wait_for(deadline) == std::future_status::ready; }

  private:
    std::promise<void> opened_;
    std::shared_future<void> open_ = opened_.get_future().share();
};

template <typename Function>
auto inBackground(Function function) {
    return std::async(std::launch::async, std::move(function));
}

/// What the function's Error says; empty when it throws none.
template <typename Function>
std::string errorOf(Function function) {
    try {
        function();
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace netcluster::testing
