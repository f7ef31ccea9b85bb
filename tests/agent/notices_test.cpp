#include "notices.hpp"

#include <doctest/doctest.h>

using namespace netcluster;
using Words = std::vector<std::string>;

namespace {

std::string online(const std::string& id, const std::string& session = "s1") {
    return R"({"id":")" + id + R"(","name":"host )" + id +
           R"(","address":"10.0.0.1:4454","version":"2.0.0","session":")" + session + "\"}";
}

std::string nodeData(const std::string& id, const std::string& region = "eu", int since = 1) {
    return R"({"id":")" + id + R"(","regions":[")" + region +
           R"("],"info":{"disk":"ssd"},"services":[{"name":"http","port":80}],)" +
           R"("host":"0123","hostname":"beta","since":)" + std::to_string(since) + "}";
}

Around withHosts(const Words& ids, const std::string& session = "s1") {
    Around around;
    for (const auto& id : ids) takeNotice(around, "nc-host-online", online(id, session));
    return around;
}

Words wordsOf(const Told::Presences& changes) {
    Words words;
    for (const auto& change : changes) {
        switch (change->kind) {
            case Presence::Kind::hostOnline:
                words.push_back("+" + change->id);
                break;
            case Presence::Kind::nodeOnline:
                words.push_back("+" + change->id + " on " + change->name);
                break;
            case Presence::Kind::nodeChanged:
                words.push_back("~" + change->id + " " + change->node.regions.at(0));
                break;
            case Presence::Kind::hostExpired:
            case Presence::Kind::nodeExpired:
                words.push_back("-" + change->id + " " + change->reason);
        }
    }
    return words;
}

Words learn(Told& told, const Around& now, const std::string& why = "") {
    return wordsOf(told.learn(now, {Change::What::all, "", why}));
}

// What one notice changes.
Words learn(Told& told, Around& around, const std::string& event, const std::string& data) {
    return wordsOf(told.learn(around, takeNotice(around, event, data)));
}

}  // namespace

TEST_CASE("notices are told from other reserved names") {
    CHECK(isNotice("nc-host-online"));
    CHECK(isNotice("nc-host-expired"));
    CHECK(isNotice("nc-hosts-known"));
    CHECK(isNotice("nc-net-gap"));
    for (const char* event :
         {"nc-node-online", "nc-node-changed", "nc-node-expired", "nc-node-stats"}) {
        CHECK(isNotice(event));
    }
    CHECK_FALSE(isNotice("nc-node-register"));
    CHECK(isAnswer("nc-node-register-response"));
    CHECK(isAnswer("nc-node-unregister-response"));
    CHECK_FALSE(isAnswer("nc-node-register"));
    CHECK_FALSE(isAnswer("nc-control-hosts-response"));
    CHECK_FALSE(isNotice("nc-control-hosts-response"));
    CHECK_FALSE(isNotice("nc-host-onlin"));
}

TEST_CASE("hosts come with what they say of themselves, and go") {
    Around around;
    CHECK(takeNotice(around, "nc-host-online", online("1")).id == "1");
    REQUIRE(around.hosts.size() == 1);
    const Presence host = *around.hosts.at("1").presence;
    CHECK(host.kind == Presence::Kind::hostOnline);
    CHECK(host.id == "1");
    CHECK(host.name == "host 1");
    CHECK(host.address == "10.0.0.1:4454");
    CHECK(host.version == "2.0.0");
    CHECK(host.reason == "");
    CHECK(takeNotice(around, "nc-host-expired", R"({"id":"1","why":"silent"})").why == "silent");
    CHECK(around.hosts.empty());
}

TEST_CASE("nodes come with what they say of themselves, and go") {
    Around around;
    CHECK(takeNotice(around, "nc-node-online", nodeData("web")).id == "web");
    REQUIRE(around.nodes.size() == 1);
    const Presence told = *around.nodes.at("web").presence;
    CHECK(told.kind == Presence::Kind::nodeOnline);
    CHECK(told.id == "web");
    CHECK(told.name == "beta");
    CHECK(told.node.id == "web");
    CHECK(told.node.regions == Words{"eu"});
    CHECK(told.node.info == Json{{"disk", "ssd"}});
    CHECK(told.node.services == std::vector<Service>{{"http", 80}});
    CHECK(told.node.host == "beta");
    CHECK(told.node.hostId == "0123");
    CHECK(told.node.since == 1);
    CHECK_FALSE(told.node.own);
    CHECK(told.node.stats == Json::object());
    const std::string gone = R"({"id":"web","why":"disconnected"})";
    CHECK(takeNotice(around, "nc-node-expired", gone).why == "disconnected");
    CHECK(around.nodes.empty());
}

TEST_CASE("how nodes are doing is known, and told to nobody") {
    Around around;
    Told told;
    CHECK(learn(told, around, "nc-node-online", nodeData("web")) == Words{"+web on beta"});
    const std::string stats = R"({"web":{"busy":3},"unknown":{"busy":4},"db":7})";
    CHECK(learn(told, around, "nc-node-stats", stats).empty());
    CHECK(around.nodes.at("web").presence->node.stats == Json{{"busy", 3}});
    CHECK(around.nodes.size() == 1);
    CHECK(learn(told, around).empty());
    // A change says nothing of it.
    CHECK(learn(told, around, "nc-node-changed", nodeData("web", "us")) == Words{"~web us"});
    CHECK(around.nodes.at("web").presence->node.stats == Json{{"busy", 3}});
    // Another node of that id has its own.
    learn(told, around, "nc-node-online", nodeData("web", "us", 2));
    CHECK(around.nodes.at("web").presence->node.stats == Json::object());
}

