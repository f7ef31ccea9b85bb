// Where listeners for events of other processes run: the agent's thread, an executor, poll.
#include <doctest/doctest.h>

#include <thread>

#include "fake_daemon.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;

namespace {

constexpr std::chrono::milliseconds longTime{20000};

FakeClient connect(Agent& agent, const FakeDaemon& daemon) {
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();
    return client;
}

// Sends a sync and answers it: what was written to the agent before has been read by then.
void passed(Agent& agent, FakeClient& client) {
    auto syncing = inBackground([&] { agent.sync(longTime); });
    client.untilSync();
    client.synced();
    syncing.get();
}

Options polling(const FakeDaemon& daemon) {
    Options options = daemon.options();
    options.poll = true;
    return options;
}

}  // namespace

TEST_CASE("on the agent's thread, events run one after the other, in order") {
    const FakeDaemon daemon;
    Heard<std::string> heard;
    std::thread::id thread;
    Agent agent("A", daemon.options());
    agent.on("x", [&](const Event& event) {
        if (thread == std::thread::id()) thread = std::this_thread::get_id();
        CHECK(thread == std::this_thread::get_id());
        heard.add(std::string(event.text()));
    });
    FakeClient client = connect(agent, daemon);
    for (int i = 0; i < 100; ++i) client.event("x", std::to_string(i));
    for (int i = 0; i < 100; ++i) CHECK(heard.next() == std::to_string(i));
    CHECK(thread != std::this_thread::get_id());
}

TEST_CASE("with poll, listeners and handlers run inside poll only") {
    const FakeDaemon daemon;
    std::string log;
    std::string bytes;
    Agent agent("A", polling(daemon));
    const auto here = std::this_thread::get_id();
    const auto note = [&](const std::string& what) {
        CHECK(std::this_thread::get_id() == here);
        log += what + ";";
    };
    agent.onConnect([&] { note("connected"); });
    agent.onGap([&](const Gap& gap) { note("gap " + std::to_string(gap.count)); });
    agent.on("x", [&](const Event& event) { note(std::string(event.text())); });
    agent.on("x|y", [&](const Event& event) { note("again " + std::string(event.text())); });
    CHECK(agent.poll() == 0);
    FakeClient client = connect(agent, daemon);
    CHECK(log.empty());
    CHECK(agent.poll() == 1);
    CHECK(log == "connected;");

    log.clear();
    client.event("x", "1");
    wire::appendGap(bytes, {2, 2, 3});
    client.write(bytes);
    client.event("y", "4");
    passed(agent, client);
    CHECK(log.empty());
    CHECK(agent.poll(longTime) == 3);
    CHECK(log == "1;again 1;gap 2;again 4;");

    agent.emit("x", "own", {.scope = Scope::process});
    CHECK(log == "1;again 1;gap 2;again 4;\"own\";again \"own\";");
}

TEST_CASE("poll waits for the first thing to come") {
    const FakeDaemon daemon;
    int heard = 0;
    Agent agent("A", polling(daemon));
    agent.on("x", [&](const Event&) { ++heard; });
    FakeClient client = connect(agent, daemon);
    agent.poll();
    auto sending = inBackground([&] { client.event("x", "1"); });
    CHECK(agent.poll(longTime) == 1);
    CHECK(heard == 1);
    sending.get();
}

TEST_CASE("callbacks of connectAsync and syncAsync run inside poll") {
    const FakeDaemon daemon;
    Heard<std::string> done;
    Agent agent("A", polling(daemon));
    agent.connectAsync([&](const std::string& error) { done.add("connected" + error); }, longTime);
    FakeClient client = daemon.accept();
    client.greet();
    while (done.waiting() == 0) CHECK(agent.poll(longTime) > 0);
    CHECK(done.next() == "connected");
}

