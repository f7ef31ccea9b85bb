// What nodes may not: reach farther than the rules of the configuration, say what only daemons say,
// cost others more than they are due. And what control shows of them. Raw clients; the hosts are
// daemons of this machine that meet on its loopback interface.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;
using Names = std::vector<std::string>;

namespace {

constexpr const char* openChannels = R"({"control": {}, "A": {"propagatetonet": ".*"}, "B": {}})";

// A port of this test run's own, below those that the system gives out.
std::string hostConfig(const std::string& name, const std::string& channels = openChannels) {
    const unsigned port = 10'000 + (static_cast<unsigned>(getpid()) * 8 + 3) % 20'000;
    return R"({"connecttonet": true, "addr": "239.255.44.66", "netinterface": "lo", "port": )" +
           std::to_string(port) + R"(, "heartbeat": 100, "name": ")" + name + R"(", "channels": )" +
           channels + "}";
}

Json hear(Client& client, const std::string& event) {
    for (;;) {
        const Heard heard = client.nextEvent();
        if (heard.event == event) return Json::parse(heard.data);
    }
}

Json request(Client& client, const std::string& what, const Json& data) {
    client.emit(what, data.dump());
    return hear(client, what + "-response");
}

void beNode(Client& client, const std::string& id) {
    REQUIRE(request(client, "nc-node-register", {{"id", id}}) == Json{{"id", id}});
}

Names idsOf(const Json& nodes) {
    Names ids;
    for (const Json& node : nodes) ids.push_back(node.at("id"));
    return ids;
}

void awaitNodes(const Daemon& daemon, const Names& ids) {
    const auto deadline = Clock::now() + patience();
    while (idsOf(daemon.ask("nodes")) != ids) REQUIRE(Clock::now() < deadline);
}

struct Hosts {
    explicit Hosts(const std::string& onAlpha = openChannels,
                   const std::string& onBeta = openChannels)
        : alpha(hostConfig("alpha", onAlpha)), beta(hostConfig("beta", onBeta)) {
        for (const Daemon* daemon : {&alpha, &beta}) {
            const auto deadline = Clock::now() + patience();
            while (daemon->ask("hosts").size() != 2) REQUIRE(Clock::now() < deadline);
        }
    }
    Daemon alpha;
    Daemon beta;
};

std::uint64_t refusedOn(const Daemon& daemon, const std::string& channel) {
    return daemon.ask("stats").at("channels").at(channel).at("refused");
}

/// Sends the same again and again, as much as the daemon takes, without waiting for it.
class Flood {
  public:
    Flood(const std::string& socket, std::string packets)
        : client_(socket), packets_(std::move(packets)) {}
    void pour() {
        for (;;) {
            if (at_ == packets_.size()) at_ = 0, ++rounds_;
            const std::size_t sent =
                client_.connection().sendSome(std::string_view(packets_).substr(at_));
            if (sent == 0) return;
            at_ += sent;
            // Its answers are of no interest; a client that does not read would be slow as well.
            while (client_.connection().readable(std::chrono::milliseconds(0))) {
                waste_.clear();
                if (!client_.connection().receive(waste_)) return;
            }
        }
    }
    std::size_t rounds() const { return rounds_; }

  private:
    JsonListener client_;
    std::string packets_;
    std::string waste_;
    std::size_t at_ = 0;
    std::size_t rounds_ = 0;
};

// A tenth of this when the machine has nothing else to do.
const std::chrono::milliseconds longest = 2000 * slowness() * std::chrono::milliseconds(1);

/// The longest that an event of these two took while the flood is on.
std::chrono::milliseconds slowest(Client& from, Client& to, Flood& flood, int times) {
    std::chrono::milliseconds most{0};
    for (int n = 0; n < times; ++n) {
        flood.pour();
        const auto sent = Clock::now();
        from.emit("tick", std::to_string(n));
        CHECK(hear(to, "tick") == n);
        most = std::max(most,
                        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - sent));
    }
    return most;
}

}  // namespace

