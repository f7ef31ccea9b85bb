// Envelopes between the program's threads and the server's: first in, first out, bounded in bytes
// by those who put in and wait for room. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <netcluster/cluster.hpp>
#include <optional>

namespace netcluster::cluster {

class MessageQueue {
  public:
    using Clock = std::chrono::steady_clock;
    struct Item {
        Envelope envelope;
        std::size_t bytes = 0;
        bool tooDeep = false;  ///< to be refused; the message is not in it any more
    };

    /// Of an item is charged what its text has, and this much for all else.
    static constexpr std::size_t overhead = 256;

    MessageQueue(std::size_t limit, bool open) : limit_(limit), open_(open) {}

    /// Called after each change, without the queue's lock. To be set before the queue is used.
    void onChange(std::function<void()> changed) { changed_ = std::move(changed); }

    /// Waits for room until `until`. What alone is more than the limit has room when nothing else
    /// is there.
    Sent put(Item item, std::optional<Clock::time_point> until);
    /// Takes it whether there is room or not.
    void force(Item item);
    /// Waits for one until `until`, or until the queue is closed.
    std::optional<Item> take(std::optional<Clock::time_point> until);
    std::optional<Item> tryTake();

    bool full() const;
    std::size_t size() const;

    void open();
    /// Nothing is put in any more; who waits to goes away. What is there can be taken.
    void close();

  private:
    void add(Item item);
    std::optional<Item> first();
    void tell() const {
        if (changed_) changed_();
    }

    const std::size_t limit_;
    std::function<void()> changed_;
    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::condition_variable arrived_;
    std::deque<Item> items_;
    std::size_t bytes_ = 0;
    bool open_;
};

}  // namespace netcluster::cluster
