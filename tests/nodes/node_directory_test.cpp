#include "node_directory.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <netcluster/control.hpp>
#include <random>

using namespace netcluster;
using namespace netcluster::daemon;
using nlohmann::json;

namespace {

wire::Uuid uuid(int number) {
    wire::Uuid made{};
    made.fill(static_cast<std::uint8_t>(number));
    made[0] = static_cast<std::uint8_t>(number >> 8);
    return made;
}

NodeDescription described(const std::string& id, std::vector<std::string> regions = {}) {
    NodeDescription said;
    said.id = id;
    said.regions = std::move(regions);
    return said;
}

/// A daemon, as far as nodes go: its directory, what its clients heard, what waits for the link.
class Host final : public NodeEvents {
  public:
    explicit Host(int number)
        : id(uuid(number)), directory(id, "h" + std::to_string(number), *this) {}

    void onNodeOnline(const Node& node) override {
        said += '+' + node.said.id + ' ';
        CHECK(clientsView.emplace(node.said.id, node).second);
    }
    void onNodeChanged(const Node& node) override {
        said += '~' + node.said.id + ' ';
        CHECK(clientsView.contains(node.said.id));
        clientsView[node.said.id] = node;
    }
    void onNodeExpired(const Node& node, std::string_view why) override {
        if (node.host == id) ownLost.insert(std::string(why));
        said += '-' + node.said.id + ':' + std::string(why) + ' ';
        CHECK(clientsView.erase(node.said.id) == 1);
    }
    void onNodeRefused(const Node& node, const Node& winner) override {
        said += '!' + node.said.id + ':' + winner.hostName + ' ';
    }
    void onStats(const json& stats) override {
        said += "#" + stats.dump() + ' ';
        for (const auto& [node, ignored] : stats.items()) CHECK(clientsView.contains(node));
    }
    void tellHosts(std::string_view event, const json& data) override {
        outgoing.emplace_back(std::string(event), data);
    }

    std::string heard() { return std::exchange(said, {}); }
    std::string add(const std::string& node, int client = 1, std::int64_t now = 1000) {
        return directory.add(uuid(client), described(node), now);
    }

    const wire::Uuid id;
    NodeDirectory directory;
    std::string said;
    std::set<std::string> ownLost;            ///< why nodes of its own went
    std::map<std::string, Node> clientsView;  ///< what a client makes of what it is told
    std::deque<std::pair<std::string, json>> outgoing;
};

/// Hosts that hear each other, each other's events in order.
struct Lan {
    explicit Lan(int count) {
        for (int n = 1; n <= count; ++n) hosts.push_back(std::make_unique<Host>(n));
        for (const auto& host : hosts) {
            for (const auto& other : hosts) {
                if (host != other) host->directory.onHostOnline(other->id);
            }
        }
        settle();
    }

    Host& operator[](int number) { return *hosts.at(static_cast<std::size_t>(number - 1)); }

    /// The oldest event of a host arrives at all others, but for those that lose it.
    void carry(Host& from, const std::function<bool(Host&)>& loses = {}) {
        if (from.outgoing.empty()) return;
        const auto [event, data] = from.outgoing.front();
        from.outgoing.pop_front();
        for (const auto& to : hosts) {
            if (to.get() == &from) continue;
            if (loses && loses(*to)) {
                to->directory.onHostGap(from.id);
            } else {
                CHECK(to->directory.onHostEvent(event, data) == "");
            }
        }
    }

    void settle() {
        for (bool busy = true; busy;) {
            busy = false;
            for (const auto& host : hosts) {
                if (host->directory.asked()) host->directory.answer();
                busy = busy || !host->outgoing.empty();
                carry(*host);
            }
        }
    }

    std::vector<std::unique_ptr<Host>> hosts;
};

std::string names(const NodeDirectory& directory) {
    std::string all;
    for (const auto& [id, node] : directory.all()) all += id + '@' + node.hostName + ' ';
    return all;
}

}  // namespace