TEST_CASE("a notice that cannot be read changes nothing; what is missing in it is empty") {
    Around around = withHosts({"1"});
    takeNotice(around, "nc-node-online", nodeData("web"));
    for (const char* text : {"", "[]", "{", "{}", R"({"id":7})", R"({"id":""})"}) {
        for (const char* event : {"nc-host-online", "nc-host-expired", "nc-node-online",
                                  "nc-node-changed", "nc-node-expired", "nc-node-stats"}) {
            CHECK(takeNotice(around, event, text).what == Change::What::nothing);
        }
        CHECK_FALSE(readGapNotice("nc-net-gap", text));
    }
    CHECK(around.hosts.size() == 1);
    CHECK(around.nodes.size() == 1);
    takeNotice(around, "nc-host-online", R"({"id":"2","name":["x"]})");
    CHECK(around.hosts.at("2").presence->name == "");
    takeNotice(
        around, "nc-node-online",
        R"({"id":"n","regions":[1,"r"],"info":7,"services":[{"port":70000},2],"since":"x"})");
    const Node node = around.nodes.at("n").presence->node;
    CHECK(node.regions == Words{"r"});
    CHECK(node.info == Json::object());
    CHECK(node.services == std::vector<Service>{{"", 0}});
    CHECK(node.since == 0);
}

TEST_CASE("gaps of the link say whose they are, and why") {
    const auto gap = readGapNotice(
        "nc-net-gap",
        R"({"host":"beta","id":"1","session":"s","count":3,"first":5,"last":7,"why":"gone"})");
    REQUIRE(gap);
    CHECK(gap->host == "beta");
    CHECK(gap->count == 3);
    CHECK(gap->first == 5);
    CHECK(gap->last == 7);
    CHECK(gap->why == Gap::Why::gone);
    const auto whyOf = [](const std::string& word) {
        return readGapNotice("nc-net-gap", R"({"host":"beta","why":")" + word + "\"}")->why;
    };
    CHECK(whyOf("lost") == Gap::Why::lost);
    CHECK(whyOf("dropped") == Gap::Why::dropped);
    CHECK(whyOf("reset") == Gap::Why::reset);
    CHECK(whyOf("of a later version") == Gap::Why::lost);
    CHECK_FALSE(readGapNotice("nc-host-online", R"({"host":"beta"})"));
}

TEST_CASE("who was told of some hosts is told what has changed, and nothing twice") {
    Told told;
    CHECK(learn(told, withHosts({"1", "2"})) == Words{"+1", "+2"});
    CHECK(learn(told, withHosts({"1", "2"})).empty());
    CHECK(learn(told, withHosts({"2", "3"}), "goodbye") == Words{"-1 goodbye", "+3"});
    CHECK(learn(told, {}) == Words{"-2 away", "-3 away"});
    CHECK(learn(told, {}).empty());
}

TEST_CASE("one notice is about one host or node, and nobody else is looked at") {
    Around around = withHosts({"1"});
    Told told;
    CHECK(learn(told, around, "nc-host-online", online("2")) == Words{"+2"});
    CHECK(learn(told, around, "nc-node-online", nodeData("2")) == Words{"+2 on beta"});
    CHECK(learn(told, around, "nc-host-online", online("2")).empty());
    CHECK(learn(told, around, "nc-node-expired", R"({"id":"2","why":"host"})") == Words{"-2 host"});
    CHECK(learn(told, around, "nc-node-expired", R"({"id":"2","why":"host"})").empty());
    CHECK(learn(told, around) == Words{"+1"});
}

TEST_CASE("a host that was started anew expires before it comes again") {
    Told told;
    learn(told, withHosts({"1"}, "s1"));
    CHECK(learn(told, withHosts({"1"}, "s2"), "silent") == Words{"-1 restarted", "+1"});
    CHECK(learn(told, withHosts({"1"}, "s2")).empty());
}

TEST_CASE("nodes go before their hosts and come after them") {
    Around around = withHosts({"h"});
    takeNotice(around, "nc-node-online", nodeData("a"));
    Told told;
    CHECK(learn(told, around) == Words{"+h", "+a on beta"});
    CHECK(learn(told, {}) == Words{"-a away", "-h away"});
}

TEST_CASE("a node that says something else is changed; one that is registered anew went before") {
    Around around;
    Told told;
    learn(told, around, "nc-node-online", nodeData("web"));
    CHECK(learn(told, around, "nc-node-online", nodeData("web")).empty());
    CHECK(learn(told, around, "nc-node-online", nodeData("web", "us")) == Words{"~web us"});
    CHECK(learn(told, around, "nc-node-online", nodeData("web", "us", 2)) ==
          Words{"-web away", "+web on beta"});
}

TEST_CASE("whom a daemon has not told of is doubtful until it has told of all") {
    Around around = withHosts({"1", "2"});
    takeNotice(around, "nc-node-online", nodeData("a"));
    takeNotice(around, "nc-node-online", nodeData("b"));
    Told told;
    learn(told, around);
    around.doubtAll();
    takeNotice(around, "nc-host-online", online("2"));
    takeNotice(around, "nc-host-online", online("3"));
    takeNotice(around, "nc-node-online", nodeData("b"));
    CHECK(learn(told, around) == Words{"+3"});

    // Somebody who comes now is not told of the doubtful ones.
    Told toldLater;
    CHECK(learn(toldLater, around) == Words{"+2", "+3", "+b on beta"});
    CHECK(learn(told, around, "nc-hosts-known", "{}") == Words{"-a away", "-1 away"});
    CHECK(learn(toldLater, around).empty());
}
