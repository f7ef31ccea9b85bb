// Tasks while things come and go: deadlines, nodes and hosts that are lost, threads, places where
// callbacks run, the end of a Tasks; and how busy nodes say they are.
#include <csignal>

#include "task_hosts.hpp"

using namespace netcluster;
using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

/// Keeps what it is asked to answer.
class Keeper {
  public:
    Tasks::AsyncFunction function() {
        return [this](const Task&, Reply reply) {
            const std::lock_guard lock(mutex_);
            kept_.push_back(std::move(reply));
            came_.notify_all();
        };
    }
    void awaitKept(std::size_t count) {
        std::unique_lock lock(mutex_);
        REQUIRE(came_.wait_for(lock, patience(), [&] { return kept_.size() >= count; }));
    }
    std::vector<Reply> take() {
        const std::lock_guard lock(mutex_);
        return std::move(kept_);
    }

  private:
    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<Reply> kept_;
};

using Answers = std::future<std::vector<Answer>>;

std::string toldBy(Answers& answers) {
    REQUIRE(answers.wait_for(patience()) == std::future_status::ready);
    return told(answers.get());
}

Json one(const Task&) {
    return 1;
}

}  // namespace

TEST_CASE("at the deadline whoever has not answered is a timeout, and later answers do nothing") {
    TwoHosts hosts;
    Keeper keeper;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    caller.handle("f", one);
    there.handleAsync("f", keeper.function());
    caller.awaitNodes(2);
    auto answers = caller.call("all", "f", nullptr, 50ms);
    CHECK(toldBy(answers) == "a: success 1; b: timeout, no answer within 50 ms");
    keeper.awaitKept(1);
    for (const Reply& reply : keeper.take()) reply.succeed(2);
    auto more = caller.call("b", "f", nullptr, patience());
    keeper.awaitKept(1);
    for (const Reply& reply : keeper.take()) {
        reply.succeed(3);
        reply.fail("twice");
        Reply(reply).succeed(4);
    }
    CHECK(toldBy(more) == "b: success 3");
}

TEST_CASE("a node that goes while it works is lost at once; the others succeed") {
    TwoHosts hosts;
    Keeper keeper;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    auto dies =
        std::make_unique<Program>(hosts.beta, std::vector<std::string>{"d"}, Options{}, "B");
    caller.handle("f", one);
    there.handle("f", one);
    dies->handleAsync("f", keeper.function());
    caller.awaitNodes(3);
    SUBCASE("its process ends") {
        JsonListener process(hosts.beta.socket("A"));
        process.emit("nc-node-register", R"({"id": "p", "regions": ["all"]})");
        caller.awaitNodes(4);
        auto answers = caller.call("a:p", "f", nullptr, 10 * patience());
        while (process.nextEvent().event != "task.f") {
        }
        process.connection().close();
        CHECK(toldBy(answers) == "a: success 1; p: lost, the node is gone: disconnected");
    }
    SUBCASE("it unregisters") {
        auto answers = caller.call("a:b", "f", nullptr, patience());
        CHECK(toldBy(answers) == "a: success 1; b: success 1");
        there.handleAsync("f", keeper.function());
        answers = caller.call("a:b", "f", nullptr, 10 * patience());
        keeper.awaitKept(1);
        there.agent().unregisterNode("b");
        CHECK(toldBy(answers) == "a: success 1; b: lost, the node is gone: unregistered");
    }
    SUBCASE("its host expires") {
        there.handleAsync("f", keeper.function());
        auto answers = caller.call("a:b", "f", nullptr, 10 * patience());
        keeper.awaitKept(1);
        hosts.beta.process().signal(SIGSTOP);
        const std::string what = toldBy(answers);
        hosts.beta.process().signal(SIGCONT);
        CHECK(what == "a: success 1; b: lost, its host is gone");
    }
}

