// Who waits for a call: a future, or callbacks. Any thread.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <netcluster/tasks.hpp>
#include <vector>

#include "gate.hpp"

namespace netcluster::tasks {

class Waiting {
  public:
    virtual ~Waiting() = default;
    /// One of the answers it waits for.
    virtual void take(Answer answer) = 0;
    /// True: `run` is to be called where the user's callbacks run, after each `take`.
    virtual bool callsBack() const { return false; }
    virtual void run() {}
};

/// All answers, in the order of the nodes' ids.
class AwaitAll final : public Waiting {
  public:
    explicit AwaitAll(std::promise<std::vector<Answer>> promise) : promise_(std::move(promise)) {}
    /// How many there will be; before the first.
    void expect(std::size_t count);
    void take(Answer answer) override;

  private:
    void finish();

    std::mutex mutex_;
    std::size_t expected_ = 0;
    std::vector<Answer> answers_;
    std::promise<std::vector<Answer>> promise_;
};

/// The only one.
class AwaitOne final : public Waiting {
  public:
    explicit AwaitOne(std::promise<Answer> promise) : promise_(std::move(promise)) {}
    void take(Answer answer) override { promise_.set_value(std::move(answer)); }

  private:
    std::promise<Answer> promise_;
};

/// Callbacks, never two at once, `done` last: answers may come on several threads; the one that
/// finds nobody at it calls for all.
class CallBack final : public Waiting {
  public:
    CallBack(std::shared_ptr<Gate> gate, std::function<void(const Answer&)> each,
             std::function<void()> done)
        : gate_(std::move(gate)), each_(std::move(each)), done_(std::move(done)) {}
    void expect(std::size_t count);
    void take(Answer answer) override;
    bool callsBack() const override { return true; }
    /// Throws what the callbacks threw, the first of it, after all have been called.
    void run() override;

  private:
    template <typename Callback, typename... Arguments>
    void call(const Callback& callback, std::exception_ptr& thrown, const Arguments&... arguments);

    const std::shared_ptr<Gate> gate_;
    const std::function<void(const Answer&)> each_;
    const std::function<void()> done_;
    std::mutex mutex_;
    std::deque<Answer> answers_;
    std::size_t expected_ = 0;  // that have not been handed to `each`
    bool running_ = false;
    bool finished_ = false;
};

}  // namespace netcluster::tasks
