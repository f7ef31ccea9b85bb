// To be a node and to know the others, step by step: what an agent asks the daemon for, what it
// makes of the answers, and what it tells.
#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "fake_daemon.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;
using Words = std::vector<std::string>;

namespace {

constexpr std::chrono::milliseconds longTime{20000};

std::string nodeData(const std::string& id, const std::string& region = "eu", int since = 1) {
    return R"({"id":")" + id + R"(","regions":[")" + region +
           R"("],"info":{},"services":[],"host":"0123","hostname":"testhost","since":)" +
           std::to_string(since) + "}";
}

std::string inWords(const Presence& presence) {
    switch (presence.kind) {
        case Presence::Kind::nodeOnline:
            return (presence.node.own ? "+own " : "+") + presence.id;
        case Presence::Kind::nodeChanged:
            return (presence.node.own ? "~own " : "~") + presence.id + " " +
                   presence.node.regions.at(0);
        case Presence::Kind::nodeExpired:
            return "-" + presence.id + " " + presence.reason;
        case Presence::Kind::hostOnline:
            return "host +" + presence.id;
        case Presence::Kind::hostExpired:
            return "host -" + presence.id;
    }
    return "?";
}

// What handlers were told, all in one row.
struct Told : Heard<std::string> {
    void listenTo(Agent& agent) {
        agent.onPresence([this](const Presence& presence) { add(inWords(presence)); });
        agent.onError([this](const std::string& what) { add("error " + what); });
        agent.onConnect([this] { add("connected"); });
        agent.on("fence", [this](const Event&) { add("fence"); });
    }
    Words untilFence() {
        Words words;
        for (std::string word = next(); word != "fence"; word = next()) words.push_back(word);
        return words;
    }
};

// The usual beginning, with nodes that are there already.
void welcome(FakeClient& client, const Words& nodes = {}) {
    wire::Welcome welcome = FakeClient::defaultWelcome();
    welcome.capabilities = wire::noticesCapability;
    client.welcome(welcome);
    for (const auto& node : nodes) client.event("nc-node-online", node);
}

void greet(FakeClient& client, const Words& nodes = {}) {
    client.untilSync();
    welcome(client, nodes);
    client.event("nc-hosts-known", "{}");
    client.synced();
}

FakeClient connect(Agent& agent, const FakeDaemon& daemon, const Words& nodes = {}) {
    auto connecting = inBackground([&] { agent.connect(longTime); });
    FakeClient client = daemon.accept();
    greet(client, nodes);
    connecting.get();
    return client;
}

// Another agent of the process, on the same connection.
void join(Agent& agent, FakeClient& client) {
    auto connecting = inBackground([&] { agent.connect(longTime); });
    while (client.next().type != wire::FrameType::sync) continue;
    client.synced();
    connecting.get();
}

bool isStats(const Said& said) {
    return said.name == "nc-node-stats";
}

// The next frame that is no report of stats: those come by the clock, for ever.
Said next(FakeClient& client) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    for (;;) {
        Said said = client.next();
        if (!isStats(said)) return said;
        REQUIRE(std::chrono::steady_clock::now() < end);
    }
}

Json nextStats(FakeClient& client) {
    Said said = client.next();
    while (!isStats(said)) said = client.next();
    return Json::parse(said.text.substr(sizeof "event nc-node-stats"));
}

void grant(FakeClient& client, const Said& asked, const std::string& id) {
    client.event("nc-node-register-response", R"({"id":")" + id + "\"}", 0, asked.id);
}

void refuse(FakeClient& client, const Said& asked, const std::string& id, const std::string& why) {
    client.event("nc-node-register-response", R"({"id":")" + id + R"(","error":")" + why + "\"}", 0,
                 asked.id);
}

// What the daemon does with a request: everybody is told, then who asked is answered.
Said serve(FakeClient& client, const std::string& id, const std::string& region = "eu",
           int since = 1) {
    Said asked = next(client);
    CHECK(asked.name == "nc-node-register");
    client.event("nc-node-online", nodeData(id, region, since));
    grant(client, asked, id);
    return asked;
}

void registerNode(Agent& agent, FakeClient& client, const std::string& id, int since = 1) {
    auto registering = inBackground([&] { agent.registerNode({id, {"eu"}}, longTime); });
    serve(client, id, "eu", since);
    registering.get();
}

Words idsOf(const std::vector<Node>& nodes) {
    Words ids;
    for (const Node& node : nodes) ids.push_back((node.own ? "own " : "") + node.id);
    return ids;
}

}  // namespace