TEST_CASE("callbacks: each answer as it comes, then the end, once") {
    TwoHosts hosts;
    Keeper keeper;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    caller.handle("f", one);
    there.handleAsync("f", keeper.function());
    caller.awaitNodes(2);
    std::mutex mutex;
    std::vector<Answer> heard;
    std::promise<void> done;
    caller.call(
        "a:b:c", "f", nullptr, 100ms,
        [&](const Answer& answer) {
            const std::lock_guard lock(mutex);
            heard.push_back(answer);
        },
        [&] { done.set_value(); });
    REQUIRE(done.get_future().wait_for(patience()) == std::future_status::ready);
    std::sort(heard.begin(), heard.end(),
              [](const Answer& left, const Answer& right) { return left.node < right.node; });
    CHECK(told(heard) ==
          "a: success 1; b: timeout, no answer within 100 ms; "
          "c: unknown node, there is no node or region c");
    std::promise<void> nobody;
    caller.call("region=none", "f", nullptr, 1s, {}, [&] { nobody.set_value(); });
    CHECK(nobody.get_future().wait_for(patience()) == std::future_status::ready);
    std::promise<Answer> single;
    caller.callOne("a", "f", nullptr, patience(), Pick::first, {},
                   [&](const Answer& answer) { single.set_value(answer); });
    CHECK(told({single.get_future().get()}) == "a: success 1");
}

TEST_CASE("a callback that throws is reported, and keeps nothing from going on") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"a"});
    caller.handle("f", one);
    std::promise<std::string> reported;
    caller.agent().onError([&](const std::string& what) { reported.set_value(what); });
    std::promise<void> done;
    caller.call(
        "a:b", "f", nullptr, patience(),
        [](const Answer& answer) {
            if (!answer.ok()) throw std::runtime_error("no " + answer.node);
        },
        [&] { done.set_value(); });
    CHECK(done.get_future().wait_for(patience()) == std::future_status::ready);
    CHECK(reported.get_future().get().ends_with("no b"));
}

TEST_CASE("a function may call others, there and here, and answer when they have") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    caller.handle("leaf", one);
    there.handle("leaf", one);
    there.handleAsync("tree", [&](const Task&, const Reply& reply) {
        auto sum = std::make_shared<int>(0);
        there.call(
            "a:b", "leaf", nullptr, patience(),
            [sum](const Answer& answer) { *sum += answer.ok() ? answer.result.get<int>() : 0; },
            [sum, reply] { reply.succeed(*sum); });
    });
    caller.awaitNodes(2);
    there.awaitNodes(2);
    auto answers = caller.call("b", "tree", nullptr, patience());
    CHECK(toldBy(answers) == "b: success 2");
}

TEST_CASE("calls and answers from many threads at once are all told, none of them twice") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    for (Program* program : {&caller, &there}) {
        program->handle("echo", [](const Task& task) { return task.data(); });
    }
    caller.awaitNodes(2);
    std::vector<std::future<int>> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.push_back(std::async(std::launch::async, [&, thread] {
            int good = 0;
            for (int i = 0; i < 100; ++i) {
                const Json data{thread, i};
                for (const Answer& answer : caller.call("all", "echo", data, patience()).get()) {
                    good += answer.ok() && answer.result == data ? 1 : 0;
                }
            }
            return good;
        }));
    }
    for (auto& thread : threads) CHECK(thread.get() == 200);
}

TEST_CASE("with `poll`, functions and callbacks run in it alone, deadlines too") {
    TwoHosts hosts;
    Options polled;
    polled.poll = true;
    Program caller(hosts.alpha, {}, polled);
    Program there(hosts.beta, {"b"}, polled);
    std::thread::id ran;
    there.handle("f", [&](const Task&) {
        ran = std::this_thread::get_id();
        return 1;
    });
    awaitTrue([&] { return caller.agent().nodes().size() == 1; });  // nobody polls yet
    std::vector<std::string> heard;
    bool done = false;
    const auto call = [&](std::chrono::milliseconds deadline) {
        done = false;
        caller.call(
            "b:c", "f", nullptr, deadline,
            [&](const Answer& answer) {
                CHECK(std::this_thread::get_id() == ran);
                heard.push_back(answer.node + " " + std::string(nameOf(answer.outcome)));
            },
            [&] { done = true; });
        CHECK_FALSE(done);
    };
    ran = std::this_thread::get_id();
    call(patience());
    while (!done) {
        there.agent().poll(1ms);
        caller.agent().poll(1ms);
    }
    CHECK(heard == std::vector<std::string>{"c unknown node", "b success"});
    CHECK(ran == std::this_thread::get_id());
    heard.clear();
    call(20ms);
    while (!done) caller.agent().poll(patience());
    CHECK(heard == std::vector<std::string>{"c unknown node", "b timeout"});
    // A future's deadline passes without anybody polling.
    CHECK(told(caller.call("b", "f", nullptr, 20ms).get()) == "b: timeout, no answer within 20 ms");
}

