// Hosts that do not all hear each other, with relays between them: star, ring, master-ring-slave
// and full mesh of five. The hosts are daemons of this machine that name each other as unicast
// peers on its loopback interface, each with a port of its own.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <numeric>
#include <set>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;
using Names = std::vector<std::string>;

constexpr std::size_t hostCount = 5;
constexpr int heartbeat = 100;

// Ports of this test run's own, below those that the system gives out.
unsigned portOf(std::size_t host) {
    return 10'000 + static_cast<unsigned>(getpid()) * 8 % 20'000 + static_cast<unsigned>(host);
}

std::string nameOf(std::size_t host) {
    return "host" + std::to_string(host);
}

std::string configOf(std::size_t host, const Pairs& links, bool relay) {
    Json peers = Json::array();
    for (const auto& [one, other] : links) {
        if (one != host && other != host) continue;
        peers.push_back("127.0.0.1:" + std::to_string(portOf(one == host ? other : one)));
    }
    return Json{{"name", nameOf(host)},
                {"addr", ""},
                {"port", portOf(host)},
                {"peers", peers},
                {"relay", relay},
                {"heartbeat", heartbeat},
                {"channels", {{"control", Json::object()}, {"A", {{"propagatetonet", true}}}}}}
        .dump();
}

/// Daemons that know of each other, and on each a client that hears what comes and one that emits.
struct Topology {
    explicit Topology(const Pairs& links, const std::set<std::size_t>& relays) {
        for (std::size_t host = 0; host < hostCount; ++host) {
            hosts.push_back(std::make_unique<Daemon>(configOf(host, links, relays.contains(host))));
        }
        for (const auto& host : hosts) awaitHosts(*host, hostCount);
        for (const auto& host : hosts) {
            listeners.push_back(std::make_unique<BinaryClient>(host->socket("A")));
            emitters.push_back(std::make_unique<BinaryClient>(host->socket("A")));
        }
    }

    static void awaitHosts(const Daemon& host, std::size_t count) {
        const auto deadline = Clock::now() + patience();
        while (online(host).size() != count) REQUIRE(Clock::now() < deadline);
    }
    static std::set<std::string> online(const Daemon& host) {
        std::set<std::string> names;
        for (const Json& other : host.ask("hosts")) {
            if (other.value("online", false)) names.insert(other.at("name"));
        }
        return names;
    }
    Json relayStats(std::size_t host) const { return hosts[host]->ask("stats")["link"]["relay"]; }

    /// Every host of `who` emits `count` events; then a fence each, so that whoever has heard all
    /// fences has heard all that comes by the same way.
    void emitFrom(const std::vector<std::size_t>& who, int count) {
        for (int i = 0; i < count; ++i) {
            for (const std::size_t host : who) {
                emitters[host]->emit("event", std::to_string(i));
            }
        }
        for (const std::size_t host : who) emitters[host]->emit("fence");
    }
    /// What this host's listener hears of each other one up to the fences, in order.
    std::map<std::string, std::vector<int>> hearFences(std::size_t host, std::size_t fences) {
        std::map<std::string, std::vector<int>> heard;
        while (fences > 0) {
            const Heard next = listeners[host]->nextEvent();
            if (next.event == "fence") {
                --fences;
            } else {
                heard[next.host].push_back(Json::parse(next.data).get<int>());
            }
        }
        return heard;
    }

    std::vector<std::unique_ptr<Daemon>> hosts;
    std::vector<std::unique_ptr<BinaryClient>> listeners;
    std::vector<std::unique_ptr<BinaryClient>> emitters;
};

std::vector<int> countedTo(int count) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

const std::vector<std::size_t> everybody{0, 1, 2, 3, 4};

/// Each of `who` emits; each hears what all others emitted, once, in order, under the name of the
/// host that emitted it. Twice, so that a copy that comes late is seen as well.
void checkEachHearsAll(Topology& all, const std::vector<std::size_t>& who, int count) {
    for (int round = 0; round < 2; ++round) {
        all.emitFrom(who, count);
        for (const std::size_t host : who) {
            // The listener hears the emitter of its own host, too.
            const auto heard = all.hearFences(host, who.size());
            for (const std::size_t other : who) {
                const std::string name = other == host ? "" : nameOf(other);
                CAPTURE(host);
                CAPTURE(name);
                REQUIRE(heard.contains(name));
                CHECK(heard.at(name) == countedTo(count));
            }
            CHECK(heard.size() == who.size());
        }
    }
}