TEST_CASE("an address never takes an event farther than the rules do") {
    Hosts hosts(
        R"({"control": {}, "A": {"propagatetochannels": "^B$", "propagatetonet": "public.*"},
                    "B": {}, "C": {"propagatetonet": true, "allowbroadcast": false}})",
        R"({"control": {}, "A": {"acceptfromnet": "public-a.*"}, "B": {}, "C": {}})");
    BinaryClient fromA(hosts.alpha.socket("A"));
    BinaryClient fromC(hosts.alpha.socket("C"));
    BinaryClient a(hosts.alpha.socket("A"));
    BinaryClient b(hosts.alpha.socket("B"));
    BinaryClient c(hosts.alpha.socket("C"));
    BinaryClient farA(hosts.beta.socket("A"));
    BinaryClient farB(hosts.beta.socket("B"));
    BinaryClient farC(hosts.beta.socket("C"));
    beNode(a, "a");
    beNode(b, "b");
    beNode(c, "c");
    beNode(farA, "fara");
    beNode(farB, "farb");
    beNode(farC, "farc");
    for (const Daemon* daemon : {&hosts.alpha, &hosts.beta}) {
        awaitNodes(*daemon, {"a", "b", "c", "fara", "farb", "farc"});
    }
    for (const char* to : {"*", "a:b:c:fara:farb:farc", "!nobody"}) {
        CAPTURE(to);
        fromA.emit("private", "1", EmitWith{.to = to});
        fromA.emit("public-a", "1", EmitWith{.to = to});
        fromA.emit("public-b", "1", EmitWith{.to = to});
        fromA.emit("public-a-host", "1", EmitWith{.hostOnly = true, .to = to});
        fromC.emit("all", "1", EmitWith{.broadcast = true, .to = to});
        fromA.emit("public-a-fence");
        fromC.emit("public-c-fence");
        const Names fromAll{"private", "public-a", "public-b", "public-a-host"};
        CHECK(a.eventsUntil("public-a-fence") == fromAll);
        CHECK(b.eventsUntil("public-a-fence") == fromAll);
        CHECK(c.eventsUntil("public-c-fence") == Names{"all"});
        CHECK(farA.eventsUntil("public-a-fence") == Names{"public-a"});
        CHECK(farC.eventsUntil("public-c-fence") == Names{"all"});
    }
    // And nobody else's channel heard of any of it.
    BinaryClient onB(hosts.beta.socket("B"), {});
    onB.emit("fence");
    CHECK(farB.eventsUntil("fence").empty());
}

TEST_CASE("only daemons tell each other of nodes") {
    Hosts hosts;
    BinaryClient node(hosts.alpha.socket("A"));
    beNode(node, "web");
    for (const Daemon* daemon : {&hosts.alpha, &hosts.beta}) awaitNodes(*daemon, {"web"});
    const std::string alphasId = hosts.alpha.ask("node", "web").at("host");
    const Json gone{{"host", alphasId}, {"serial", 2}, {"gone", "web"}};
    for (const Encoding encoding : bothEncodings) {
        CAPTURE(nameOf(encoding));
        auto liar = connect(encoding, hosts.alpha.socket("A"));
        const auto before = refusedOn(hosts.alpha, "A");
        for (const char* name : {"nc-node", "nc-nodes", "nc-nodes-wanted", "nc-node-online",
                                 "nc-node-expired", "nc-node-later"}) {
            liar->emit(name, gone.dump());
            liar->emit(name, gone.dump(), EmitWith{.broadcast = true, .to = "*"});
        }
        beNode(*liar, "fence");
        CHECK(refusedOn(hosts.alpha, "A") == before + 12);
        CHECK(request(*liar, "nc-node-unregister", "fence") == Json{{"id", "fence"}});
        // What it says of stats is of its own nodes: it has none, and cannot say whose they are.
        CHECK(request(*liar, "nc-node-stats", {{"host", alphasId}, {"stats", {{"web", gone}}}})
                  .contains("error"));
    }
    JsonListener control(hosts.alpha.socket("control"));
    control.emit("nc-node", gone.dump());
    CHECK(hear(control, "nc-control-error").contains("error"));
    for (const Daemon* daemon : {&hosts.alpha, &hosts.beta}) awaitNodes(*daemon, {"web"});
}

TEST_CASE("a client that registers without end is slowed down, and nobody else is") {
    Hosts hosts;
    JsonListener onBeta(hosts.beta.socket("control"));
    BinaryClient emitter(hosts.alpha.socket("A"), {});
    BinaryClient listener(hosts.alpha.socket("A"), {"tick"}, netcluster::wire::noticesCapability);
    BinaryClient farListener(hosts.beta.socket("A"), {"tick"});
    BinaryClient first(hosts.alpha.socket("A"), {});
    beNode(first, "first");
    awaitNodes(hosts.beta, {"first"});  // from now on it is told of each change
    const auto begin = Clock::now();
    {
        std::string packets;
        for (int n = 0; n < 50; ++n) {
            const std::string id = "n" + std::to_string(n);
            packets += packetText("nc-node-register", Json{{"id", id}}.dump());
            packets += packetText("nc-node-unregister", Json(id).dump());
        }
        Flood flood(hosts.alpha.socket("A"), packets);
        const auto most = slowest(emitter, listener, flood, 100);
        MESSAGE("an event took ", most.count(), " ms at most");
        CHECK(most < longest);
        for (int n = 0; n < 100; ++n) CHECK(hear(farListener, "tick") == n);
    }
    BinaryClient other(hosts.alpha.socket("A"));
    beNode(other, "other");
    std::size_t changes = 0;
    for (Heard heard = onBeta.nextEvent(); heard.data.find("\"other\"") == std::string::npos;
         heard = onBeta.nextEvent()) {
        ++changes;
    }
    const std::chrono::duration<double> took = Clock::now() - begin;
    CHECK(changes > 100);
    CHECK(static_cast<double>(changes) < 1200 + 300 * took.count());
    CHECK(hosts.beta.ask("stats").at("link").at("gaps").at("events") == 0);
}

