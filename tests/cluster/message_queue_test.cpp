#include "message_queue.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace netcluster::cluster {
namespace {

MessageQueue::Item item(std::int64_t id, std::size_t bytes = 0) {
    return {{1, id, nullptr}, bytes};
}
const auto atOnce = MessageQueue::Clock::time_point();

}  // namespace

TEST_CASE("a queue has room for so many bytes, and always for one item") {
    MessageQueue queue(1000, true);
    CHECK(queue.put(item(1, 5000), atOnce) == Sent::accepted);
    CHECK(queue.full());
    CHECK(queue.put(item(2), atOnce) == Sent::full);
    CHECK(queue.tryTake()->envelope.msgId == 1);
    CHECK_FALSE(queue.full());
    CHECK(queue.put(item(2), atOnce) == Sent::accepted);
    CHECK(queue.put(item(3, 1000), atOnce) == Sent::full);
    queue.force(item(4, 1000));
    CHECK(queue.size() == 2);
}

TEST_CASE("who waits for room gets it, or is told that there is no more of it") {
    MessageQueue queue(100, true);
    CHECK(queue.put(item(1), atOnce) == Sent::accepted);
    std::thread second([&] { CHECK(queue.put(item(2), {}) == Sent::accepted); });
    CHECK(queue.take({})->envelope.msgId == 1);
    CHECK(queue.take({})->envelope.msgId == 2);
    second.join();

    CHECK(queue.put(item(3), atOnce) == Sent::accepted);
    std::thread late([&] { CHECK(queue.put(item(4), {}) == Sent::stopped); });
    queue.close();
    late.join();
    CHECK(queue.take({})->envelope.msgId == 3);  // what is there can be taken
    CHECK_FALSE(queue.take({}));
    queue.open();
    CHECK(queue.put(item(5), atOnce) == Sent::accepted);
}

}  // namespace netcluster::cluster