TEST_CASE("the daemon is asked in its words, and its answer is the outcome") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    auto registering = inBackground([&] {
        return agent.registerNode({"web", {"eu"}, {{"disk", "ssd"}}, {{"http", 80}}}, longTime);
    });
    const Said asked = serve(client, "web");
    CHECK(asked.text ==
          R"(event nc-node-register {"id":"web","info":{"disk":"ssd"},"regions":["eu"],)"
          R"("services":[{"name":"http","port":80}]})");
    CHECK(asked.id != "");
    CHECK(registering.get() == "web");

    auto changing =
        inBackground([&] { return errorOf([&] { agent.registerNode({"web"}, longTime); }); });
    refuse(client, next(client), "web", "not today");
    CHECK(changing.get() == "not today");
    CHECK(idsOf(agent.nodes()) == Words{"own web"});  // as it was

    CHECK(agent.unregisterNode("web"));
    CHECK(next(client).text == R"(event nc-node-unregister "web")");
    CHECK_FALSE(agent.unregisterNode("web"));
}

TEST_CASE("a description that is none is not asked for") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    const auto why = [&](NodeDescription said) {
        return errorOf([&] { agent.registerNode(std::move(said), longTime); });
    };
    CHECK(why({"a:b"}).starts_with("the id of a node is not a name"));
    CHECK(why({"a", {""}}).starts_with("a region of node 'a' is not a name"));
    CHECK(why({"a", {}, Json::array()}) == "the info of node 'a' is not an object");
    CHECK(contains(why({"a", {}, {{"x", "\xff"}}}), "UTF-8"));
    CHECK(why({"a", {}, Json::object(), {{"h p", 1}}})
              .starts_with("the name of a service of node 'a' is not a name"));
    CHECK(contains(why({"a", {}, {{"x", std::string(2 << 20, 'x')}}}), "more than the daemon"));
    Json deep;  // not to be copied
    for (int i = 0; i < 100'000; ++i) {
        Json around = Json::array();
        around.push_back(std::move(deep));
        deep = std::move(around);
    }
    NodeDescription tooDeep{"a"};
    tooDeep.info["x"] = std::move(deep);
    CHECK(contains(why(std::move(tooDeep)), "nested deeper than 32"));
    Heard<std::string> told;
    agent.registerNodeAsync({"a b"}, [&](const std::string& error) { told.add(error); });
    CHECK(told.next().starts_with("the id of a node"));
    agent.emit("fence");
    CHECK(next(client).text == "event fence null");
}

TEST_CASE("without a connection nothing is registered, and a listener must not wait") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    CHECK(errorOf([&] { agent.registerNode({"a"}); }) == "not connected");
    CHECK(errorOf([&] { agent.registerNode({}); }) == "not connected");
    Heard<std::string> told;
    agent.registerNodeAsync({"a"}, [&](const std::string& error) { told.add(error); });
    CHECK(told.next() == "not connected");
    CHECK_FALSE(agent.unregisterNode("a"));
    CHECK(agent.nodes().empty());
    agent.connectAsync({}, longTime);  // not yet
    agent.registerNodeAsync({}, [&](const std::string& error) { told.add(error); });
    CHECK(told.next() == "not connected");
    std::string error;
    agent.on("x", [&](const Event&) { error = errorOf([&] { agent.registerNode({"a"}); }); });
    agent.emit("x", 1, {.scope = Scope::process});
    CHECK(contains(error, "registerNodeAsync"));
}

TEST_CASE("a node that nobody hears of in time is taken back when it is granted after all") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    CHECK(errorOf([&] { agent.registerNode({"web"}, std::chrono::milliseconds(1)); }) ==
          "the daemon did not answer within 1 ms");
    serve(client, "web");
    CHECK(next(client).text == R"(event nc-node-unregister "web")");
    CHECK(idsOf(agent.nodes()) == Words{"web"});  // until the daemon says otherwise
}

TEST_CASE("a lost connection and a disconnect end what is asked") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    Heard<std::string> told;
    agent.registerNodeAsync(
        {"a"}, [&](const std::string& error) { told.add(error); }, longTime);
    next(client);
    client.close();
    CHECK(told.next().starts_with("the connection was lost"));
    FakeClient again = daemon.accept();
    CHECK(again.untilSync().empty());  // it is not asked for again
    welcome(again);
    again.synced();
    while (!agent.connected()) std::this_thread::yield();
    agent.registerNodeAsync(
        {"b"}, [&](const std::string& error) { told.add(error); }, longTime);
    CHECK(next(again).name == "nc-node-register");
    agent.disconnect();
    CHECK(told.next() == "disconnected");
    CHECK(next(again).text == R"(event nc-node-unregister "b")");
}

