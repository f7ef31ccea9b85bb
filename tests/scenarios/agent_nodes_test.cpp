// Nodes as programs of the agent library meet them: to be one, to know the others, to address them;
// against real daemons. The hosts are daemons of this machine that meet on its loopback interface.
#include <doctest/doctest.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <netcluster/agent.hpp>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster;
using namespace netcluster::scenario;
using Words = std::vector<std::string>;

namespace {

// A port of this test run's own, below those that the system gives out.
std::string hostConfig(const std::string& name, int heartbeat = 100) {
    const unsigned port = 10'000 + (static_cast<unsigned>(getpid()) * 8 + 5) % 20'000;
    return R"({"connecttonet": true, "addr": "239.255.44.64", "netinterface": "lo", "port": )" +
           std::to_string(port) + R"(, "heartbeat": )" + std::to_string(heartbeat) +
           R"(, "name": ")" + name + '"' +
           R"(, "channels": {"control": {}, "A": {"propagatetonet": ".*"}, "B": {}}})";
}

Options at(const std::string& runDir) {
    Options options;
    options.dir = runDir;
    return options;
}

Words idsOf(const std::vector<Node>& nodes) {
    Words ids;
    for (const Node& node : nodes) ids.push_back(node.id);
    return ids;
}

std::string errorOf(const std::function<void()>& function) {
    try {
        function();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

std::string inWords(const Presence& presence) {
    switch (presence.kind) {
        case Presence::Kind::hostOnline:
            return "+host " + presence.name;
        case Presence::Kind::hostExpired:
            return "-host " + presence.name + " " + presence.reason;
        case Presence::Kind::nodeOnline:
            return "+" + presence.id + " " + presence.name;
        case Presence::Kind::nodeChanged:
            return "~" + presence.id;
        case Presence::Kind::nodeExpired:
            return "-" + presence.id + " " + presence.reason;
    }
    return "?";
}

// What happened on any thread, one after the other.
class Row {
  public:
    void listenTo(Agent& agent) {
        agent.onPresence([this](const Presence& presence) { add(inWords(presence)); });
    }
    void add(std::string word) {
        const std::lock_guard lock(mutex_);
        words_.push_back(std::move(word));
        arrived_.notify_one();
    }
    std::string next() {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait_for(lock, patience(), [&] { return !words_.empty(); })) return "nothing";
        std::string word = std::move(words_.front());
        words_.pop_front();
        return word;
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::string> words_;
};

struct TwoHosts {
    Daemon alpha{hostConfig("alpha")};
    Daemon beta{hostConfig("beta")};
    TwoHosts() {
        for (const Daemon* daemon : {&alpha, &beta}) {
            awaitTrue([&] { return daemon->ask("hosts").size() == 2; });
        }
    }
};

struct Connected : Agent {
    explicit Connected(const Daemon& daemon, const std::string& channel = "A")
        : Agent(channel, at(daemon.runDir())) {
        connect(patience());
    }
};

}  // namespace

TEST_CASE("a node is known to every agent of every host, with all it says of itself") {
    TwoHosts hosts;
    Connected here(hosts.alpha);
    Connected onOtherChannel(hosts.alpha, "B");
    Connected there(hosts.beta);
    CHECK(there.registerNode(
              {"web", {"eu", "front"}, {{"disk", "ssd"}}, {{"http", 80}, {"admin", 8080}}},
              patience()) == "web");
    const std::vector<Node> own = there.nodes();
    REQUIRE(idsOf(own) == Words{"web"});
    CHECK(own[0].own);
    for (Agent* agent : {static_cast<Agent*>(&here), static_cast<Agent*>(&onOtherChannel)}) {
        awaitTrue([&] { return !agent->nodes().empty(); });
        const std::vector<Node> nodes = agent->nodes();
        REQUIRE(idsOf(nodes) == Words{"web"});
        CHECK_FALSE(nodes[0].own);
        CHECK(nodes[0].regions == Words{"eu", "front"});
        CHECK(nodes[0].info == Json{{"disk", "ssd"}});
        CHECK((nodes[0].services == std::vector<Service>{{"http", 80}, {"admin", 8080}}));
        CHECK(nodes[0].host == "beta");
        CHECK(nodes[0].hostId == own[0].hostId);
        CHECK(nodes[0].since == own[0].since);
    }
    // Whoever connects later knows it when connect returns.
    CHECK(idsOf(Connected(hosts.alpha, "B").nodes()) == Words{"web"});

    CHECK(there.unregisterNode("web"));
    CHECK_FALSE(there.unregisterNode("web"));
    awaitTrue([&] { return here.nodes().empty() && onOtherChannel.nodes().empty(); });
}

TEST_CASE("an agent that gives no id is called by its host and its process") {
    Daemon alpha(hostConfig("alpha"));
    Connected agent(alpha);
    const std::string id = "alpha-" + std::to_string(getpid());
    CHECK(agent.registerNode({}, patience()) == id);
    CHECK(idsOf(agent.nodes()) == Words{id});
    CHECK(idsOf(agent.nodes("host=alpha")) == Words{id});
}

TEST_CASE("what is refused is said, and changes nothing") {
    Daemon alpha(hostConfig("alpha"));
    Connected agent(alpha);
    Connected sibling(alpha);
    Connected other(alpha, "B");
    agent.registerNode({"web", {"eu"}}, patience());
    CHECK(errorOf([&] { other.registerNode({"web"}, patience()); }) ==
          "there is a node web of another client of this host");
    CHECK(errorOf([&] { sibling.registerNode({"web"}, patience()); }) ==
          "there is a node web of another agent of this process");
    CHECK_FALSE(sibling.unregisterNode("web"));
    const Json long_{{"text", std::string(5000, 'x')}};
    CHECK(errorOf([&] {
              agent.registerNode({"web", {}, long_}, patience());
          }) == "a description of more than 4096 bytes");
    CHECK(
        errorOf([&] { agent.registerNode({"a b"}, patience()); }).starts_with("the id of a node"));
    Agent unconnected("A", at(alpha.runDir()));
    CHECK(errorOf([&] { unconnected.registerNode({"x"}); }) == "not connected");
    CHECK(idsOf(agent.nodes("eu")) == Words{"web"});
    CHECK_THROWS_AS(agent.nodes("a b"), Error);
}

TEST_CASE("events for a node reach it wherever it is, in its own process too, and nobody else") {
    TwoHosts hosts;
    Connected here(hosts.alpha);
    Connected there(hosts.beta);
    Connected bystander(hosts.beta, "B");
    here.registerNode({"near", {"all"}}, patience());
    there.registerNode({"far", {"all"}, {{"gpu", true}}}, patience());
    awaitTrue([&] { return here.nodes().size() == 2 && there.nodes().size() == 2; });

    Words nearHeard;
    BinaryClient fence(hosts.beta.socket("A"));
    here.on("to .*", [&](const Event& event) { nearHeard.emplace_back(event.name()); });
    there.on("to .*", [&](const Event& event) { there.emit("far heard", Json(event.name())); });
    there.sync(patience());
    const Words targets{"near",        "far",   "all", "near:far",  "gpu=true",
                        "gpu=yes|far", "!near", "*",   "host=beta", "nobody"};
    for (const std::string& target : targets) here.emit("to " + target, 1, {.to = target});
    here.emit("end");
    CHECK(nearHeard == Words{"to near", "to all", "to near:far", "to *"});
    Words farHeard;
    for (;;) {
        const Heard heard = fence.nextEvent();
        if (heard.event == "end") break;
        if (heard.event == "far heard") farHeard.push_back(Json::parse(heard.data));
    }
    while (farHeard.size() < 8) {
        const Heard late = fence.nextEvent();
        if (late.event == "far heard") farHeard.push_back(Json::parse(late.data));
    }
    CHECK(farHeard == Words{"to far", "to all", "to near:far", "to gpu=true", "to gpu=yes|far",
                            "to !near", "to *", "to host=beta"});
}

TEST_CASE("that nobody near wants an event for a node says nothing of the same event for others") {
    TwoHosts hosts;
    Connected here(hosts.alpha);
    BinaryClient deaf(hosts.alpha.socket("A"), {});
    deaf.emit("nc-node-register", R"({"id":"deaf"})");
    awaitTrue([&] { return idsOf(here.nodes()) == Words{"deaf"}; });
    BinaryClient there(hosts.beta.socket("A"));
    here.emit("x", 1, {.to = "deaf"});
    here.sync(patience());  // what the daemon has to say to that
    here.emit("x", 2);
    CHECK(there.nextEvent().data == "2");
}

TEST_CASE("an id belongs to one process of one host; when that goes, another may have it") {
    TwoHosts hosts;
    Connected here(hosts.alpha);
    Connected there(hosts.beta);
    auto first = std::make_unique<BinaryClient>(hosts.alpha.socket("A"), Words{});
    first->emit("nc-node-register", R"({"id":"web"})");
    awaitTrue([&] {
        return idsOf(here.nodes()) == Words{"web"} && idsOf(there.nodes()) == Words{"web"};
    });
    CHECK_FALSE(here.nodes()[0].own);
    CHECK(errorOf([&] { here.registerNode({"web"}, patience()); }) ==
          "there is a node web of another client of this host");
    CHECK(errorOf([&] { there.registerNode({"web"}, patience()); }) ==
          "there is a node web on host alpha");
    first.reset();
    awaitTrue([&] { return here.nodes().empty() && there.nodes().empty(); });
    CHECK(there.registerNode({"web"}, patience()) == "web");
    awaitTrue([&] { return !here.nodes().empty(); });
    CHECK(here.nodes()[0].host == "beta");
}

TEST_CASE("after a restart of the daemon nodes are there again, and everybody was told") {
    const Scratch place;
    const auto start = [&] {
        return std::make_unique<Daemon>(hostConfig("alpha"),
                                        DaemonOptions{.runDir = place.file("run")});
    };
    auto alpha = start();
    Daemon beta(hostConfig("beta"));
    awaitTrue([&] { return beta.ask("hosts").size() == 2 && alpha->ask("hosts").size() == 2; });
    Agent here("A", at(place.file("run")));
    here.connect(patience());
    Connected there(beta);
    here.registerNode({"web", {"eu"}}, patience());
    there.registerNode({"db"}, patience());
    awaitTrue([&] { return here.nodes().size() == 2 && there.nodes().size() == 2; });
    Row told;
    told.listenTo(here);
    Row toldThere;
    toldThere.listenTo(there);
    CHECK(told.next() == "+host beta");
    CHECK(told.next() == "+db beta");
    CHECK(told.next() == "+web alpha");
    CHECK(toldThere.next() == "+host alpha");
    CHECK(toldThere.next() == "+db beta");
    CHECK(toldThere.next() == "+web alpha");

    alpha.reset();
    CHECK(toldThere.next().starts_with("-web"));
    CHECK(toldThere.next() == "-host alpha goodbye");
    alpha = start();
    CHECK(toldThere.next() == "+host alpha");
    CHECK(toldThere.next() == "+web alpha");
    // What is still there is not told again; ours went with the daemon that knew it.
    CHECK(told.next() == "-web away");
    CHECK(told.next() == "+web alpha");
    awaitTrue([&] { return here.nodes().size() == 2; });
    CHECK(here.nodes("web").at(0).own);
    here.on("to web", [&](const Event& event) { told.add(std::string(event.name())); });
    here.sync(patience());
    there.emit("to web", 1, {.to = "web"});
    there.sync(patience());
    CHECK(told.next() == "to web");
}

TEST_CASE("with poll it is all the same, on the thread that polls") {
    TwoHosts hosts;
    Options options = at(hosts.alpha.runDir());
    options.poll = true;
    Agent agent("A", options);
    Words told;
    agent.onPresence([&](const Presence& presence) { told.push_back(inWords(presence)); });
    agent.connect(patience());
    CHECK(agent.registerNode({"mine"}, patience()) == "mine");
    Connected there(hosts.beta);
    there.registerNode({"theirs"}, patience());
    awaitTrue([&] { return !agent.nodes("theirs").empty(); });  // known before it is told
    std::string outcome = "none";
    agent.registerNodeAsync(
        {"theirs"}, [&](const std::string& error) { outcome = error; }, patience());
    awaitTrue([&] {
        agent.poll();
        return outcome != "none" && told.size() >= 3;
    });
    CHECK(outcome == "there is a node theirs on host beta");
    CHECK(told == Words{"+host beta", "+mine alpha", "+theirs beta"});
    there.unregisterNode("theirs");
    awaitTrue([&] {
        agent.poll();
        return told.size() >= 4;
    });
    CHECK(told.back() == "-theirs unregistered");
}

TEST_CASE("how nodes are doing is known everywhere") {
    TwoHosts hosts;
    Connected here(hosts.alpha);
    Connected there(hosts.beta);
    there.reportStats({{"shard", 1}});
    there.registerNode({"web"}, patience());
    const auto shardOf = [](Agent& agent) {
        const std::vector<Node> nodes = agent.nodes("web");
        return nodes.empty() ? 0 : nodes[0].stats.value("shard", 0);
    };
    awaitTrue([&] { return shardOf(here) == 1 && shardOf(there) == 1; });
    const Json stats = here.nodes("web").at(0).stats;
    for (const char* key : {"memory", "uptime", "load", "hostload", "cpus", "requests", "busy"}) {
        CAPTURE(key);
        CHECK(stats.at(key).is_number());
    }
    CHECK(stats.at("pid") == getpid());
    CHECK(stats.at("version") == NETCLUSTER_VERSION);
    there.reportStats({{"shard", 2}});
    awaitTrue([&] { return shardOf(here) == 2 && shardOf(there) == 2; });
    // Who comes later knows it when connect returns.
    Connected late(hosts.alpha, "B");
    CHECK(shardOf(late) == 2);
}
