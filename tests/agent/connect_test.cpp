// Connecting: what is said, in which order, and what happens when the other side is not there.
#include <doctest/doctest.h>

#include "endpoint.hpp"
#include "fake_daemon.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;
using Words = std::vector<std::string>;
using std::chrono::milliseconds;

namespace {

const auto nothing = [](const Event&) {};
constexpr milliseconds longTime{20000};

}  // namespace

TEST_CASE("connect says hello and all patterns, each once, and returns when they are taken") {
    const FakeDaemon daemon;
    Options options = daemon.options();
    options.name = "the program";
    std::string sender;
    Agent agent("A", options);
    agent.on("a.*", nothing);
    agent.on("b", nothing);
    agent.on("a.*", nothing);
    CHECK_FALSE(agent.connected());

    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    CHECK(client.untilSync() == Words{"subscribe a.*", "subscribe b"});
    CHECK(client.hello().agent == "the program");
    CHECK(client.hello().minVersion == wire::protocolVersion);
    client.welcome();
    CHECK(connecting.wait_for(milliseconds(0)) == std::future_status::timeout);
    CHECK_FALSE(agent.connected());
    client.synced();
    connecting.get();

    CHECK(agent.connected());
    CHECK(agent.uuid() == "00112233-4455-6677-8899-aabbccddeeff");
    CHECK(agent.host() == "testhost");
    agent.on("own", [&](const Event& event) { sender = event.sender(); });
    agent.emit("own", nullptr, {.scope = Scope::process});
    CHECK(sender == agent.uuid());
}

TEST_CASE("without a name, the executable's is given") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    agent.connectAsync(nullptr);
    FakeClient client = daemon.accept();
    client.untilSync();
    CHECK(contains(client.hello().agent, "agent_socket_test"));
}

TEST_CASE("an event after connect travels; before, it does not") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    CHECK(agent.emit("early") == Emitted::accepted);
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();
    agent.emit("late", {{"x", 1}});
    CHECK(client.next().text == R"(event late {"x":1})");
}

TEST_CASE("packets for 1.x clients before the welcome are skipped, wherever the bytes are cut") {
    const FakeDaemon daemon;
    std::string bytes = std::string(R"({"event":"old","data":1})") + '\0';
    bytes += wire::preface;
    wire::appendWelcome(bytes, FakeClient::defaultWelcome());
    for (std::size_t cut = 0; cut <= bytes.size(); cut += 3) {
        CAPTURE(cut);
        Agent agent("A", daemon.options());
        Heard<std::string> heard;
        agent.on("now", [&](const Event& event) { heard.add(std::string(event.text())); });
        auto connecting = inBackground([&] { agent.connect(longTime); });
        FakeClient client = daemon.accept();
        client.untilSync();
        client.write(bytes.substr(0, cut));
        client.write(bytes.substr(cut));
        client.synced();
        connecting.get();
        client.event("now", "2");
        CHECK(heard.next() == "2");
    }
}

TEST_CASE("a welcome that comes byte by byte is a welcome") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    client.untilSync();
    std::string bytes(wire::preface);
    wire::appendWelcome(bytes, FakeClient::defaultWelcome());
    for (const char byte : bytes) client.write({&byte, 1});
    client.synced();
    connecting.get();
    CHECK(agent.connected());
}

TEST_CASE("a welcome cut off anywhere is tried again") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    auto connecting = inBackground([&] { agent.connect(longTime); });
    std::string bytes(wire::preface);
    wire::appendWelcome(bytes, FakeClient::defaultWelcome());
    for (const std::size_t cut : {std::size_t{0}, std::size_t{3}, std::size_t{4}, std::size_t{9},
                                  bytes.size() - 1, bytes.size()}) {
        FakeClient client = daemon.accept();
        client.untilSync();
        client.write(bytes.substr(0, cut));
    }
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();
}

TEST_CASE("connect tries until its time is over, then names every socket and its reason") {
    Options options;
    options.dir = "/nonexistent/netcluster";
    Agent agent("A", options);
    const std::string error = errorOf([&] { agent.connect(milliseconds(120)); });
    CHECK(contains(error, "cannot connect to channel 'A' within 120 ms"));
    CHECK(contains(error, local::endpointPath(options.dir, "A") + ": "));
    CHECK_FALSE(agent.connected());
    CHECK(agent.emit("a") == Emitted::accepted);
    CHECK(contains(errorOf([&] { agent.sync(); }), "not connected"));
}

