// Hosts that do not all hear each other, with relays between them: star, ring, master-ring-slave
// and full mesh of five. The hosts are daemons of this machine that name each other as unicast
// peers on its loopback interface, each with a port of its own.
#include <doctest/doctest.h>
#include <sys/stat.h>
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
constexpr int heartbeatsMissed = 5;

// Ports of this test run's own, below those that the system gives out.
unsigned portOf(std::size_t host) {
    return 10'000 + static_cast<unsigned>(getpid()) * 8 % 20'000 + static_cast<unsigned>(host);
}

std::string nameOf(std::size_t host) {
    return "host" + std::to_string(host);
}

using Rules = std::map<std::size_t, Json>;

const Json toNet{{"propagatetonet", true}};

std::string configOf(std::size_t host, const Pairs& links, bool relay, const std::string& keys,
                     const Json& rules) {
    Json peers = Json::array();
    for (const auto& [one, other] : links) {
        if (one != host && other != host) continue;
        peers.push_back("127.0.0.1:" + std::to_string(portOf(one == host ? other : one)));
    }
    Json config{{"name", nameOf(host)},
                {"addr", ""},
                {"port", portOf(host)},
                {"peers", peers},
                {"relay", relay},
                {"heartbeat", heartbeat},
                {"channels", {{"control", Json::object()}, {"A", rules}}}};
    if (!keys.empty()) config["netkeyfile"] = keys;
    return config.dump();
}