TEST_CASE("a node is known at home at once, elsewhere when told, and gone with its client") {
    Lan lan(2);
    CHECK(lan[1].add("web") == "");
    CHECK(lan[1].heard() == "+web ");
    CHECK(lan[2].heard() == "");
    lan.settle();
    CHECK(lan[2].heard() == "+web ");
    CHECK(lan[2].directory.find("web")->hostName == "h1");

    CHECK(lan[1].add("db") == "");
    lan[1].directory.removeClient(uuid(1));
    CHECK(lan[1].heard() == "+db -db:disconnected -web:disconnected ");
    lan.settle();
    CHECK(lan[2].heard() == "+db -db:disconnected -web:disconnected ");
    CHECK(lan[1].directory.ofClient(uuid(1)) == nullptr);
}

TEST_CASE("a node may say something else of itself; the same again is no news") {
    Lan lan(2);
    lan[1].add("web");
    CHECK(lan[1].directory.add(uuid(1), described("web", {"eu"}), 2000) == "");
    CHECK(lan[1].directory.add(uuid(1), described("web", {"eu"}), 3000) == "");
    lan.settle();
    CHECK(lan[1].heard() == "+web ~web ");
    CHECK(lan[2].heard() == "+web ~web ");
    CHECK(lan[2].directory.find("web")->isNamed("eu"));
    CHECK(lan[2].directory.find("web")->since == 1000);
}

TEST_CASE("only its own client takes a node away") {
    Lan lan(1);
    lan[1].add("web", 1);
    CHECK_FALSE(lan[1].directory.remove(uuid(2), "web"));
    CHECK_FALSE(lan[1].directory.remove(uuid(1), "db"));
    CHECK(lan[1].directory.remove(uuid(1), "web"));
    CHECK(lan[1].heard() == "+web -web:unregistered ");
}

TEST_CASE("an id that is taken is refused, whoever has it") {
    Lan lan(2);
    lan[1].add("web", 1);
    CHECK(lan[1].add("web", 2) == "there is a node web of another client of this host");
    lan.settle();
    CHECK(lan[2].add("web", 1) == "there is a node web on host h1");
    lan[1].directory.remove(uuid(1), "web");
    lan.settle();
    CHECK(lan[2].add("web", 1) == "");
}

TEST_CASE("two that register at once: the earlier stays, on all hosts; the other is told") {
    Lan lan(3);
    CHECK(lan[1].add("web", 1, 2000) == "");
    CHECK(lan[2].add("web", 1, 1000) == "");
    lan.settle();
    for (int n = 1; n <= 3; ++n) CHECK(names(lan[n].directory) == "web@h2 ");
    CHECK(lan[1].heard() == "+web !web:h2 -web:refused +web ");
    CHECK(lan[2].heard() == "+web ");

    CHECK(lan[1].add("db", 1, 3000) == "");
    CHECK(lan[3].add("db", 1, 3000) == "");
    lan.settle();
    for (int n = 1; n <= 3; ++n) CHECK(names(lan[n].directory) == "db@h1 web@h2 ");
}

TEST_CASE("who comes late asks, and is told all; an expired host takes its nodes along") {
    Lan lan(2);
    lan[1].add("web");
    lan[1].add("db");
    lan[1].outgoing.clear();  // nobody was there to hear it
    lan[2].directory.onHostOnline(lan[1].id);
    lan.settle();
    CHECK(lan[2].heard() == "+db +web ");
    lan[2].directory.onHostExpired(lan[1].id);
    CHECK(lan[2].heard() == "-db:host -web:host ");

    // It is back: what it lost meanwhile is not there any more, the rest is again.
    lan[1].directory.remove(uuid(1), "db");
    lan[2].directory.onHostOnline(lan[1].id);
    lan.settle();
    CHECK(lan[2].heard() == "+web ");
}