TEST_CASE("a request that the lost daemon had not read is not made of the next one") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    // More than the socket takes, so that the request waits behind it.
    const std::string big(512 << 10, 'x');
    for (int i = 0; i < 8; ++i) CHECK(agent.emit("big", big) == Emitted::accepted);
    Heard<std::string> told;
    agent.registerNodeAsync(
        {"a"}, [&](const std::string& error) { told.add(error); }, longTime);
    agent.emit("last");
    client.close();
    told.next();
    FakeClient again = daemon.accept();
    greet(again);
    for (Said said = next(again); said.name != "last"; said = next(again)) {
        CHECK(said.name == "big");
    }
}

TEST_CASE("nodes are told in order with events: those that are there, then what changes") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    FakeClient client = connect(agent, daemon, {nodeData("db"), nodeData("web")});
    CHECK(idsOf(agent.nodes()) == Words{"db", "web"});
    client.event("fence", "1");
    CHECK(told.untilFence() == Words{"connected", "+db", "+web"});
    client.event("nc-node-changed", nodeData("web", "us"));
    client.event("nc-node-changed", nodeData("web", "us"));
    client.event("nc-node-stats", R"({"web":{"busy":1}})");
    client.event("nc-node-expired", R"({"id":"db","why":"disconnected"})");
    client.event("nc-node-expired", R"({"id":"unknown","why":"disconnected"})");
    client.event("nc-node-online", nodeData("api"));
    client.event("fence", "1");
    CHECK(told.untilFence() == Words{"~web us", "-db disconnected", "+api"});
    CHECK(idsOf(agent.nodes("us")) == Words{"web"});
    CHECK(agent.nodes("web").at(0).stats == Json{{"busy", 1}});

    Told late;
    late.listenTo(agent);
    CHECK(late.next() == "+api");
    CHECK(late.next() == "+web");
}

TEST_CASE("a node of this process is told as its own, and a foreign one never is") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    FakeClient client = connect(agent, daemon);
    CHECK(told.next() == "connected");
    registerNode(agent, client, "mine");
    CHECK(told.next() == "+own mine");  // before registerNode returned
    auto changing = inBackground([&] { agent.registerNode({"mine", {"us"}}, longTime); });
    const Said asked = next(client);
    client.event("nc-node-changed", nodeData("mine", "us"));
    grant(client, asked, "mine");
    changing.get();
    CHECK(told.next() == "~own mine us");

    // Somebody else is quicker.
    auto registering =
        inBackground([&] { return errorOf([&] { agent.registerNode({"web"}, longTime); }); });
    const Said second = next(client);
    client.event("nc-node-online", nodeData("web"));
    refuse(client, second, "web", "there is a node web of another client of this host");
    CHECK(contains(registering.get(), "another client"));
    CHECK(told.next() == "+web");
    CHECK(idsOf(agent.nodes()) == Words{"own mine", "web"});
    agent.unregisterNode("mine");
    CHECK(idsOf(agent.nodes()) == Words{"mine", "web"});
}

TEST_CASE("after a lost connection nodes are registered anew before all is well") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    FakeClient client = connect(agent, daemon, {nodeData("db")});
    registerNode(agent, client, "one");
    registerNode(agent, client, "two");
    client.event("fence", "1");
    CHECK(told.untilFence() == Words{"connected", "+db", "+own one", "+own two"});
    int heard = 0;
    agent.on("x", [&](const Event&) { ++heard; });
    client.close();
    FakeClient again = daemon.accept();
    CHECK(idsOf(agent.nodes()) == Words{"db", "own one", "own two"});  // as an earlier one knew
    agent.emit("x", 1, {.to = "one"});
    CHECK(heard == 1);

    CHECK(next(again).text == "subscribe fence");
    CHECK(next(again).text == "subscribe x");
    const Said one = next(again);
    CHECK(one.text ==
          R"(event nc-node-register {"id":"one","info":{},"regions":["eu"],"services":[]})");
    const Said two = next(again);
    CHECK(two.name == "nc-node-register");
    CHECK(next(again).type == wire::FrameType::sync);
    welcome(again, {nodeData("db")});
    again.event("nc-hosts-known", "{}");
    again.event("nc-node-online", nodeData("one", "eu", 2));
    grant(again, one, "one");
    refuse(again, two, "two", "there is a node two on host beta");
    again.synced();
    again.event("fence", "1");
    CHECK(told.untilFence() ==
          Words{"error node 'two' is no more: there is a node two on host beta", "connected",
                "-one away", "-two away", "+own one"});
    CHECK(idsOf(agent.nodes()) == Words{"db", "own one"});
    CHECK_FALSE(agent.unregisterNode("two"));
    agent.emit("x", 1, {.to = "two"});
    CHECK(heard == 1);
}

