// Waiting until programs know the nodes that they should know.
#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <netcluster/agent.hpp>

#include "harness.hpp"

namespace netcluster::scenario {

/// Waits until `done`, which looks at nodes(), is true; looks again whenever one of these, whose
/// callbacks do not wait for `poll`, is told of a change. Takes their onPresence, and leaves them
/// without one.
template <typename... Agents>
void awaitNodes(const std::function<bool()>& done, Agents&... agents) {
    struct News {
        std::mutex mutex;
        std::condition_variable changed;
        bool any = false;
    };
    const auto news = std::make_shared<News>();
    const auto note = [news](const Presence&) {
        const std::lock_guard lock(news->mutex);
        news->any = true;
        news->changed.notify_one();
    };
    (agents.onPresence(note), ...);
    const auto deadline = Clock::now() + patience();
    while (!done()) {
        std::unique_lock lock(news->mutex);
        REQUIRE(news->changed.wait_until(lock, deadline, [&] { return news->any; }));
        news->any = false;
    }
    (agents.onPresence({}), ...);
}

}  // namespace netcluster::scenario