TEST_CASE("connect finds a daemon that starts while it waits") {
    FakeDaemon daemon;
    daemon.stopListening();
    Heard<std::string> done;
    Agent agent("A", daemon.options());
    agent.connectAsync([&](const std::string& error) { done.add(error); }, longTime);
    CHECK(contains(errorOf([&] { agent.connect(milliseconds(60)); }), daemon.endpoint()));
    daemon.listen();
    FakeClient client = daemon.accept();
    client.greet();
    CHECK(done.next().empty());
    CHECK(agent.connected());
}

TEST_CASE("a daemon that does not answer the hello is named when the time is over") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    const std::string error = errorOf([&] { agent.connect(milliseconds(80)); });
    CHECK(contains(error, daemon.endpoint() + ": connected, but got no answer to the hello"));
}

TEST_CASE("a goodbye instead of a welcome fails connect at once, with its reason") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    auto connecting = inBackground([&] { return errorOf([&] { agent.connect(longTime); }); });
    FakeClient client = daemon.accept();
    client.untilSync();
    std::string bytes(wire::preface);
    wire::appendGoodbye(bytes, "this daemon speaks versions 2 to 3");
    client.write(bytes);
    client.close();
    CHECK(contains(connecting.get(), "this daemon speaks versions 2 to 3"));
}

TEST_CASE("a second agent of the process shares the connection, and leaving it is its own affair") {
    const FakeDaemon daemon;
    Heard<std::string> heard;
    Agent first("A", daemon.options());
    Agent second("A", daemon.options());
    first.on("a", [&](const Event&) { heard.add("first"); });
    second.on("a", [&](const Event&) { heard.add("second"); });
    second.on("b", [&](const Event&) { heard.add("second b"); });

    auto connecting = inBackground([&] { first.connect(longTime); });
    FakeClient client = daemon.accept();
    CHECK(client.greet() == Words{"subscribe a"});
    connecting.get();
    CHECK(first.connected());
    CHECK_FALSE(second.connected());
    second.emit("not from here");

    connecting = inBackground([&] { second.connect(longTime); });
    CHECK(client.untilSync() == Words{"subscribe b"});
    client.synced();
    connecting.get();
    CHECK(second.connected());
    client.event("a", "1");
    CHECK(heard.next() == "first");
    CHECK(heard.next() == "second");

    second.disconnect();
    CHECK_FALSE(second.connected());
    CHECK(first.connected());
    CHECK(client.next().text == "unsubscribe");
    client.event("a", "1");
    CHECK(heard.next() == "first");
    first.emit("last words");
    CHECK(client.next().name == "last words");
    CHECK(heard.waiting() == 0);

    first.disconnect();
    CHECK(client.next().text == "unsubscribe");
    CHECK(client.ended());
}

TEST_CASE("connect of a connected agent waits for the listeners registered since") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();
    agent.on("new", nothing);
    connecting = inBackground([&] { agent.connect(longTime); });
    CHECK(client.untilSync() == Words{"subscribe new"});
    client.synced();
    connecting.get();
}

TEST_CASE("a listener registered while the greeting is under way is covered by its own sync") {
    const FakeDaemon daemon;
    Heard<std::string> done;
    Agent agent("A", daemon.options());
    agent.connectAsync([&](const std::string& error) { done.add("first" + error); }, longTime);
    FakeClient client = daemon.accept();
    CHECK(client.untilSync().empty());
    agent.on("late", nothing);
    agent.connectAsync([&](const std::string& error) { done.add("second" + error); }, longTime);
    client.welcome();
    client.synced();
    CHECK(done.next() == "first");
    CHECK(client.untilSync() == Words{"subscribe late"});
    CHECK(done.waiting() == 0);
    client.synced();
    CHECK(done.next() == "second");
}

TEST_CASE("onConnect and onDisconnect are told once each; disconnect closes the connection") {
    const FakeDaemon daemon;
    Heard<std::string> told;
    Agent agent("A", daemon.options());
    agent.onConnect([&] { told.add("connected"); });
    agent.onDisconnect([&](const std::string& reason) { told.add(reason); });
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();
    CHECK(told.next() == "connected");
    agent.emit("a");
    agent.disconnect();
    CHECK(told.next() == "disconnect was called");
    CHECK(client.next().name == "a");
    CHECK(client.ended());
    CHECK(told.waiting() == 0);

    connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient again = daemon.accept();
    again.greet();
    connecting.get();
    CHECK(told.next() == "connected");
}
