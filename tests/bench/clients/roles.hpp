// The roles a client program takes; README.md has their options and what they print.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "bus.hpp"

namespace netcluster::bench {

int publish(Bus& bus, const Options& options);
int subscribe(Bus& bus, const Options& options);
int ping(Bus& bus, const Options& options);
int pong(Bus& bus, const Options& options);
int hold(Bus& bus, const Options& options);
int tick(Bus& bus, const Options& options);
int watch(Bus& bus, const Options& options);

/// The runner's lines on standard input, read on a thread of their own. Says READY when made.
class Control {
  public:
    explicit Control(Bus& bus);
    bool started() const { return state_->started; }
    bool stopped() const { return state_->stopped; }
    /// From "expect N": how many events were published; -1 before.
    std::int64_t published() const { return state_->published; }
    /// Serves the bus until `received()` is `expected(published())`, or nothing has come for as
    /// long as the `patience` (nanoseconds) since all was published, or standard input has ended.
    void await(Bus& bus, std::int64_t patience, const std::function<std::uint64_t()>& received,
               const std::function<std::uint64_t(std::uint64_t)>& expected) const;

  private:
    struct State {
        std::atomic<bool> started{false};
        std::atomic<bool> stopped{false};
        std::atomic<std::int64_t> published{-1};
    };
    // Shared with the thread, which may still wait for a line when the role has ended.
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace netcluster::bench