TEST_CASE("callbacks run where listeners do, after a disconnect as well") {
    TwoHosts hosts;
    Keeper keeper;
    Program caller(hosts.alpha);
    Program there(hosts.beta, {"b"});
    there.handleAsync("f", keeper.function());
    caller.awaitNodes(1);
    std::promise<std::thread::id> listened, called;
    caller.agent().on("x", [&](const Event&) { listened.set_value(std::this_thread::get_id()); });
    caller.agent().sync(patience());
    there.agent().emit("x");
    auto listener = listened.get_future();
    REQUIRE(listener.wait_for(patience()) == std::future_status::ready);
    caller.call(
        "b", "f", nullptr, 200ms, [](const Answer&) {},
        [&] { called.set_value(std::this_thread::get_id()); });
    caller.agent().disconnect();
    auto callback = called.get_future();
    REQUIRE(callback.wait_for(patience()) == std::future_status::ready);
    CHECK(callback.get() == listener.get());
}

TEST_CASE("with an executor, functions and callbacks run on it") {
    TwoHosts hosts;
    std::mutex mutex;
    std::condition_variable came;
    std::deque<std::function<void()>> work;
    Options options;
    options.executor = [&](std::function<void()> task) {
        const std::lock_guard lock(mutex);
        work.push_back(std::move(task));
        came.notify_all();
    };
    const auto runUntil = [&](const std::function<bool()>& done) {
        while (!done()) {
            std::unique_lock lock(mutex);
            REQUIRE(came.wait_for(lock, patience(), [&] { return !work.empty(); }));
            const auto task = std::move(work.front());
            work.pop_front();
            lock.unlock();
            task();
        }
    };
    Program caller(hosts.alpha, {}, options);
    Program there(hosts.beta, {"b"}, options);
    const auto here = std::this_thread::get_id();
    there.handle("f", [&](const Task&) {
        CHECK(std::this_thread::get_id() == here);
        return 1;
    });
    awaitTrue([&] { return caller.agent().nodes().size() == 1; });  // nothing of it runs yet
    std::string heard;
    bool done = false;
    const auto each = [&](const Answer& answer) {
        CHECK(std::this_thread::get_id() == here);
        heard += told({answer}) + ".";
    };
    caller.call("b:c", "f", nullptr, patience(), each, [&] { done = true; });
    runUntil([&] { return done; });
    CHECK(heard == "c: unknown node, there is no node or region c.b: success 1.");
}

TEST_CASE("the end of a Tasks with calls under way: futures break, callbacks stay silent") {
    TwoHosts hosts;
    Keeper keeper;
    Program there(hosts.beta, {"b"});
    there.handleAsync("f", keeper.function());
    auto caller = std::make_unique<Program>(hosts.alpha);
    caller->awaitNodes(1);
    Answers answers = caller->call("b", "f", nullptr, patience());
    auto single = caller->callOne("b", "f", nullptr, patience());
    bool called = false;
    auto held = std::make_shared<int>();
    caller->call(
        "b", "f", nullptr, patience(), [&called, held](const Answer&) { called = true; },
        [&called, held] { called = true; });
    keeper.awaitKept(3);
    caller.reset();
    CHECK_THROWS_AS(answers.get(), std::future_error);
    CHECK_THROWS_AS(single.get(), std::future_error);
    CHECK_FALSE(called);
    CHECK(held.use_count() == 1);
    for (const Reply& reply : keeper.take()) reply.succeed();
}

TEST_CASE("a Reply that outlives its Tasks does nothing: lost, whoever else hears of nodes") {
    TwoHosts hosts;
    Keeper keeper;
    auto there = std::make_unique<Program>(hosts.beta, std::vector<std::string>{"b"});
    there->handleAsync("f", keeper.function());
    Program caller(hosts.alpha);
    caller.awaitNodes(1);
    SUBCASE("a handler of the user, too") {
        caller.agent().onPresence([](const Presence&) {});
    }
    SUBCASE("no handler of the user") {
        caller.agent().onPresence({});
    }
    Answers answers = caller.call("b", "f", nullptr, patience());
    keeper.awaitKept(1);
    there.reset();
    for (const Reply& reply : keeper.take()) reply.succeed(1);
    const std::string what = toldBy(answers);
    CHECK((what == "b: lost, the node is gone: disconnected" ||
           what == "b: lost, the node is gone: unregistered"));
}

