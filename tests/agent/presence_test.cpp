// Who is there on the link, and what it could not bring, as an agent tells it.
#include <doctest/doctest.h>

#include "fake_daemon.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;
using Words = std::vector<std::string>;

namespace {

constexpr std::chrono::milliseconds longTime{20000};

std::string hostData(const std::string& id, const std::string& session = "1") {
    return R"({"id":")" + id + R"(","name":")" + id + R"(","address":"10.0.0.1:4454",)" +
           R"("version":"2.0.0","session":")" + session + "\"}";
}

std::string inWords(const Presence& presence) {
    return presence.kind == Presence::Kind::hostOnline
               ? "+" + presence.name
               : "-" + presence.name + " " + presence.reason;
}

// What handlers were told, all in one row.
struct Told : Heard<std::string> {
    void listenTo(Agent& agent) {
        agent.onPresence([this](const Presence& presence) { add(inWords(presence)); });
        agent.onGap(
            [this](const Gap& gap) { add("gap " + std::to_string(gap.count) + " " + gap.host); });
        agent.on("fence", [this](const Event&) { add("fence"); });
    }
    Words untilFence() {
        Words words;
        for (std::string word = next(); word != "fence"; word = next()) words.push_back(word);
        return words;
    }
};

// The usual beginning, with hosts that are there already.
void greet(FakeClient& client, const Words& hosts, bool known = true) {
    client.untilSync();
    wire::Welcome welcome = FakeClient::defaultWelcome();
    welcome.capabilities = wire::noticesCapability;
    client.welcome(welcome);
    for (const auto& id : hosts) client.event("nc-host-online", hostData(id));
    if (known) client.event("nc-hosts-known", "{}");
    client.synced();
}

FakeClient connect(Agent& agent, const FakeDaemon& daemon, const Words& hosts = {}) {
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    greet(client, hosts);
    connecting.get();
    return client;
}

}  // namespace

TEST_CASE("the agent asks for notices") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    const FakeClient client = connect(agent, daemon);
    CHECK((client.hello().capabilities & wire::noticesCapability) != 0);
}

TEST_CASE("hosts that are there are told at once, then those that come and go") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    FakeClient client = connect(agent, daemon, {"beta", "gamma"});
    client.event("nc-host-online", hostData("delta"));
    client.event("nc-host-online", hostData("beta"));
    client.event("nc-host-expired", R"({"id":"gamma","name":"gamma","why":"silent"})");
    client.event("nc-host-expired", R"({"id":"unknown","name":"unknown","why":"silent"})");
    client.event("fence", "1");
    CHECK(told.untilFence() == Words{"+beta", "+gamma", "+delta", "-gamma silent"});
}

TEST_CASE("after a reconnect only what has changed meanwhile is told") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    FakeClient client = connect(agent, daemon, {"beta", "gamma"});
    client.event("fence", "1");
    CHECK(told.untilFence() == Words{"+beta", "+gamma"});

    client.close();
    FakeClient again = daemon.accept();
    greet(again, {"delta", "beta"});
    again.event("fence", "1");
    CHECK(told.untilFence() == Words{"-gamma away", "+delta"});

    // A daemon of a version that does not tell of hosts.
    again.close();
    FakeClient third = daemon.accept();
    third.greet();
    third.event("fence", "1");
    CHECK(told.untilFence() == Words{"-beta away", "-delta away"});
}

TEST_CASE("a daemon that was started anew is given time to hear who is there") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    FakeClient client = connect(agent, daemon, {"beta", "gamma"});
    client.close();
    FakeClient again = daemon.accept();
    greet(again, {}, false);
    again.event("nc-host-online", hostData("gamma"));
    again.event("nc-host-online", hostData("delta"));
    again.event("fence", "1");
    CHECK(told.untilFence() == Words{"+beta", "+gamma", "+delta"});

    Told late;
    late.listenTo(agent);
    CHECK(late.next() == "+delta");
    CHECK(late.next() == "+gamma");
    again.event("nc-hosts-known", "{}");
    again.event("nc-host-expired", R"({"id":"delta","why":"goodbye"})");
    again.event("fence", "1");
    CHECK(late.untilFence() == Words{"-delta goodbye"});
    CHECK(told.waiting() == 1);  // the fence
}

TEST_CASE("what a daemon told before it broke off in its greeting is not how things stand") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient first = daemon.accept();
    first.untilSync();
    first.welcome();
    first.event("nc-host-online", hostData("beta"));
    first.close();
    FakeClient client = daemon.accept();
    greet(client, {"gamma"});
    connecting.get();
    client.event("fence", "1");
    CHECK(told.untilFence() == Words{"+gamma"});
}