TEST_CASE("who polls too seldom loses the oldest events, and is told at the place") {
    const FakeDaemon daemon;
    std::uint64_t missed = 0;
    int heard = 0;
    std::string last;
    Agent agent("A", polling(daemon));
    agent.onGap([&](const Gap& gap) {
        CHECK(heard == 0);
        CHECK(gap.first == 0);
        missed += gap.count;
    });
    agent.on("x", [&](const Event& event) {
        ++heard;
        last = event.text().substr(0, 10);
    });
    FakeClient client = connect(agent, daemon);
    agent.poll();
    constexpr int sent = 30;
    for (int i = 0; i < sent; ++i) {
        client.event("x", std::to_string(10 + i) + std::string(500'000, ' '));
    }
    passed(agent, client);
    agent.poll();
    CHECK(missed > 0);
    CHECK(missed + static_cast<std::uint64_t>(heard) == sent);
    CHECK(last.substr(0, 2) == "39");
}

TEST_CASE("how much waits for poll is the user's to say") {
    const FakeDaemon daemon;
    int heard = 0;
    Options options = polling(daemon);
    options.waitingLimit = std::size_t{16} << 20;
    Agent agent("A", options);
    agent.onGap([&](const Gap&) { FAIL("something is missing"); });
    agent.on("x", [&](const Event&) { ++heard; });
    FakeClient client = connect(agent, daemon);
    for (int i = 0; i < 30; ++i) client.event("x", "1" + std::string(500'000, ' '));
    passed(agent, client);
    agent.poll();
    CHECK(heard == 30);
}

TEST_CASE("with an executor, listeners run in its tasks, events in order") {
    const FakeDaemon daemon;
    Heard<std::function<void()>> tasks;
    Options options = daemon.options();
    options.executor = [&](std::function<void()> task) { tasks.add(std::move(task)); };
    std::string log;
    Agent agent("A", options);
    agent.on("x", [&](const Event& event) { log += event.text(); });
    agent.on(".*", [&](const Event& event) { log += "+" + event.data().dump() + " "; });
    FakeClient client = connect(agent, daemon);
    for (int i = 0; i < 3; ++i) client.event("x", std::to_string(i));
    passed(agent, client);
    CHECK(log.empty());
    while (tasks.waiting() != 0) tasks.next()();
    CHECK(log == "0+0 1+1 2+2 ");
}

TEST_CASE("a task the executor runs after the agent is gone does nothing") {
    const FakeDaemon daemon;
    Heard<std::function<void()>> tasks;
    {
        Options options = daemon.options();
        options.executor = [&](std::function<void()> task) { tasks.add(std::move(task)); };
        Agent agent("A", options);
        agent.on("x", [&](const Event&) { FAIL("ran after its agent"); });
        FakeClient client = connect(agent, daemon);
        client.event("x", "1");
        passed(agent, client);
    }
    while (tasks.waiting() != 0) tasks.next()();
}

TEST_CASE("agents of one connection each hear in their own place") {
    const FakeDaemon daemon;
    Heard<std::string> heard;
    int polledEvents = 0;
    Agent direct("A", daemon.options());
    Agent polled("A", polling(daemon));
    direct.on("x", [&](const Event& event) { heard.add(std::string(event.text())); });
    polled.on("x", [&](const Event&) { ++polledEvents; });
    FakeClient client = connect(direct, daemon);
    auto connecting = inBackground([&] { polled.connect(longTime); });
    client.untilSync();
    client.synced();
    connecting.get();
    client.event("x", "1");
    CHECK(heard.next() == "1");
    passed(direct, client);
    CHECK(polledEvents == 0);
    while (polledEvents == 0) polled.poll(longTime);
    CHECK(polledEvents == 1);
}

TEST_CASE("removing a listener waits for its run on the agent's thread") {
    const FakeDaemon daemon;
    Gate running;
    Gate finish;
    std::atomic<bool> ended{false};
    Agent agent("A", daemon.options());
    const Listener listener = agent.on("x", [&](const Event&) {
        running.open();
        finish.await();
        ended = true;
    });
    FakeClient client = connect(agent, daemon);
    client.event("x", "1");
    REQUIRE(running.await());
    auto removing = inBackground([&] {
        CHECK(agent.removeListener(listener));
        CHECK(ended);
    });
    finish.open();
    removing.get();
}

TEST_CASE("a handler that throws is reported") {
    const FakeDaemon daemon;
    Heard<std::string> errors;
    Agent agent("A", daemon.options());
    agent.onError([&](const std::string& what) { errors.add(what); });
    agent.onConnect([] { throw Error("handler trouble"); });
    FakeClient client = connect(agent, daemon);
    CHECK(errors.next() == "a handler threw: handler trouble");
}
