#include "notices.hpp"

#include <doctest/doctest.h>

using namespace netcluster;
using Words = std::vector<std::string>;

namespace {

std::string online(const std::string& id, const std::string& session = "s1") {
    return R"({"id":")" + id + R"(","name":"host )" + id +
           R"(","address":"10.0.0.1:4454","version":"2.0.0","session":")" + session + "\"}";
}

Hosts hostsOf(const Words& ids, const std::string& session = "s1") {
    Hosts hosts;
    for (const auto& id : ids) takeHostNotice(hosts, "nc-host-online", online(id, session));
    return hosts;
}

Words wordsOf(const std::vector<Presence>& changes) {
    Words words;
    for (const Presence& change : changes) {
        words.push_back(change.kind == Presence::Kind::hostOnline
                            ? "+" + change.id
                            : "-" + change.id + " " + change.reason);
    }
    return words;
}

}  // namespace

TEST_CASE("notices are told from other reserved names") {
    CHECK(isNotice("nc-host-online"));
    CHECK(isNotice("nc-host-expired"));
    CHECK(isNotice("nc-hosts-known"));
    CHECK(isNotice("nc-net-gap"));
    CHECK_FALSE(isNotice("nc-control-hosts-response"));
    CHECK_FALSE(isNotice("nc-host-onlin"));
}

TEST_CASE("hosts come with what they say of themselves, and go") {
    Hosts hosts;
    CHECK(takeHostNotice(hosts, "nc-host-online", online("1")) == "");
    REQUIRE(hosts.size() == 1);
    const Presence& host = hosts.at("1").online;
    CHECK(host.kind == Presence::Kind::hostOnline);
    CHECK(host.id == "1");
    CHECK(host.name == "host 1");
    CHECK(host.address == "10.0.0.1:4454");
    CHECK(host.version == "2.0.0");
    CHECK(host.reason == "");
    CHECK(takeHostNotice(hosts, "nc-host-expired", R"({"id":"1","why":"silent"})") == "silent");
    CHECK(hosts.empty());
}

TEST_CASE("a notice that cannot be read changes nothing; what is missing in it is empty") {
    Hosts hosts = hostsOf({"1"});
    for (const char* text : {"", "[]", "{", "{}", R"({"id":7})", R"({"id":""})"}) {
        takeHostNotice(hosts, "nc-host-online", text);
        takeHostNotice(hosts, "nc-host-expired", text);
        CHECK_FALSE(readGapNotice("nc-net-gap", text));
    }
    CHECK(hosts.size() == 1);
    takeHostNotice(hosts, "nc-host-online", R"({"id":"2","name":["x"]})");
    CHECK(hosts.at("2").online.name == "");
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
    Hosts told;
    CHECK(wordsOf(differences(told, hostsOf({"1", "2"}), "")) == Words{"+1", "+2"});
    CHECK(wordsOf(differences(told, hostsOf({"1", "2"}), "")).empty());
    CHECK(wordsOf(differences(told, hostsOf({"2", "3"}), "goodbye")) == Words{"-1 goodbye", "+3"});
    CHECK(wordsOf(differences(told, {}, "")) == Words{"-2 away", "-3 away"});
    CHECK(told.empty());
}

TEST_CASE("a host that was started anew expires before it comes again") {
    Hosts told = hostsOf({"1"}, "s1");
    CHECK(wordsOf(differences(told, hostsOf({"1"}, "s2"), "silent")) ==
          Words{"-1 restarted", "+1"});
    CHECK(differences(told, hostsOf({"1"}, "s2"), "").empty());
}

TEST_CASE("hosts that a daemon has not told of are doubtful until it has told of all") {
    Hosts hosts = hostsOf({"1", "2"});
    Hosts told;
    differences(told, hosts, "");
    doubtAll(hosts);
    takeHostNotice(hosts, "nc-host-online", online("2"));
    takeHostNotice(hosts, "nc-host-online", online("3"));
    CHECK(wordsOf(differences(told, hosts, "")) == Words{"+3"});

    // Somebody who comes now is not told of the doubtful one.
    Hosts toldLater;
    CHECK(wordsOf(differences(toldLater, hosts, "")) == Words{"+2", "+3"});
    CHECK(takeHostNotice(hosts, "nc-hosts-known", "{}") == "");
    CHECK(wordsOf(differences(told, hosts, "")) == Words{"-1 away"});
    CHECK(differences(toldLater, hosts, "").empty());
}