TEST_CASE(
    "of a host that has our own identity nothing is taken, and nothing of ours goes with it") {
    Lan lan(1);
    Host& host = lan[1];
    CHECK(host.add("web", 1, 1000) == "");
    host.outgoing.clear();
    host.heard();
    host.directory.onHostOnline(host.id);
    CHECK(host.outgoing.empty());  // it is not asked
    CHECK_FALSE(host.directory.waits());

    const auto node = [&](const std::string& id) {
        return json{{"id", id}, {"host", wire::uuidText(host.id)}, {"hostname", "h"}, {"since", 1}};
    };
    const auto tell = [&](std::string_view event, json more) {
        more["host"] = wire::uuidText(host.id);
        CHECK(host.directory.onHostEvent(event, more) == "");
    };
    tell(control::allNodes, {{"serial", 1}, {"nodes", {node("web"), node("db")}}});
    tell(control::nodeChange, {{"serial", 2}, {"node", node("other")}});
    tell(control::nodeChange, {{"serial", 3}, {"gone", "web"}, {"why", "unregistered"}});
    tell(control::nodeChange, {{"serial", 4}, {"gone", "db"}, {"why", "unregistered"}});
    tell(control::nodeStats, {{"stats", {{"web", {{"load", 1}}}}}});
    host.directory.onHostGap(host.id);
    host.directory.onHostExpired(host.id);
    CHECK(host.heard() == "");
    CHECK(names(host.directory) == "web@h1 ");
    CHECK(host.directory.textElsewhere() == 0);
    CHECK(host.outgoing.empty());
    // What it asks is asked of us as well.
    tell(control::nodesWanted, json::object());
    CHECK(host.directory.asked());
}

TEST_CASE("a question that gets lost is asked again; many askers are answered once") {
    Lan lan(3);
    lan[1].add("web");
    lan[1].outgoing.clear();
    for (int n : {2, 3}) {
        lan[n].directory.onHostOnline(lan[1].id);
        lan[n].outgoing.clear();
        lan[n].directory.askAgain();
        lan.carry(lan[n]);
    }
    CHECK(lan[1].directory.asked());
    lan[1].directory.answer();
    CHECK_FALSE(lan[1].directory.asked());
    CHECK(lan[1].outgoing.size() == 1);
    lan.settle();
    CHECK(lan[2].heard() == "+web ");
    CHECK(lan[3].heard() == "+web ");
    lan[2].directory.askAgain();
    CHECK(lan[2].outgoing.empty());
}

TEST_CASE("a change that was missed is noticed by the next one") {
    Lan lan(2);
    lan[1].add("lost");
    lan[1].outgoing.clear();
    lan[1].add("web");
    lan.settle();
    CHECK(names(lan[2].directory) == "lost@h1 web@h1 ");
}

TEST_CASE("there is an end to how many nodes there are and to what they say") {
    Lan lan(1);
    for (std::size_t n = 0; n < maxNodesOfClient; ++n) {
        REQUIRE(lan[1].add("n" + std::to_string(n)) == "");
    }
    CHECK(lan[1].add("more") == "more than 256 nodes of one client");
    CHECK(lan[1].add("n0") == "");
    for (std::size_t n = maxNodesOfClient; n < maxNodesOfHost; ++n) {
        REQUIRE(lan[1].add("n" + std::to_string(n), static_cast<int>(2 + n / maxNodesOfClient)) ==
                "");
    }
    CHECK(lan[1].add("more", 99) == "more than 2048 nodes of one host");
    lan[1].directory.removeClient(uuid(1));
    NodeDescription talker = described("talker");
    talker.info["text"] = std::string(maxDirectoryText, 'x');
    CHECK(lan[1].directory.add(uuid(1), talker, 1) ==
          "the nodes of this host say too much: more than 1048576 bytes together");
    CHECK(lan[1].add("more") == "");
}