TEST_CASE("addresses as long as can be, of as many nodes as can be, hold nobody up") {
    Daemon daemon(localConfig(R"("A": {}, "B": {})"));
    const std::string regions = [] {
        Json list = Json::array();
        for (int n = 0; n < 20; ++n) list.push_back("r" + std::to_string(n));
        return list.dump();
    }();
    std::vector<std::unique_ptr<JsonListener>> clients;
    for (int n = 0; n < 1024; ++n) {
        if (n % 256 == 0) {
            clients.push_back(std::make_unique<JsonListener>(daemon.socket("B")));
        }
        clients.back()->emit("nc-node-register", R"({"id": "n)" + std::to_string(n) +
                                                     R"(", "regions": )" + regions + "}");
        if (n % 256 == 255) {
            while (hear(*clients.back(), "nc-node-register-response").at("id") !=
                   "n" + std::to_string(n)) {
            }
        }
    }
    CHECK(daemon.ask("nodes", "r19 & !n7").size() == 1023);
    std::string packets;
    for (int n = 0; n < 100; ++n) {  // more than are remembered
        std::string to = "x" + std::to_string(n);
        for (int m = 0; to.size() < 1019; ++m) to += "|!r" + std::to_string(m % 20);
        std::string packet = packetText("flood");
        packet.insert(packet.size() - 2, ",\"to\":\"" + to + '"');
        packets += packet;
    }
    BinaryClient emitter(daemon.socket("A"), {});
    BinaryClient listener(daemon.socket("A"), {"tick"});
    Flood flood(daemon.socket("B"), packets);
    const auto most = slowest(emitter, listener, flood, 50);
    MESSAGE("an event took ", most.count(), " ms at most");
    CHECK(most < longest);
    CHECK(flood.rounds() > 0);
}

TEST_CASE("what control shows of nodes, with a link and without") {
    Daemon daemon(localConfig(R"("A": {}, "B": {})"));
    CHECK(daemon.ask("nodes") == Json::array());
    BinaryClient web(daemon.socket("A"));
    JsonListener db(daemon.socket("B"));
    const Json said{{"id", "web-1"},
                    {"regions", {"eu"}},
                    {"services", {{{"name", "http"}, {"port", 80}}}},
                    {"info", {{"disk", "ssd"}}}};
    request(web, "nc-node-register", said);
    beNode(db, "db");
    web.emit("nc-node-stats", R"({"load": 0.5})");
    web.sync();

    CHECK(idsOf(daemon.ask("nodes")) == Names{"db", "web-1"});
    CHECK(idsOf(daemon.ask("nodes", "eu")) == Names{"web-1"});
    CHECK(idsOf(daemon.ask("nodes", "!disk=ssd")) == Names{"db"});
    CHECK(daemon.ask("nodes", "nobody") == Json::array());
    const Json node = daemon.ask("node", "web-1");
    CHECK(node == daemon.ask("nodes", "eu")
                      .at(0)
                      .patch(Json::array(
                          {{{"op", "replace"}, {"path", "/age"}, {"value", node.at("age")}}})));
    for (const auto& [key, value] : said.items()) CHECK(node.at(key) == value);
    CHECK(node.at("client") == web.uuid());
    CHECK(node.at("self") == true);
    CHECK(node.at("channel") == "A");
    CHECK(node.at("stats") == Json{{"load", 0.5}});
    CHECK(node.at("age") < 600'000);

    const std::pair<Json, std::string> wrong[] = {
        {"web1", "there is no node \"web1\"; did you mean \"web-1\"?"},
        {"eu", "there is no node \"eu\"; it is a region of 1 node"},
        {"something else", "there is no node \"something else\""},
        {7, "node takes the id of a node"}};
    for (const auto& [id, why] : wrong) CHECK(daemon.ask("node", id).at("error") == why);
    CHECK(daemon.ask("nodes", "a b").at("error") == "\"a b\" is no target: unexpected at byte 3");
    CHECK(daemon.ask("nodes", "").contains("error"));
    CHECK(daemon.ask("nodes", 7).at("error") == "nodes takes a target, or nothing");
}

TEST_CASE("a host that is given another name by a reload tells it of its nodes") {
    Hosts hosts;
    JsonListener onAlpha(hosts.alpha.socket("control"));
    BinaryClient node(hosts.alpha.socket("A"));
    beNode(node, "web");
    awaitNodes(hosts.beta, {"web"});
    hosts.alpha.rewriteConfig(hostConfig("renamed"));
    CHECK(hosts.alpha.ask("reloadconfig").at("status") == "done");
    CHECK(hear(onAlpha, "nc-node-changed").at("hostname") == "renamed");
    for (const Daemon* daemon : {&hosts.alpha, &hosts.beta}) {
        const auto deadline = Clock::now() + patience();
        while (daemon->ask("nodes", "host=renamed").size() != 1) REQUIRE(Clock::now() < deadline);
    }
    BinaryClient emitter(hosts.beta.socket("A"));
    emitter.emit("hello", "1", EmitWith{.to = "host=renamed"});
    CHECK(node.nextEvent().event == "hello");
}