Json hear(Client& client, const std::string& event) {
    for (;;) {
        const Heard heard = client.nextEvent();
        if (heard.event == event) return Json::parse(heard.data);
    }
}

/// A node on each host; every host is told of all, and an event for one reaches it from everywhere,
/// as does the answer to whoever asked.
void checkNodes(Topology& all) {
    std::vector<std::unique_ptr<JsonListener>> controls;
    std::vector<std::unique_ptr<JsonListener>> nodes;
    for (const auto& host : all.hosts) {
        controls.push_back(std::make_unique<JsonListener>(host->socket("control")));
    }
    for (std::size_t host = 0; host < hostCount; ++host) {
        nodes.push_back(std::make_unique<JsonListener>(all.hosts[host]->socket("A")));
        nodes[host]->emit("nc-node-register", Json{{"id", "node" + std::to_string(host)}}.dump());
    }
    for (const auto& control : controls) {
        std::set<std::string> known;
        while (known.size() != hostCount) known.insert(hear(*control, "nc-node-online").at("id"));
    }
    for (std::size_t from = 0; from < hostCount; ++from) {
        for (std::size_t to = 0; to < hostCount; ++to) {
            if (from == to) continue;
            all.emitters[from]->emit("task", std::to_string(from),
                                     EmitWith{.to = "node" + std::to_string(to), .id = "7"});
        }
    }
    for (std::size_t to = 0; to < hostCount; ++to) {
        std::set<std::string> asked;
        while (asked.size() != hostCount - 1) {
            const Heard heard = nodes[to]->nextEvent();
            if (heard.event != "task") continue;
            CHECK(asked.insert(heard.data).second);
            nodes[to]->emit("reply", std::to_string(to),
                            EmitWith{.to = "client=" + heard.sender, .id = heard.id});
        }
    }
    for (std::size_t from = 0; from < hostCount; ++from) {
        std::set<std::string> answered;
        while (answered.size() != hostCount - 1) {
            const Heard heard = all.emitters[from]->nextEvent();
            if (heard.event == "reply") CHECK(answered.insert(heard.data).second);
        }
    }
}

const Pairs star{{0, 1}, {0, 2}, {0, 3}, {0, 4}};
const Pairs ring{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 0}};
// A master that belongs to a ring of three, one of which has a slave.
const Pairs masterRingSlave{{0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4}};
const Pairs mesh{{0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 2}, {1, 3}, {1, 4}, {2, 3}, {2, 4}, {3, 4}};

}  // namespace

TEST_CASE("a star: the hub is a relay, and each host hears all others once") {
    Topology all(star, {0});
    checkEachHearsAll(all, everybody, 200);
    checkNodes(all);
    for (const Json& host : all.hosts[1]->ask("hosts")) {
        const bool far = host.at("name") == "host2" || host.at("name") == "host3";
        CHECK((host.value("via", "") == "host0") == (far || host.at("name") == "host4"));
    }
}

TEST_CASE("a ring of relays: two ways to each host, and every event comes once") {
    Topology all(ring, {0, 1, 2, 3, 4});
    checkEachHearsAll(all, everybody, 200);
    checkNodes(all);
    CHECK(all.relayStats(0).at("duplicates") > 0);
    CHECK(all.relayStats(0).at("hoplimit") == 0);
}

TEST_CASE("master, ring, slave: a line into a ring and out of it") {
    Topology all(masterRingSlave, {1, 2, 3});
    checkEachHearsAll(all, everybody, 200);
    checkNodes(all);
}

TEST_CASE("a full mesh of relays: everybody hears everybody, so nothing is passed on") {
    Topology all(mesh, {0, 1, 2, 3, 4});
    checkEachHearsAll(all, everybody, 200);
    checkNodes(all);
    const Json before = all.relayStats(0);
    all.emitFrom({1}, 100);
    all.hearFences(0, 1);
    CHECK(all.relayStats(0).at("forwarded") == before.at("forwarded"));
}