TEST_CASE("there is an end to what another host can make us keep, change by change or at once") {
    Lan lan(2);
    NodeDirectory& directory = lan[2].directory;
    const std::string host = wire::uuidText(lan[1].id);
    unsigned serial = 0;
    const auto node = [&](const std::string& id, std::size_t size) {
        return json{
            {"id", id}, {"host", host}, {"since", 1}, {"info", {{"x", std::string(size, 'x')}}}};
    };
    const auto tell = [&](const std::string& id, std::size_t size) {
        return directory.onHostEvent(
            control::nodeChange, {{"host", host}, {"serial", ++serial}, {"node", node(id, size)}});
    };
    CHECK(tell("talker", maxNodeText) == "a node says more than 8192 bytes");
    std::string why;
    std::size_t known = 0;
    for (; why.empty() && known < maxNodesOfHost; ++known) why = tell(std::to_string(known), 7000);
    CHECK(why == "its nodes say more than 1048576 bytes together");
    CHECK(directory.all().size() == known - 1);
    CHECK(tell("0", 10) == "");  // says less: then there is room for another
    CHECK(tell("small", 10) == "");

    json all = json::array();
    for (std::size_t n = 0; n < 300; ++n) all.push_back(node(std::to_string(n), 7000));
    const auto tellAll = [&](const json& nodes) {
        return directory.onHostEvent(control::allNodes,
                                     {{"host", host}, {"serial", ++serial}, {"nodes", nodes}});
    };
    CHECK(tellAll(all) == "its nodes say more than 1048576 bytes together");
    CHECK(directory.all().size() < 150);
    CHECK(tellAll(json::array()) == "");
    CHECK(directory.all().empty());

    for (std::size_t n = 0; n < maxNodesOfHost; ++n) REQUIRE(tell(std::to_string(n), 1) == "");
    CHECK(tell("one more", 1) != "");
    CHECK(tell("one-more", 1) == "more than 2048 nodes");
    CHECK(tell("7", 2) == "");
    CHECK(tell("7", maxNodeText) != "");  // what it says is not known: so it is not known
    CHECK_FALSE(directory.find("7"));
    directory.onHostExpired(lan[1].id);
    CHECK(directory.all().empty());
    directory.onHostOnline(lan[1].id);
    CHECK(tellAll(json::array({node("0", 7000)})) == "");
}

TEST_CASE("there is an end to how many hosts there are, and to what they tell together") {
    Lan lan(1);
    NodeDirectory& directory = lan[1].directory;
    std::size_t heard = 0;
    std::string why;
    for (int n = 1000; n < 1300; ++n) {
        const wire::Uuid id = uuid(n);
        directory.onHostOnline(id);
        const std::string host = wire::uuidText(id);
        json nodes = json::array();
        for (int m = 0; m < 16; ++m) {
            nodes.push_back({{"id", std::to_string(n) + '-' + std::to_string(m)},
                             {"host", host},
                             {"since", 1},
                             {"info", {{"x", std::string(7000, 'x')}}}});
        }
        const std::string wrong = directory.onHostEvent(
            control::allNodes, {{"host", host}, {"serial", 0U}, {"nodes", nodes}});
        if (!wrong.empty()) why = wrong;
        heard = directory.all().size();
    }
    CHECK(why == "the nodes of all hosts say more than 16777216 bytes together");
    CHECK(heard < 2400);
    CHECK(heard > 2000);
    for (int n = 1000; n < 1300; ++n) directory.onHostExpired(uuid(n));
    CHECK(directory.all().empty());
    lan[1].outgoing.clear();
    for (int n = 1000; n < 1300; ++n) directory.onHostOnline(uuid(n));
    CHECK(lan[1].outgoing.size() == maxHosts);
}

TEST_CASE("a host that never answers is asked less and less often") {
    Lan lan(1);
    lan[1].directory.onHostOnline(uuid(7));
    lan[1].outgoing.clear();
    std::string asked;
    for (int n = 0; n < 32; ++n) {
        lan[1].directory.askAgain();
        asked += lan[1].outgoing.empty() ? '.' : '?';
        lan[1].outgoing.clear();
    }
    CHECK(asked == "?.?...?.......?.......?.......?.");
}

