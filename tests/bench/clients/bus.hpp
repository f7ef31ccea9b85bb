// What a bus supplies to be measured: a way to connect, subscribe, publish and wait. The roles
// (roles.hpp) are the same code for all of them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "options.hpp"

namespace netcluster::bench {

/// Called with the payload. Never by two threads at once for the same link. May publish.
using Handler = std::function<void(std::string_view payload)>;

/// One connection. Topics are dotted (`log.bench`); in a pattern, `*` stands for one whole last
/// segment (`log.*`), and each bus translates it to its own syntax.
class Link {
  public:
    virtual ~Link() = default;
    virtual void subscribe(const std::string& pattern) = 0;
    /// Before settle(): the one topic this link is going to publish on.
    virtual void announce(const std::string& topic) { topic_ = topic; }
    /// Returns when the subscriptions made so far are in force and nothing published will be lost
    /// for want of a connection.
    virtual void settle() = 0;
    virtual void publish(std::string_view payload) = 0;
    /// Hands what is gathered here to the kernel, or to the library's own thread.
    virtual void flush() = 0;
    /// As flush(), and returns only when nothing is left in this process.
    virtual void drain() { flush(); }
    /// How often publish() had to wait because the library's queue was full.
    virtual std::uint64_t heldBack() const { return 0; }

  protected:
    const std::string& topic() const { return topic_; }

  private:
    std::string topic_;
};

class Bus {
  public:
    virtual ~Bus() = default;
    /// `channel`: which of several busses beside each other. Those that have no such thing are
    /// never asked for another one than 0.
    virtual std::unique_ptr<Link> connect(Handler onEvent, std::size_t channel = 0) = 0;
    /// Serves all links of this process until something happened or the time is up. Where the
    /// library has threads of its own, handlers run on those, and this is `waitForWake`.
    virtual void poll(int milliseconds) = 0;

    /// Ends a `poll` that waits in `waitForWake`.
    void wake() {
        {
            const std::lock_guard lock(mutex_);
            woken_ = true;
        }
        changed_.notify_one();
    }

  protected:
    void waitForWake(int milliseconds) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), [this] { return woken_; });
        woken_ = false;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

/// Each client defines this. `address` is what the runner knows the daemon by.
std::unique_ptr<Bus> makeBus(const std::string& address, const Options& options);

}  // namespace netcluster::bench