TEST_CASE("a node that was given up while it was asked for again does not stay with the daemon") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    registerNode(agent, client, "gone");
    registerNode(agent, client, "kept");
    client.close();
    FakeClient again = daemon.accept();
    const Said gone = next(again);
    const Said kept = next(again);
    CHECK(next(again).type == wire::FrameType::sync);
    // The daemon hears of it, or does not, if that was before the new connection took anything.
    CHECK(agent.unregisterNode("gone"));
    welcome(again);
    grant(again, gone, "gone");
    grant(again, kept, "kept");
    again.synced();
    CHECK(next(again).text == R"(event nc-node-unregister "gone")");
    agent.emit("fence");
    CHECK(next(again).text == R"(event nc-node-unregister "gone")");
    CHECK(next(again).name == "fence");
}

TEST_CASE("nodes given up in the very moment of a new connection do not stay with the daemon") {
    for (int round = 0; round < 10; ++round) {
        const FakeDaemon daemon;
        Heard<std::string> granted;
        Agent agent("A", daemon.options());
        agent.on("fence", [&](const Event&) { agent.emit("fence reached"); });
        FakeClient client = connect(agent, daemon);
        // Many that say much, so that to ask for them again takes a while.
        constexpr int count = 40;
        const std::string text(20'000, 'x');
        const auto id = [](int number) { return "n" + std::to_string(number); };
        for (int number = 0; number < count; ++number) {
            agent.registerNodeAsync(
                {id(number), {}, {{"text", text}}},
                [&](const std::string& error) { granted.add(error); }, longTime);
            grant(client, next(client), id(number));
        }
        for (int number = 0; number < count; ++number) CHECK(granted.next() == "");
        client.close();
        FakeClient again = daemon.accept();
        auto givingUp = inBackground([&] {
            for (int number = 0; number < count; ++number) agent.unregisterNode(id(number));
        });
        std::set<std::string> known;
        for (Said said = next(again); said.type != wire::FrameType::sync; said = next(again)) {
            if (said.name != "nc-node-register") continue;
            const std::string asked = Json::parse(said.text.substr(said.text.find('{')))["id"];
            known.insert(asked);
            if (known.size() == 1) welcome(again);
            grant(again, said, asked);
        }
        if (known.empty()) welcome(again);
        givingUp.get();
        again.synced();
        again.event("fence", "1");
        for (Said said = next(again); said.name != "fence reached"; said = next(again)) {
            if (said.name != "nc-node-unregister") continue;
            known.erase(Json::parse(said.text.substr(said.text.find('"'))).get<std::string>());
        }
        CHECK(known.empty());
    }
}

TEST_CASE("a node that has to give way to one of another host is told of, and is none any more") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    FakeClient client = connect(agent, daemon);
    registerNode(agent, client, "web");
    client.event("nc-node-expired", R"({"id":"web","why":"refused"})");
    client.event("nc-node-online", nodeData("web", "us", 0));
    client.event("fence", "1");
    CHECK(told.untilFence() ==
          Words{"connected", "+own web",
                "error node 'web' is no more: another host has a node of that id", "-web refused",
                "+web"});
    CHECK(idsOf(agent.nodes()) == Words{"web"});
    CHECK_FALSE(agent.unregisterNode("web"));
}

TEST_CASE("who is told that a node is none any more can register it again") {
    const FakeDaemon daemon;
    Told told;
    Agent agent("A", daemon.options());
    told.listenTo(agent);
    agent.onNodeLost([&](const std::string& id, const std::string& why) {
        told.add("lost " + id + ": " + why);
        agent.registerNodeAsync(
            {id}, [&](const std::string& error) { told.add("answer " + error); }, longTime);
    });
    FakeClient client = connect(agent, daemon);
    registerNode(agent, client, "web");
    client.event("nc-node-expired", R"({"id":"web","why":"refused"})");
    const Said again = next(client);
    CHECK(again.name == "nc-node-register");
    grant(client, again, "web");
    client.event("fence", "1");
    CHECK(told.untilFence() == Words{"connected", "+own web",
                                     "lost web: another host has a node of that id", "-web refused",
                                     "answer "});
    CHECK(agent.unregisterNode("web"));
}