TEST_CASE("a host that is called something else tells so of its nodes") {
    Lan lan(2);
    lan[1].add("web");
    lan.settle();
    for (int n : {1, 2}) lan[n].heard();
    lan[1].directory.setHostName("renamed");
    lan[1].directory.setHostName("renamed");
    lan.settle();
    for (int n : {1, 2}) {
        CHECK(lan[n].heard() == "~web ");
        CHECK(names(lan[n].directory) == "web@renamed ");
        CHECK(lan[n].directory.find("web")->hasTag("host", "renamed"));
    }
    lan[1].add("db");
    CHECK(lan[1].directory.find("db")->hostName == "renamed");
}

TEST_CASE("what is no such event is told, and changes nothing") {
    Lan lan(2);
    NodeDirectory& directory = lan[2].directory;
    const std::string host = wire::uuidText(lan[1].id);
    const json node{{"id", "a"}, {"host", host}, {"since", 1}};
    const auto change = [&](const json& itsNode) {
        return directory.onHostEvent(control::nodeChange,
                                     {{"host", host}, {"serial", 1U}, {"node", itsNode}});
    };
    const auto all = [&](const json& nodes) {
        return directory.onHostEvent(control::allNodes,
                                     {{"host", host}, {"serial", 0U}, {"nodes", nodes}});
    };
    CHECK(directory.onHostEvent(control::nodeChange, json::array()) == "not an object");
    CHECK(directory.onHostEvent(control::nodeChange, {{"host", "h1"}}) == "host is not a uuid");
    CHECK(directory.onHostEvent(control::nodeChange, {{"host", host}}) == "serial is not a number");
    CHECK(all(1) == "nodes is not an array of nodes");
    CHECK(all({{{"id", 1}}}) == "id is not a string");
    CHECK(all({{{"id", "a"}, {"host", wire::uuidText(uuid(9))}, {"since", 1}}}) ==
          "a node is not of the host that tells it");
    CHECK(change({{"id", "a"}}) == "host is not a uuid");
    CHECK(directory.onHostEvent("nc-node-of-a-later-version", {{"host", host}}) == "");
    CHECK(directory.all().empty());
    CHECK(all(json::array({node})) == "");
    CHECK(names(directory) == "a@ ");
}

TEST_CASE("how nodes are doing is told to all, gathered, and once") {
    Lan lan(2);
    lan[1].add("web");
    lan[1].add("db");
    lan[2].add("far");
    lan.settle();
    CHECK(lan[1].directory.report(uuid(1), {{"load", 1}}) == "");
    CHECK(lan[1].directory.report(uuid(1), {{"load", 2}}) == "");
    CHECK(lan[2].directory.report(uuid(1), {{"load", 3}}) == "");
    for (int n : {1, 2}) lan[n].heard();
    lan[2].directory.tellStats();
    lan.settle();
    CHECK(lan[2].heard() == R"(#{"far":{"load":3}} )");
    lan[1].directory.tellStats();
    lan.settle();
    CHECK(lan[1].heard() == R"(#{"db":{"load":2},"far":{"load":3},"web":{"load":2}} )");
    CHECK(lan[2].directory.hasStatsToTell());
    lan[2].directory.tellStats();
    CHECK(lan[2].heard() == R"(#{"db":{"load":2},"web":{"load":2}} )");

    // The same again is no news.
    CHECK(lan[1].directory.report(uuid(1), {{"load", 2}}) == "");
    for (int n : {1, 2}) CHECK_FALSE(lan[n].directory.hasStatsToTell());
    lan.settle();
    for (int n : {1, 2}) {
        const NodeDirectory& directory = lan[n].directory;
        CHECK(*directory.statsOf(*directory.find("web")) == json{{"load", 2}});
        CHECK(*directory.statsOf(*directory.find("far")) == json{{"load", 3}});
    }
}

