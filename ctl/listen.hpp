// The command `listen`: one line per event until a signal, a count, a deadline, or nobody reads us
// any more. Main's thread writes; the agent's thread waits for it when the lines of `LineQueue` are
// not taken, so that a slow reader of our output is a slow consumer to the daemon, with its rules
// for that.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <netcluster/agent.hpp>
#include <string>
#include <vector>

#include "commands.hpp"

namespace netcluster::ctl {

Status listenCommand(const Call& call, Context& context);

/// What to say of events that will not come.
std::string gapText(const Gap& gap);

/// One pattern that matches what any of them matches, so that an event matching two is shown once.
std::string anyOf(const std::vector<std::string>& patterns);

/// Lines on their way from one thread to another.
class LineQueue {
  public:
    struct Line {
        enum class Kind { event, notice };
        Kind kind = Kind::event;
        std::string text;
    };

    /// Waits while the queue is full. After `close` it does nothing.
    void push(Line line);
    /// What has come, in order; waits up to `timeout` for the first.
    std::deque<Line> take(std::chrono::milliseconds timeout);
    /// Lets a waiting `push` go. No line is taken afterwards.
    void close();

    /// Enough to keep both threads busy, little enough not to matter.
    static constexpr std::size_t limit = std::size_t{1} << 20;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Line> lines_;
    std::size_t bytes_ = 0;
    bool closed_ = false;
};

}  // namespace netcluster::ctl