TEST_CASE("a Tasks may end in a callback and in a function of its own") {
    TwoHosts hosts;
    Program there(hosts.beta, {"b"});
    there.handle("f", one);
    SUBCASE("in a callback for an answer of another process") {
        auto caller = std::make_unique<Program>(hosts.alpha);
        caller->awaitNodes(1);
        std::promise<void> done;
        caller->call("b", "f", nullptr, patience(), [&](const Answer&) {
            caller.reset();
            done.set_value();
        });
        CHECK(done.get_future().wait_for(patience()) == std::future_status::ready);
    }
    SUBCASE("in a callback for an answer of this process, within the call") {
        auto caller = std::make_unique<Program>(hosts.alpha, std::vector<std::string>{"a", "c"});
        caller->handle("f", one);
        caller->call("a:c", "f", nullptr, patience(), [&](const Answer&) { caller.reset(); });
        CHECK_FALSE(caller);
    }
    SUBCASE("in a function") {
        auto worker = std::make_unique<Program>(hosts.alpha, std::vector<std::string>{"a"});
        there.awaitNodes(2);
        worker->handle("end", [&](const Task&) {
            worker.reset();
            return 1;
        });
        auto answers = there.call("a", "end", nullptr, patience());
        CHECK(toldBy(answers).starts_with("a: lost, the node is gone: "));
    }
}

TEST_CASE("all Tasks of a process on a channel are one set of functions") {
    TwoHosts hosts;
    Program there(hosts.beta, {"b"});
    Program second(hosts.beta);
    Program third(hosts.beta);
    Program caller(hosts.alpha);
    caller.awaitNodes(1);
    there.handle("f", [](const Task&) { return 1; });
    second.handle("g", [](const Task&) { return 2; });
    third.handle("f", [](const Task&) { return 3; });
    const auto call = [&](const char* name) {
        auto answers = caller.call("b", name, nullptr, patience());
        return toldBy(answers);
    };
    CHECK(call("f") == "b: success 1");
    CHECK(call("g") == "b: success 2");
    CHECK(call("h") == "b: unknown function, there is no function h");
    second.handleDefault([](const Task&, const Reply& reply) { reply.succeed(4); });
    CHECK(call("h") == "b: success 4");
    there.removeHandler("f");
    CHECK(call("f") == "b: success 3");
}

TEST_CASE("presence is told to the user as well, from the beginning with each new handler") {
    TwoHosts hosts;
    Program caller(hosts.alpha);
    Program there(hosts.beta, {"b"});
    caller.awaitNodes(1);
    for (int handler = 0; handler < 2; ++handler) {
        std::promise<std::string> came;
        std::atomic<bool> told{false};
        caller.agent().onPresence([&](const Presence& presence) {
            if (presence.kind == Presence::Kind::nodeOnline && !told.exchange(true)) {
                came.set_value(presence.id);
            }
        });
        auto node = came.get_future();
        REQUIRE(node.wait_for(patience()) == std::future_status::ready);
        CHECK(node.get() == "b");
        caller.agent().onPresence({});
    }
}

TEST_CASE("nodes say how many tasks are under way and done, of all Tasks of the process") {
    TwoHosts hosts;
    Keeper keeper;
    Program there(hosts.beta, {"b"});
    Program second(hosts.beta);
    Program caller(hosts.alpha);
    caller.awaitNodes(1);
    there.handleAsync("f", keeper.function());
    second.handle("g", one);
    there.agent().reportStats({{"queue", 7}});
    const auto says = [&](int busy, int requests) {
        const auto nodes = caller.agent().nodes("b");
        return nodes.size() == 1 && nodes[0].stats.value("busy", -1) == busy &&
               nodes[0].stats.value("requests", -1) == requests &&
               nodes[0].stats.value("queue", -1) == 7;
    };
    auto first = caller.call("b", "f", nullptr, patience());
    auto next = caller.call("b", "f", nullptr, patience());
    auto other = caller.call("b", "g", nullptr, patience());
    CHECK(toldBy(other) == "b: success 1");
    keeper.awaitKept(2);
    awaitTrue([&] { return says(2, 1); });
    for (const Reply& reply : keeper.take()) reply.succeed();
    CHECK(toldBy(first) == "b: success null");
    CHECK(toldBy(next) == "b: success null");
    caller.call("b", "nothing", nullptr, patience()).wait();
    awaitTrue([&] { return says(0, 3); });
}