TEST_CASE("stats stay with a node that says something else of itself, and go with it") {
    Lan lan(2);
    lan[1].add("web");
    CHECK(lan[1].directory.report(uuid(1), {{"load", 1}}) == "");
    lan[1].directory.tellStats();
    lan.settle();
    CHECK(lan[1].directory.add(uuid(1), described("web", {"eu"}), 2000) == "");
    lan.settle();
    for (int n : {1, 2}) CHECK(lan[n].directory.statsOf(*lan[n].directory.find("web")));

    lan[1].directory.removeClient(uuid(1));
    lan[1].add("web", 2, 3000);
    lan.settle();
    for (int n : {1, 2}) {
        lan[n].heard();
        CHECK_FALSE(lan[n].directory.statsOf(*lan[n].directory.find("web")));
        lan[n].directory.tellStats();
        CHECK(lan[n].heard().find("load") == std::string::npos);
    }
}

TEST_CASE("who comes late is told how nodes are doing, though nothing is new") {
    Lan lan(2);
    lan[1].add("web");
    CHECK(lan[1].directory.report(uuid(1), {{"load", 1}}) == "");
    lan[1].directory.tellStats();
    lan[1].outgoing.clear();
    lan[2].directory.onHostOnline(lan[1].id);
    lan.settle();
    lan[1].directory.tellStats();
    lan.settle();
    lan[2].directory.tellStats();
    CHECK(lan[2].heard() == R"(+web #{"web":{"load":1}} )");
}

TEST_CASE("stats of nodes nobody knows, or of another host's, are passed over") {
    Lan lan(3);
    lan[1].add("web");
    lan.settle();
    NodeDirectory& directory = lan[3].directory;
    const auto told = [&](const Host& host, const json& stats) {
        return directory.onHostEvent(control::nodeStats,
                                     {{"host", wire::uuidText(host.id)}, {"stats", stats}});
    };
    CHECK(told(lan[2], {{"web", {{"load", 9}}}, {"nobody", {{"load", 9}}}}) == "");
    CHECK(told(lan[3], {{"web", {{"load", 9}}}}) == "");
    CHECK_FALSE(directory.hasStatsToTell());
    CHECK(told(lan[1], {{"web", {{"load", 1}}}}) == "");
    CHECK(*directory.statsOf(*directory.find("web")) == json{{"load", 1}});
}

TEST_CASE("stats that are none are refused, and change nothing") {
    Lan lan(2);
    NodeDirectory& directory = lan[1].directory;
    CHECK(directory.report(uuid(1), json::object()) == "you have no node");
    lan[1].add("web");
    lan.settle();
    json deep = 1;
    for (int n = 0; n < 17; ++n) deep = json{{"in", deep}};
    CHECK(directory.report(uuid(1), deep["in"]) == "");
    const json before = *directory.statsOf(*directory.find("web"));
    const std::pair<json, std::string> bad[] = {
        {json::array(), "stats are not an object"},
        {nullptr, "stats are not an object"},
        {deep, "what stats say is nested deeper than 16"},
        {{{"text", std::string(2040, 'x')}}, "stats of more than 2048 bytes"}};
    for (const auto& [stats, why] : bad) {
        CHECK(directory.report(uuid(1), stats) == why);
        CHECK(lan[2].directory.onHostEvent(
                  control::nodeStats,
                  {{"host", wire::uuidText(lan[1].id)}, {"stats", {{"web", stats}}}}) == why);
    }
    CHECK(*directory.statsOf(*directory.find("web")) == before);
    CHECK_FALSE(lan[2].directory.statsOf(*lan[2].directory.find("web")));
    for (const json& stats : {json(), json::array(), json(1)}) {
        CHECK(lan[2].directory.onHostEvent(
                  control::nodeStats, {{"host", wire::uuidText(lan[1].id)}, {"stats", stats}}) ==
              "stats is not an object of stats");
    }
}

