// The daemon goes and comes back.
#include <doctest/doctest.h>

#include "fake_daemon.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;
using Words = std::vector<std::string>;

namespace {

constexpr std::chrono::milliseconds longTime{20000};

FakeClient connect(Agent& agent, const FakeDaemon& daemon) {
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();
    return client;
}

}  // namespace

TEST_CASE("a lost connection is made anew, with all subscriptions of that moment") {
    const FakeDaemon daemon;
    Heard<std::string> told;
    Heard<std::string> heard;
    Agent agent("A", daemon.options());
    agent.onConnect([&] { told.add("connected"); });
    agent.onDisconnect([&](const std::string& reason) { told.add(reason); });
    const Listener gone = agent.on("gone", [](const Event&) {});
    agent.on("x", [&](const Event& event) { heard.add(std::string(event.text())); });
    FakeClient client = connect(agent, daemon);
    CHECK(told.next() == "connected");

    client.close();
    CHECK(told.next() == daemon.endpoint() + ": the daemon closed the connection");
    agent.removeListener(gone);
    FakeClient again = daemon.accept();
    CHECK(again.greet() == Words{"subscribe x"});
    CHECK(told.next() == "connected");
    again.event("x", "1");
    CHECK(heard.next() == "1");
}

TEST_CASE("the reason of a goodbye is shown") {
    const FakeDaemon daemon;
    Heard<std::string> told;
    std::string bytes;
    Agent agent("A", daemon.options());
    agent.onDisconnect([&](const std::string& reason) { told.add(reason); });
    FakeClient client = connect(agent, daemon);
    wire::appendGoodbye(bytes, "the daemon is shutting down");
    client.write(bytes);
    client.close();
    CHECK(contains(told.next(), "said goodbye: the daemon is shutting down"));
}

