// The small parts: the gate, the alarm, and who waits for a call.
#include <doctest/doctest.h>

#include <future>

#include "agent/support.hpp"
#include "alarm.hpp"
#include "gate.hpp"
#include "waiting.hpp"

using namespace netcluster;
using namespace std::chrono_literals;
using netcluster::testing::deadline;
using netcluster::testing::Heard;
using tasks::Alarm;

namespace {

Answer answerOf(const std::string& node) {
    Answer answer;
    answer.node = node;
    return answer;
}

}  // namespace

TEST_CASE("a gate that is closed lets nobody in, and waits for others but not for itself") {
    tasks::Gate gate;
    netcluster::testing::Gate inside, leave;
    auto other = netcluster::testing::inBackground([&] {
        const tasks::Gate::Pass pass(gate);
        inside.open();
        leave.await();
        return bool(pass);
    });
    REQUIRE(inside.await());
    std::future<void> closing = netcluster::testing::inBackground([&] {
        const tasks::Gate::Pass own(gate);
        const tasks::Gate::Pass again(gate);
        gate.close();
    });
    while (!gate.closed()) std::this_thread::yield();
    CHECK_FALSE(bool(tasks::Gate::Pass(gate)));
    CHECK(closing.wait_for(20ms) == std::future_status::timeout);
    leave.open();
    CHECK(closing.wait_for(deadline) == std::future_status::ready);
    CHECK(other.get());
}

TEST_CASE("an alarm rings at the earliest time that was set, and can be set from its ring") {
    Heard<int> rings;
    std::function<void()> ring;
    Alarm alarm([&] { ring(); });
    int count = 0;
    const auto begin = std::chrono::steady_clock::now();
    ring = [&] {
        rings.add(++count);
        if (count == 1) alarm.set(begin + 40ms);
    };
    alarm.start();
    alarm.set(begin + 1h);
    alarm.set(begin + 20ms);
    CHECK(rings.next() == 1);
    CHECK(std::chrono::steady_clock::now() >= begin + 20ms);
    CHECK(rings.next() == 2);
    CHECK(std::chrono::steady_clock::now() >= begin + 40ms);
    alarm.set(begin);
    CHECK(rings.next() == 3);
}

TEST_CASE("an alarm may end in its own ring") {
    std::promise<void> ended;
    auto* alarm = new Alarm([&] {});
    delete alarm;
    std::unique_ptr<Alarm> own;
    own = std::make_unique<Alarm>([&] {
        own.reset();
        ended.set_value();
    });
    own->start();
    own->set({});
    CHECK(ended.get_future().wait_for(deadline) == std::future_status::ready);
}

TEST_CASE("a future has the answers in the order of the ids, and none when nobody was asked") {
    std::promise<std::vector<Answer>> promise;
    auto future = promise.get_future();
    tasks::AwaitAll all(std::move(promise));
    all.expect(3);
    for (const char* node : {"b", "c", "a"}) all.take(answerOf(node));
    const auto answers = future.get();
    REQUIRE(answers.size() == 3);
    CHECK(answers[0].node == "a");
    CHECK(answers[2].node == "c");

    std::promise<std::vector<Answer>> empty;
    auto none = empty.get_future();
    tasks::AwaitAll nobody(std::move(empty));
    nobody.expect(0);
    CHECK(none.get().empty());
}

TEST_CASE("callbacks come one after the other, from whatever threads, and `done` is the last") {
    const auto gate = std::make_shared<tasks::Gate>();
    constexpr std::size_t count = 400;
    std::atomic<int> running{0};
    std::size_t told = 0;
    std::promise<std::size_t> done;
    tasks::CallBack back(
        gate,
        [&](const Answer&) {
            CHECK(++running == 1);
            ++told;
            --running;
        },
        [&] { done.set_value(told); });
    back.expect(count);
    std::vector<std::future<void>> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.push_back(netcluster::testing::inBackground([&] {
            for (std::size_t i = 0; i < count / 4; ++i) {
                back.take(answerOf("n"));
                back.run();
            }
        }));
    }
    for (auto& thread : threads) thread.get();
    CHECK(done.get_future().get() == count);
}

TEST_CASE("a callback that throws keeps no other from being called, and is heard of") {
    const auto gate = std::make_shared<tasks::Gate>();
    std::string told;
    tasks::CallBack back(
        gate,
        [&](const Answer& answer) {
            told += answer.node;
            throw std::runtime_error("from " + answer.node);
        },
        [&] { told += "!"; });
    back.expect(2);
    back.take(answerOf("a"));
    back.take(answerOf("b"));
    CHECK_THROWS_WITH(back.run(), "from a");
    CHECK(told == "ab!");
}

TEST_CASE("with the gate closed no callback runs") {
    const auto gate = std::make_shared<tasks::Gate>();
    bool told = false;
    tasks::CallBack back(
        gate, [&](const Answer&) { told = true; }, [&] { told = true; });
    back.expect(1);
    back.take(answerOf("a"));
    gate->close();
    back.run();
    CHECK_FALSE(told);
}