TEST_CASE("more stats than can be told at once are told in turn, all of them") {
    Lan lan(2);
    constexpr int clients = 300;
    const json stats{{"text", std::string(1800, 'x')}};
    for (int n = 0; n < clients; ++n) {
        REQUIRE(lan[1].add("n" + std::to_string(n), n) == "");
        CHECK(lan[1].directory.report(uuid(n), stats) == "");
    }
    lan.settle();
    int rounds = 0;
    for (; lan[1].directory.hasStatsToTell(); ++rounds) {
        // The first are news again each time, and do not hold up the others.
        for (int n = 0; n < 10; ++n) {
            const json news{{"round", rounds}, {"text", std::string(1700, 'x')}};
            if (rounds < 3) CHECK(lan[1].directory.report(uuid(n), news) == "");
        }
        lan[1].directory.tellStats();
        CHECK(lan[1].outgoing.back().second.dump().size() < maxStatsText + 10'000);
        lan.settle();
        if (rounds == 2) {
            for (const auto& [id, node] : lan[2].directory.all()) {
                CHECK(lan[2].directory.statsOf(node));
            }
        }
    }
    CHECK(rounds >= 3);
}

// What a host might say that has lost its mind, or wants us to: near the truth more often than not.
class Babble {
  public:
    Babble(unsigned seed, std::vector<wire::Uuid> hosts) : random_(seed), hosts_(hosts) {}

    std::string event() {
        const std::string_view names[] = {control::nodeChange, control::allNodes,
                                          control::nodesWanted, control::nodeStats, "nc-other"};
        return std::string(names[below(5)]);
    }
    json data() {
        if (below(20) == 0) return anything(0);
        json said{{"host", host()}, {"serial", serial()}};
        if (below(2) == 0) said["node"] = node();
        if (below(3) == 0) said["gone"] = below(5) == 0 ? anything(0) : json(id());
        if (below(3) == 0) said["why"] = below(2) == 0 ? json("disconnected") : anything(0);
        if (below(2) == 0) said["nodes"] = listOf([this] { return node(); });
        if (below(2) == 0) {
            json stats = json::object();
            for (unsigned n = below(4); n > 0; --n) stats[id()] = anything(0);
            said["stats"] = below(9) == 0 ? anything(0) : stats;
        }
        return said;
    }
    unsigned below(unsigned count) { return random_() % count; }

  private:
    template <typename Make>
    json listOf(Make make) {
        json list = json::array();
        for (unsigned n = below(6); n > 0; --n) list.push_back(make());
        return list;
    }
    json host() {
        return below(12) == 0 ? anything(0)
                              : json(wire::uuidText(hosts_[below(unsigned(hosts_.size()))]));
    }
    std::string id() { return std::string(1, char('a' + below(6))); }
    json serial() { return below(12) == 0 ? anything(0) : json(unsigned{below(6)}); }
    json node() {
        if (below(15) == 0) return anything(0);
        json said{{"id", id()}, {"host", host()}, {"since", below(5)}, {"hostname", "h"}};
        if (below(3) == 0) said["regions"] = listOf([this] { return json(id()); });
        if (below(3) == 0) said["info"] = anything(0);
        if (below(20) == 0) said[id()] = anything(0);
        const char* keys[] = {"id", "host", "since", "hostname", "regions", "services", "info"};
        if (below(8) == 0) said[keys[below(7)]] = anything(0);
        return said;
    }
    json anything(int depth) {
        switch (below(depth > 3 ? 7 : 9)) {
            case 0:
                return nullptr;
            case 1:
                return below(2) == 0;
            case 2:
                return std::int64_t{0} - below(1000);
            case 3:
                return std::uint64_t{0} - below(3);
            case 4:
                return 1e300 * below(3);
            case 5:
                return std::string(below(300), 'x');
            case 6:
                return wire::uuidText(hosts_.front());
            case 7:
                return listOf([&] { return anything(depth + 1); });
            default:
                return {{id(), anything(depth + 1)}, {"host", anything(depth + 1)}};
        }
    }

    std::mt19937 random_;
    std::vector<wire::Uuid> hosts_;
};

TEST_CASE("whatever hosts say, what is known stays in order and goes with them") {
    for (unsigned seed = 0; seed < 100; ++seed) {
        CAPTURE(seed);
        Lan lan(1);
        Host& host = lan[1];
        const std::vector<wire::Uuid> others{uuid(7), uuid(8), uuid(9)};
        Babble babble(seed, {others[0], others[1], others[2], host.id});
        const auto any = [&] { return babble.below(4) == 0 ? host.id : others[babble.below(3)]; };
        for (int step = 0; step < 600; ++step) {
            const std::string own(1, static_cast<char>('a' + babble.below(6)));
            host.ownLost.clear();
            const unsigned what = babble.below(20);
            switch (what) {
                case 0:
                    host.directory.onHostOnline(any());
                    break;
                case 1:
                    if (babble.below(5) == 0) host.directory.onHostExpired(any());
                    break;
                case 2:
                    (void)host.add(own, 1 + static_cast<int>(babble.below(2)), babble.below(5));
                    break;
                case 3:
                    (void)host.directory.remove(uuid(1), own);
                    break;
                case 4:
                    host.directory.onHostGap(any());
                    host.directory.askAgain();
                    break;
                case 5:
                    (void)host.directory.report(uuid(1), {{"step", step}});
                    host.directory.tellStats();
                    break;
                default:
                    (void)host.directory.onHostEvent(babble.event(), babble.data());
            }
            host.outgoing.clear();
            // Others take none of ours but by having been earlier.
            host.ownLost.erase(what == 3 ? "unregistered" : "refused");
            CHECK(host.ownLost.empty());
        }
        // Its clients know what it knows, and nothing of it stays behind.
        CHECK(host.clientsView.size() == host.directory.all().size());
        for (const auto& [id, node] : host.directory.all()) CHECK(host.clientsView[id] == node);
        for (const wire::Uuid& other : others) host.directory.onHostExpired(other);
        for (int client : {1, 2}) host.directory.removeClient(uuid(client));
        CHECK(names(host.directory).empty());
        CHECK(host.directory.ourText() == 0);
        CHECK(host.directory.textElsewhere() == 0);
        CHECK_FALSE(host.directory.hasStatsToTell());
    }
}

TEST_CASE("whatever gets lost, in the end all hosts know the same nodes") {
    for (unsigned seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto chance = [&](unsigned oneIn) { return random() % oneIn == 0; };
        Lan lan(3);
        const auto any = [&]() -> Host& { return lan[1 + static_cast<int>(random() % 3)]; };
        for (int step = 0; step < 200; ++step) {
            Host& host = any();
            const std::string node(1, static_cast<char>('a' + random() % 6));
            const int client = 1 + static_cast<int>(random() % 2);
            switch (random() % 8) {
                case 0:
                    (void)host.directory.add(uuid(client), described(node, {std::to_string(step)}),
                                             step);
                    break;
                case 1:
                    (void)host.directory.remove(uuid(client), node);
                    break;
                case 2:
                    if (chance(4)) host.directory.removeClient(uuid(client));
                    break;
                case 3: {
                    Host& other = any();
                    if (&other == &host || !chance(4)) break;
                    host.directory.onHostExpired(other.id);
                    host.directory.onHostOnline(other.id);
                    break;
                }
                case 4:
                    if (host.directory.asked()) host.directory.answer();
                    break;
                default:
                    lan.carry(host, [&](Host&) { return chance(5); });
            }
        }
        lan.settle();
        for (int n = 1; n <= 3; ++n) lan[n].directory.askAgain();
        lan.settle();
        for (int n = 2; n <= 3; ++n) {
            CHECK(names(lan[n].directory) == names(lan[1].directory));
            for (const auto& [id, node] : lan[1].directory.all()) {
                const Node* const same = lan[n].directory.find(id);
                CHECK((same && same->said == node.said));
            }
        }
        for (int n = 1; n <= 3; ++n) {
            CHECK(lan[n].clientsView.size() == lan[n].directory.all().size());
        }
    }
}