TEST_CASE(
    "a handler that is set later, or anew, and an agent that comes later begin from the start") {
    const FakeDaemon daemon;
    Told first;
    Told second;
    Told third;
    Agent agent("A", daemon.options());
    first.listenTo(agent);
    FakeClient client = connect(agent, daemon, {"beta"});
    CHECK(first.next() == "+beta");
    second.listenTo(agent);
    CHECK(second.next() == "+beta");

    Agent late("A", daemon.options());
    third.listenTo(late);
    auto connecting = inBackground([&] { late.connect(longTime); });
    while (client.next().type != wire::FrameType::sync) continue;
    client.synced();
    connecting.get();
    CHECK(third.next() == "+beta");

    client.event("nc-host-online", hostData("gamma"));
    CHECK(second.next() == "+gamma");
    CHECK(third.next() == "+gamma");
    CHECK(first.waiting() == 0);
}

TEST_CASE("gaps of the link stand in order with events, beside those of a slow process") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    agent.on("x", [&](const Event&) { told.add("x"); });
    FakeClient client = connect(agent, daemon);
    client.event("x", "1");
    client.event(
        "nc-net-gap",
        R"({"host":"beta","id":"1","session":"s","count":3,"first":5,"last":7,"why":"lost"})");
    client.event("x", "2");
    client.event(
        "nc-net-gap",
        R"({"host":"beta","id":"1","session":"s","count":0,"first":0,"last":0,"why":"reset"})");
    std::string bytes;
    wire::appendGap(bytes, {2, 2, 3});
    client.write(bytes);
    client.event("fence", "1");
    CHECK(told.untilFence() == Words{"x", "gap 3 beta", "x", "gap 0 beta", "gap 2 "});
}

TEST_CASE("notices are no events on a data channel") {
    const FakeDaemon daemon;
    Heard<std::string> heard;
    Agent agent("A", daemon.options());
    agent.on(".*", [&](const Event& event) { heard.add(std::string(event.name())); });
    FakeClient client = connect(agent, daemon, {"beta"});
    client.event("nc-net-gap", R"({"host":"beta","count":1,"why":"lost"})");
    client.event("fence", "1");
    CHECK(heard.next() == "fence");
}

TEST_CASE("poll runs the handler, and a host that came and went in between is left out") {
    const FakeDaemon daemon;
    Words told;
    Options options = daemon.options();
    options.poll = true;
    Agent agent("A", options);
    agent.onPresence([&](const Presence& presence) { told.push_back(inWords(presence)); });
    bool fenced = false;
    agent.on("fence", [&](const Event&) { fenced = true; });
    const auto pollToFence = [&] {
        for (fenced = false; !fenced;) REQUIRE(agent.poll(longTime) != 0);
    };
    // Hears on the thread of the connection they share: what came before has been kept then.
    Told witness;
    Agent other("A", daemon.options());
    witness.listenTo(other);
    FakeClient client = connect(agent, daemon, {"beta"});
    auto connecting = inBackground([&] { other.connect(longTime); });
    while (client.next().type != wire::FrameType::sync) continue;
    client.synced();
    connecting.get();
    client.event("fence", "1");
    witness.untilFence();
    pollToFence();
    CHECK(told == Words{"+beta"});

    told.clear();
    client.event("nc-host-online", hostData("gamma"));
    client.event("nc-host-expired", R"({"id":"gamma","why":"goodbye"})");
    client.event("nc-host-online", hostData("beta", "2"));
    client.event("fence", "1");
    witness.untilFence();
    pollToFence();
    CHECK(told == Words{"-beta restarted", "+beta"});
}

TEST_CASE("an executor is given the notices, too") {
    const FakeDaemon daemon;
    Heard<std::function<void()>> tasks;
    Words told;
    Options options = daemon.options();
    options.executor = [&](std::function<void()> task) { tasks.add(std::move(task)); };
    Agent agent("A", options);
    agent.onPresence([&](const Presence& presence) { told.push_back(inWords(presence)); });
    agent.on("fence", [&](const Event&) { told.push_back("fence"); });
    FakeClient client = connect(agent, daemon, {"beta"});
    client.event("fence", "1");
    while (told.empty() || told.back() != "fence") tasks.next()();
    CHECK(told == Words{"+beta", "fence"});
}

TEST_CASE("a handler may take itself away, and the agent with it") {
    const FakeDaemon daemon;
    Heard<std::string> told;
    auto agent = std::make_unique<Agent>("A", daemon.options());
    agent->onPresence([&](const Presence& presence) {
        told.add(inWords(presence));
        agent->onPresence({});
    });
    FakeClient client = connect(*agent, daemon, {"beta"});
    CHECK(told.next() == "+beta");
    Heard<std::string> last;
    agent->onPresence([&](const Presence& presence) {
        const std::string what = inWords(presence);
        agent.reset();
        last.add(what);
    });
    CHECK(last.next() == "+beta");
    CHECK(client.ended());
    CHECK(told.waiting() == 0);
}