TEST_CASE("a goodbye is read even when the agent was just writing") {
    const FakeDaemon daemon;
    Heard<std::string> told;
    std::string bytes;
    Agent agent("A", daemon.options());
    agent.onDisconnect([&](const std::string& reason) { told.add(reason); });
    FakeClient client = connect(agent, daemon);
    // Fill the socket, so that the agent waits to write when the daemon goes.
    const std::string text(100'000, 'x');
    while (agent.emit("a", text) == Emitted::accepted) {
    }
    wire::appendGoodbye(bytes, "too much");
    client.write(bytes);
    client.close();
    CHECK(contains(told.next(), "too much"));
    FakeClient again = daemon.accept();
    again.greet();
    auto ending = inBackground([&] { again.ended(); });
    agent.disconnect();
    ending.get();
}

TEST_CASE("events emitted while the daemon is away arrive when it is back, in order") {
    FakeDaemon daemon;
    Heard<std::string> told;
    int heard = 0;
    Agent agent("A", daemon.options());
    agent.onDisconnect([&](const std::string&) { told.add("away"); });
    FakeClient client = connect(agent, daemon);
    daemon.stopListening();
    client.close();
    told.next();

    agent.on("a", [&](const Event&) { ++heard; });
    for (int i = 0; i < 100; ++i) CHECK(agent.emit("a", i) == Emitted::accepted);
    CHECK(heard == 100);
    CHECK(contains(errorOf([&] { agent.sync(); }), "not connected"));

    daemon.listen();
    FakeClient again = daemon.accept();
    CHECK(again.greet() == Words{"subscribe a"});
    for (int i = 0; i < 100; ++i) {
        CHECK(again.next().text == "event a " + std::to_string(i));
    }
}

TEST_CASE("the queue is bounded while the daemon is away; listeners here hear everything") {
    FakeDaemon daemon;
    Options options = daemon.options();
    options.queueLimit = 10'000;
    Heard<std::string> told;
    int heard = 0;
    int accepted = 0;
    Agent agent("A", options);
    agent.onDisconnect([&](const std::string&) { told.add("away"); });
    FakeClient client = connect(agent, daemon);
    daemon.stopListening();
    client.close();
    told.next();

    agent.on("a", [&](const Event&) { ++heard; });
    const std::string text(1000, 'x');
    for (int i = 0; i < 20; ++i) accepted += agent.emit("a", text) == Emitted::accepted ? 1 : 0;
    CHECK(accepted == 9);
    CHECK(heard == 20);
    daemon.listen();
    FakeClient again = daemon.accept();
    again.greet();
    for (int i = 0; i < accepted; ++i) CHECK(again.next().name == "a");
    agent.emit("end");
    CHECK(again.next().name == "end");
}

TEST_CASE("an event that was written in part is sent again, whole, and exactly once") {
    const FakeDaemon daemon;
    Heard<std::string> told;
    Agent agent("A", daemon.options());
    agent.onDisconnect([&](const std::string&) { told.add("away"); });
    // More than a socket takes at once, so that the break finds a part written.
    const std::string text(900'000, 'x');
    std::optional<FakeClient> client(connect(agent, daemon));
    agent.emit("first", 1);
    agent.emit("large", text);
    agent.emit("last", 2);
    CHECK(client->next().name == "first");
    client.reset();
    told.next();
    FakeClient again = daemon.accept();
    again.greet();
    CHECK(again.next().text == "event large \"" + text + "\"");
    CHECK(again.next().name == "last");
    agent.emit("end");
    CHECK(again.next().name == "end");
}

TEST_CASE("a listener added or removed while the daemon is away counts when it is back") {
    FakeDaemon daemon;
    Heard<std::string> told;
    Agent agent("A", daemon.options());
    agent.onDisconnect([&](const std::string&) { told.add("away"); });
    const Listener old = agent.on("old", [](const Event&) {});
    FakeClient client = connect(agent, daemon);
    daemon.stopListening();
    client.close();
    told.next();
    agent.removeListener(old);
    agent.on("new", [](const Event&) {});
    daemon.listen();
    FakeClient again = daemon.accept();
    CHECK(again.greet() == Words{"subscribe new"});
}

TEST_CASE("queued events that the next daemon does not take are dropped and reported") {
    FakeDaemon daemon;
    Heard<std::string> told;
    Agent agent("A", daemon.options());
    agent.onDisconnect([&](const std::string&) { told.add("away"); });
    agent.onError([&](const std::string& what) { told.add(what); });
    FakeClient client = connect(agent, daemon);
    daemon.stopListening();
    client.close();
    told.next();
    agent.emit("large", std::string(1000, 'x'));
    agent.emit("small", 1);
    daemon.listen();
    FakeClient again = daemon.accept();
    again.untilSync();
    wire::Welcome welcome = FakeClient::defaultWelcome();
    welcome.maxEvent = 100;
    again.welcome(welcome);
    again.synced();
    CHECK(contains(told.next(), "1 queued events are larger"));
    CHECK(again.next().name == "small");
}

TEST_CASE("bytes that are no frames end the connection, and it is made anew") {
    const FakeDaemon daemon;
    Heard<std::string> told;
    Agent agent("A", daemon.options());
    agent.onDisconnect([&](const std::string& reason) { told.add(reason); });
    FakeClient client = connect(agent, daemon);
    client.write(std::string(8, '\xff'));
    CHECK(contains(told.next(), "not a frame"));
    FakeClient again = daemon.accept();
    again.greet();
}

TEST_CASE("a daemon that no longer wants this version is reported once, not with every attempt") {
    const FakeDaemon daemon;
    Heard<std::string> told;
    Agent agent("A", daemon.options());
    agent.onError([&](const std::string& what) { told.add(what); });
    FakeClient client = connect(agent, daemon);
    client.close();
    std::string bytes(wire::preface);
    wire::appendGoodbye(bytes, "only version 9");
    for (int i = 0; i < 3; ++i) {
        FakeClient again = daemon.accept();
        again.untilSync();
        again.write(bytes);
    }
    FakeClient last = daemon.accept();
    last.greet();
    CHECK(contains(told.next(), "only version 9"));
    auto connecting = inBackground([&] { agent.connect(longTime); });
    last.untilSync();
    last.synced();
    connecting.get();
    CHECK(told.waiting() == 0);
}

TEST_CASE("disconnect while the daemon is away ends the attempts and says what was not sent") {
    FakeDaemon daemon;
    Heard<std::string> told;
    Agent agent("A", daemon.options());
    agent.onDisconnect([&](const std::string&) { told.add("away"); });
    agent.onError([&](const std::string& what) { told.add(what); });
    FakeClient client = connect(agent, daemon);
    daemon.stopListening();
    client.close();
    told.next();
    agent.emit("a");
    agent.disconnect();
    CHECK(contains(told.next(), "1 emitted events had not been sent"));
}