/// Daemons that know of each other, and on each a client that hears what comes and one that emits.
struct Topology {
    explicit Topology(const Pairs& links, const std::set<std::size_t>& relays,
                      const std::string& keys = "", const Rules& rules = {}) {
        for (std::size_t host = 0; host < hostCount; ++host) {
            const auto own = rules.find(host);
            hosts.push_back(
                std::make_unique<Daemon>(configOf(host, links, relays.contains(host), keys,
                                                  own == rules.end() ? toNet : own->second)));
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
    void emitFrom(const std::vector<std::size_t>& who, int count, const EmitWith& how = {}) {
        for (int i = 0; i < count; ++i) {
            for (const std::size_t host : who) {
                emitters[host]->emit("event", std::to_string(i), how);
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

TEST_CASE("the rules of the ends decide, not those of the relay between them") {
    Topology all(star, {0}, "",
                 {{0, {{"propagatetonet", false}, {"acceptfromnet", false}}},
                  {1, {{"propagatetonet", "public.*|fence"}}},
                  {2, {{"acceptfromnet", "public\\.a|fence"}}}});
    for (const char* event : {"secret", "public.a", "public.b", "fence"})
        all.emitters[1]->emit(event);
    const auto heardBy = [&](std::size_t host) {
        Names heard;
        while (heard.empty() || heard.back() != "fence")
            heard.push_back(all.listeners[host]->nextEvent().event);
        return heard;
    };
    CHECK(heardBy(2) == Names{"public.a", "fence"});
    CHECK(heardBy(3) == Names{"public.a", "public.b", "fence"});
    // Nothing came to the relay's own clients before this.
    all.emitters[0]->emit("fence");
    CHECK(heardBy(0) == Names{"fence"});
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

TEST_CASE("a host of a ring dies: the others reach each other the other way round") {
    Topology all(ring, {0, 1, 2, 3, 4});
    checkNodes(all);
    JsonListener node(all.hosts[3]->socket("A"));
    JsonListener control(all.hosts[1]->socket("control"));
    node.emit("nc-node-register", Json{{"id", "doomed"}}.dump());
    while (hear(control, "nc-node-online").at("id") != "doomed") continue;

    const auto stopped = Clock::now();
    all.hosts[3]->process().signal(SIGSTOP);
    const Json expired = hear(control, "nc-node-expired");
    const auto took = Clock::now() - stopped;
    CHECK(expired.at("id") == "doomed");
    CHECK(expired.at("why") == "host");
    INFO("after ", std::chrono::duration<double>(took).count() * 1000 / heartbeat, " heartbeats");
    // With one relay between, as docs/link-protocol.md says; and what this machine takes.
    CHECK(took <
          (heartbeatsMissed + 1 + 2) * std::chrono::milliseconds(heartbeat) + patience() / 4);
    const std::vector<std::size_t> rest{0, 1, 2, 4};
    for (const std::size_t host : rest) Topology::awaitHosts(*all.hosts[host], hostCount - 1);
    checkEachHearsAll(all, rest, 100);

    all.hosts[3]->process().signal(SIGCONT);
    for (const auto& host : all.hosts) Topology::awaitHosts(*host, hostCount);
    while (hear(control, "nc-node-online").at("id") != "doomed") continue;
}

TEST_CASE("a host that says goodbye is gone at once, however far away") {
    Topology all(ring, {0, 1, 2, 3, 4});
    JsonListener control(all.hosts[1]->socket("control"));
    all.emitters[3].reset();
    all.listeners[3].reset();
    const std::string id = all.hosts[3]->ask("hosts").at(0).at("id");
    all.hosts[3].reset();
    const Json expired = hear(control, "nc-host-expired");
    CHECK(expired.at("id") == id);
    CHECK(expired.at("why") == "goodbye");
    const Json hosts = all.hosts[1]->ask("hosts");
    const auto gone = std::find_if(hosts.begin(), hosts.end(),
                                   [&](const Json& host) { return host.at("id") == id; });
    REQUIRE(gone != hosts.end());
    CHECK(gone->at("online") == false);
    CHECK(gone->contains("via"));
}

TEST_CASE("a flood goes round a ring once, whole and in order") {
    Topology all(ring, {0, 1, 2, 3, 4});
    constexpr int count = 20'000;
    const auto linkStats = [&] {
        std::vector<Json> stats;
        for (const auto& host : all.hosts) stats.push_back(host->ask("stats")["link"]);
        return stats;
    };
    const std::vector<Json> before = linkStats();
    // Of 1 KB each: more than all queues on the way hold.
    std::thread emitting([&] { all.emitFrom({0}, count, EmitWith{.id = std::string(1000, 'x')}); });
    // All at once, so that none falls behind.
    std::map<std::size_t, std::vector<int>> heard;
    std::vector<std::thread> hearing;
    for (const std::size_t host : {1u, 2u, 3u, 4u}) {
        std::vector<int>& numbers = heard[host];
        hearing.emplace_back([&all, &numbers, host] {
            try {
                numbers = all.hearFences(host, 1)["host0"];
            } catch (const std::exception& error) {
                std::fprintf(stderr, "host%zu: %s\n", host, error.what());
            }
        });
    }
    emitting.join();
    for (std::thread& thread : hearing) thread.join();
    for (const auto& [host, numbers] : heard) {
        CAPTURE(host);
        CHECK(numbers == countedTo(count));
    }
    const std::vector<Json> after = linkStats();
    const auto grew = [&](std::size_t host, const char* what, const char* which) {
        return after[host][what][which].get<int>() - before[host][what][which].get<int>();
    };
    // Beside the flood there are signs of life, and what daemons tell each other of nodes.
    constexpr int others = 500;
    const int datagrams = grew(0, "sent", "datagrams");
    for (const std::size_t host : everybody) {
        CAPTURE(host);
        CHECK(grew(host, "relay", "forwarded") <= (host == 0 ? 0 : count) + others);
        CHECK(grew(host, "sent", "datagrams") <= datagrams * 3 / 2 + others);
        CHECK(grew(host, "sent", "dropped") == 0);
        CHECK(grew(host, "relay", "hoplimit") == 0);
    }
}

TEST_CASE("with keys each hop proves itself, and what goes through is the same") {
    const Scratch place;
    const std::string keys = place.write(
        "netkeys.json", R"([{"id": 1, "key": ")" + std::string(43, 'A') + R"(=", "use": "tx"}])");
    REQUIRE(::chmod(keys.c_str(), 0600) == 0);
    Topology all(star, {0}, keys);
    checkEachHearsAll(all, everybody, 50);
    checkNodes(all);
}