TEST_CASE("nodes belong to the agent that registered them, and go with it") {
    const FakeDaemon daemon;
    Agent first("A", daemon.options());
    FakeClient client = connect(first, daemon);
    auto second = std::make_unique<Agent>("A", daemon.options());
    Agent third("A", daemon.options());
    join(*second, client);
    join(third, client);
    registerNode(first, client, "one");
    registerNode(*second, client, "two");
    registerNode(third, client, "three");
    CHECK(idsOf(first.nodes()) == Words{"own one", "own three", "own two"});
    CHECK_FALSE(first.unregisterNode("two"));
    CHECK(errorOf([&] { first.registerNode({"two"}, longTime); }) ==
          "there is a node two of another agent of this process");
    second.reset();
    CHECK(next(client).text == R"(event nc-node-unregister "two")");
    third.disconnect();
    CHECK(next(client).text == R"(event nc-node-unregister "three")");
    CHECK(idsOf(first.nodes()) == Words{"own one", "three", "two"});
}

TEST_CASE("an event reaches this process when one of its nodes, or its connection, is meant") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    Agent unconnected("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    int heard = 0;
    agent.on("x", [&](const Event&) { ++heard; });
    const auto hears = [&](const std::string& to) {
        const int before = std::exchange(heard, 0);
        CHECK(before >= 0);
        unconnected.emit("x", 1, {.to = to});
        return heard == 1;
    };
    const std::string us = "client=" + agent.uuid();
    CHECK(hears(us));
    CHECK_FALSE(hears("!" + us));
    CHECK_FALSE(hears("web"));
    CHECK_FALSE(hears("*"));
    agent.syncAsync({}, longTime);
    while (next(client).type != wire::FrameType::sync) continue;  // behind the subscription
    client.synced();
    registerNode(agent, client, "web");
    for (const std::string to : {"web", "eu", "web:db", "*", "region=eu", "host=testhost", "!db"}) {
        CAPTURE(to);
        CHECK(hears(to));
    }
    CHECK(hears(us));
    for (const std::string to : {"db", "us", "!eu", "host=beta", "client=7", "disk=ssd"}) {
        CAPTURE(to);
        CHECK_FALSE(hears(to));
    }
}

TEST_CASE("how its nodes are doing a process says every second, while it has some") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    agent.reportStats({{"shard", 3}, {"busy", 7}, {"gone", true}});
    agent.reportStats({{"gone", nullptr}, {"absent", nullptr}});
    registerNode(agent, client, "web");
    const Json first = nextStats(client);
    const auto began = std::chrono::steady_clock::now();
    CHECK(first.at("shard") == 3);
    CHECK(first.at("busy") == 7);
    CHECK(first.at("requests") == 0);
    CHECK_FALSE(first.contains("gone"));
    CHECK(first.at("version") == NETCLUSTER_VERSION);
    CHECK(first.at("pid").get<long>() > 0);
    CHECK(first.at("memory").get<std::uint64_t>() > 100'000);
    CHECK(first.at("uptime").get<std::int64_t>() < 3600);
    CHECK(first.at("load").get<double>() >= 0);
    CHECK(first.at("cpus").get<unsigned>() > 0);
    CHECK(first.dump().size() < 512);

    agent.reportStats({{"shard", "four"}});
    registerNode(agent, client, "db");
    const Json second = nextStats(client);
    CHECK(second.at("shard") == "four");
    CHECK(second.at("pid") == first.at("pid"));
    CHECK(std::chrono::steady_clock::now() - began > std::chrono::milliseconds(500));

    agent.unregisterNode("web");
    CHECK(nextStats(client).at("shard") == "four");
    agent.unregisterNode("db");
    CHECK(client.next().text == R"(event nc-node-unregister "db")");

    // No more, then; the next of another process's nodes would have come later.
    const FakeDaemon elsewhere;
    Agent clock("A", elsewhere.options());
    FakeClient ticks = connect(clock, elsewhere);
    registerNode(clock, ticks, "clock");
    nextStats(ticks);
    nextStats(ticks);
    agent.emit("end");
    CHECK(client.next().text == "event end null");
}

TEST_CASE("stats that cannot be told are refused, and what was told before stays") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    agent.reportStats({{"a", 1}});
    CHECK_THROWS_AS(agent.reportStats(7), Error);
    CHECK_THROWS_AS(agent.reportStats({{"a", "\xff"}}), Error);
    const Json tooMuch{{"b", std::string(600, 'x')}, {"c", std::string(600, 'x')}};
    CHECK(contains(errorOf([&] { agent.reportStats(tooMuch); }), "at most 1024"));
    agent.reportStats({{"b", std::string(600, 'x')}});
    CHECK_THROWS_AS(agent.reportStats({{"c", std::string(600, 'x')}}), Error);
    FakeClient client = connect(agent, daemon);
    registerNode(agent, client, "web");
    const Json told = nextStats(client);
    CHECK(told.at("a") == 1);
    CHECK(told.contains("b"));
    CHECK_FALSE(told.contains("c"));
}

TEST_CASE("poll tells the last of what a node says, and nothing of one that came and went") {
    const FakeDaemon daemon;
    Words told;
    Options options = daemon.options();
    options.poll = true;
    Agent agent("A", options);
    agent.onPresence([&](const Presence& presence) { told.push_back(inWords(presence)); });
    bool fenced = false;
    agent.on("fence", [&](const Event&) { fenced = true; });
    const auto pollToFence = [&] {
        told.clear();
        for (fenced = false; !fenced;) REQUIRE(agent.poll(longTime) != 0);
        return told;
    };
    // Hears on the thread of the connection they share: what came before has been kept then.
    Told witness;
    Agent other("A", daemon.options());
    witness.listenTo(other);
    FakeClient client = connect(agent, daemon, {nodeData("db")});
    join(other, client);
    const auto fence = [&] {
        client.event("fence", "1");
        witness.untilFence();
        return pollToFence();
    };
    CHECK(fence() == Words{"+db"});
    client.event("nc-node-online", nodeData("web"));
    client.event("nc-node-changed", nodeData("web", "us"));
    client.event("nc-node-expired", R"({"id":"web","why":"disconnected"})");
    client.event("nc-node-changed", nodeData("db", "us"));
    client.event("nc-node-changed", nodeData("db", "asia"));
    CHECK(fence() == Words{"~db asia"});
    client.event("nc-node-changed", nodeData("db", "us"));
    client.event("nc-node-expired", R"({"id":"db","why":"disconnected"})");
    client.event("nc-node-online", nodeData("db", "us", 2));
    client.event("nc-node-changed", nodeData("db", "asia", 2));
    CHECK(fence() == Words{"-db disconnected", "+db", "~db asia"});

    // Callbacks come there, too.
    std::string outcome = "none";
    agent.registerNodeAsync(
        {"x"}, [&](const std::string& error) { outcome = error; }, longTime);
    serve(client, "x");
    CHECK(fence() == Words{"+own x"});
    CHECK(outcome == "");
}

TEST_CASE("many threads register, look, emit and let go at once") {
    const FakeDaemon daemon;
    Agent agent("A", daemon.options());
    FakeClient client = connect(agent, daemon);
    constexpr int threads = 4;
    constexpr int rounds = 50;
    std::vector<std::future<void>> working;
    for (int thread = 0; thread < threads; ++thread) {
        working.push_back(inBackground([&, thread] {
            for (int round = 0; round < rounds; ++round) {
                const std::string id = "n" + std::to_string(thread);
                agent.registerNode({id, {"eu"}}, longTime);
                agent.emit("x", 1, {.scope = Scope::process, .to = id});
                if (agent.nodes(id).size() != 1) throw Error("not there: " + id);
                if (!agent.unregisterNode(id)) throw Error("not ours: " + id);
            }
        }));
    }
    for (int answered = 0; answered < 2 * threads * rounds; ++answered) {
        const Said asked = next(client);
        const std::string id = asked.text.substr(asked.text.find("\"n") + 1, 2);
        if (asked.name == "nc-node-register") {
            client.event("nc-node-online", nodeData(id, "eu", answered));
            grant(client, asked, id);
        } else {
            client.event("nc-node-expired", R"({"id":")" + id + R"(","why":"unregistered"})");
        }
    }
    for (auto& work : working) CHECK_NOTHROW(work.get());
}
