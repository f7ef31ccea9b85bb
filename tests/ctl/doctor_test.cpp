#include "doctor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "doctor_commands.hpp"

namespace netcluster::ctl {
namespace {

using Severity = Finding::Severity;

/// A host with nothing wrong, and one other on the link.
Json healthy() {
    return Json::parse(R"({
      "config": {"connecttonet": true, "addr": "239.255.44.54", "port": 4454, "netinterface": "",
                 "ttl": 1, "peers": [], "encrypted": true, "heartbeat": 1000},
      "connected": true,
      "interfaces": [
        {"name": "lo", "index": 1, "up": true, "running": true, "multicast": false,
         "loopback": true, "mtu": 65536, "addresses": ["127.0.0.1"], "chosen": false,
         "joined": false, "member": false, "route": true},
        {"name": "eth0", "index": 2, "up": true, "running": true, "multicast": true,
         "loopback": false, "mtu": 1500, "addresses": ["10.0.0.1"], "chosen": true,
         "joined": true, "member": true, "route": true},
        {"name": "eth1", "index": 3, "up": false, "running": false, "multicast": true,
         "loopback": false, "mtu": 1500, "addresses": [], "chosen": false, "joined": false,
         "member": false, "route": false}],
      "buffers": {"receive": {"asked": 8388608, "granted": 8388608},
                  "send": {"asked": 4194304, "granted": 4194304},
                  "rmem_max": 8388608, "wmem_max": 8388608},
      "overflowed": 0, "peers": [], "strangers": [], "duplicatenames": [],
      "unicast": {"open": true},
      "hosts": [
        {"self": true, "id": "1", "name": "alpha", "online": true},
        {"id": "2", "name": "beta", "online": true, "hearsus": true, "address": "10.0.0.2:4454",
         "gaps": {"count": 0}, "lagging": false,
         "probe": {"small": true, "large": true, "roundtripms": 0.314, "clockoffsetms": -2}}]})");
}

/// The facts with the one at `pointer` planted.
Json with(const char* pointer, const Json& value) {
    Json facts = healthy();
    facts[Json::json_pointer(pointer)] = value;
    return facts;
}

std::string allOf(const std::vector<std::string>& commands) {
    std::string all;
    for (const auto& command : commands) all += command + '\n';
    return all;
}

/// The one finding that is not ok; fails the test when there is none, or another.
Finding only(const Json& facts) {
    Finding found;
    int count = 0;
    for (const Finding& finding : judge(facts)) {
        if (finding.severity == Severity::ok) continue;
        CAPTURE(finding.what);
        found = finding;
        REQUIRE(++count == 1);
    }
    REQUIRE(count == 1);
    CHECK_FALSE(found.advice.empty());
    return found;
}

bool says(const Finding& finding, const std::string& part) {
    return finding.what.find(part) != std::string::npos ||
           finding.advice.find(part) != std::string::npos ||
           allOf(finding.commands).find(part) != std::string::npos;
}

bool offers(const Finding& finding, const type::Commands& commands) {
    return std::all_of(commands.begin(), commands.end(), [&](const std::string& command) {
        return std::count(finding.commands.begin(), finding.commands.end(), command) == 1;
    });
}

TEST_CASE("doctor: a host with nothing wrong is told what is right") {
    const auto findings = judge(healthy());
    CHECK(worstOf(findings) == Severity::ok);
    CHECK(findingsText(findings) ==
          "ok       eth0 is up and has joined 239.255.44.54; MTU 1500\n"
          "ok       the system gives the link the buffers it asks for\n"
          "ok       beta answers in 0.31 ms, small datagrams and full ones\n"
          "nothing is wrong\n");
}

TEST_CASE("doctor: facts that are missing are not judged, whatever shape they have") {
    CHECK(worstOf(judge(Json::object())) <= Severity::problem);
    const Json all = healthy();
    for (const auto& [key, value] : all.items()) {
        for (const Json& strange : {Json(), Json(7), Json("x"), Json::array({1, "x", nullptr}),
                                    Json{{"x", 1}}, Json::array()}) {
            Json facts = healthy();
            facts[key] = strange;
            CHECK_NOTHROW(findingsText(judge(facts)));
        }
        Json facts = healthy();
        facts.erase(key);
        CAPTURE(key);
        if (key != "config") CHECK(worstOf(judge(facts)) == Severity::ok);
    }
    for (const Json& facts : {Json(), Json(1), Json::array(), Json("x")}) {
        CHECK_NOTHROW(judge(facts));
    }
}

TEST_CASE(
    "doctor: a link that is off is a note, one that is down a problem; nothing else is said") {
    const Finding off = only(with("/config/connecttonet", false));
    CHECK(off.severity == Severity::note);
    CHECK(says(off, "connecttonet"));
    CHECK(judge(with("/config/connecttonet", false)).size() == 1);
    const Finding down = only(with("/connected", false));
    CHECK(down.severity == Severity::problem);
    CHECK(judge(with("/connected", false)).size() == 1);
}

TEST_CASE("doctor: neither a group nor peers") {
    Json facts = with("/config/addr", "");
    facts["hosts"] = Json();
    CHECK(only(facts).severity == Severity::problem);
    facts["config"]["peers"] = {"beta:4454"};
    CHECK(worstOf(judge(facts)) == Severity::ok);
}

TEST_CASE("doctor: a reserved group") {
    const Finding finding = only(with("/config/addr", "224.0.0.0"));
    CHECK(finding.severity == Severity::warning);
    CHECK(says(finding, "239.255"));
    CHECK(worstOf(judge(with("/config/addr", "224.0.1.5"))) == Severity::ok);
}

TEST_CASE("doctor: ttl 0") {
    CHECK(only(with("/config/ttl", 0)).severity == Severity::problem);
    CHECK(worstOf(judge(with("/config/ttl", 8))) == Severity::ok);
}

TEST_CASE("doctor: the interface of the configuration is down, or not there") {
    Json facts = with("/interfaces/1/chosen", false);
    facts["config"]["netinterface"] = "eth1";
    const Finding down = only(facts);
    CHECK(down.severity == Severity::problem);
    CHECK(offers(down, type::bringUp("eth1")));
    facts["config"]["netinterface"] = "10.9.9.9";
    const Finding missing = only(facts);
    CHECK(missing.severity == Severity::problem);
    CHECK(says(missing, "10.9.9.9"));
    CHECK(offers(missing, type::listAddresses()));
}

TEST_CASE("doctor: no interface can multicast") {
    const Finding finding = only(with("/interfaces/1/chosen", false));
    CHECK(finding.severity == Severity::problem);
    CHECK(offers(finding, type::bringUp("eth1")));
    CHECK(says(finding, "peers"));
}

TEST_CASE("doctor: loopback alone is a note where the configuration says so, else a warning") {
    Json facts = with("/interfaces/1/chosen", false);
    for (const char* key : {"chosen", "joined", "member"}) facts["interfaces"][0][key] = true;
    const Finding byDefault = only(facts);
    CHECK(byDefault.severity == Severity::warning);
    CHECK(offers(byDefault, type::bringUp("eth1")));
    facts["config"]["netinterface"] = "lo";
    CHECK(only(facts).severity == Severity::note);
}

TEST_CASE("doctor: what is wrong with an interface") {
    const auto problem = [](const char* key, const Json& value, const type::Commands& commands) {
        const Finding finding = only(with((std::string("/interfaces/1/") + key).c_str(), value));
        CHECK(finding.severity == Severity::problem);
        CHECK(says(finding, "eth0"));
        CHECK(offers(finding, commands));
    };
    problem("up", false, type::bringUp("eth0"));
    problem("running", false, type::lookAtCarrier("eth0"));
    problem("multicast", false, type::allowMulticast("eth0"));
    problem("mtu", 1279, type::raiseMtu("eth0"));
    problem("route", false, type::giveRoute("239.255.44.54", "eth0"));
    problem("joined", false, type::daemonLog("eth0"));
    problem("member", false, type::lookAtMemberships("eth0"));
    CHECK(worstOf(judge(with("/interfaces/1/mtu", 1280))) == Severity::ok);
    CHECK(worstOf(judge(with("/interfaces/1/mtu", 0))) == Severity::ok);  // unknown
}

TEST_CASE("doctor: no route for an IPv6 group") {
    Json facts = with("/interfaces/1/route", false);
    facts["config"]["addr"] = "ff12::4e43";
    CHECK(offers(only(facts), type::allowIpv6("eth0")));
}

TEST_CASE("doctor: socket buffers smaller than asked for") {
    const Finding receive = only(with("/buffers/receive/granted", 212992));
    CHECK(receive.severity == Severity::warning);
    CHECK(says(receive, "208 KiB"));
    CHECK(says(receive, "8.0 MiB"));
    CHECK(offers(receive, type::raiseBuffer("receive", "8388608")));
    CHECK(worstOf(judge(with("/buffers/receive/granted", 0))) == Severity::ok);  // unknown
    const Finding send = only(with("/buffers/send/granted", 212992));
    CHECK(send.severity == Severity::note);
    CHECK(offers(send, type::raiseBuffer("send", "4194304")));
}

TEST_CASE("doctor: datagrams lost in our own buffer") {
    const Finding finding = only(with("/overflowed", 17));
    CHECK(finding.severity == Severity::warning);
    CHECK(says(finding, "17 datagrams"));
}

TEST_CASE("doctor: peers that are not found, and unicast that another program has") {
    const Json lost = Json::parse(R"([{"peer": "beta:4454", "address": null}])");
    const Json found = Json::parse(R"([{"peer": "beta:4454", "address": "10.0.0.2:4454"}])");
    const Finding missing = only(with("/peers", lost));
    CHECK(missing.severity == Severity::problem);
    CHECK(offers(missing, type::lookUp("beta")));
    CHECK(worstOf(judge(with("/peers", found))) == Severity::ok);
    Json deaf = found;
    deaf[0]["open"] = false;
    const Finding otherFamily = only(with("/peers", deaf));
    CHECK(otherFamily.severity == Severity::problem);
    CHECK(offers(otherFamily, type::daemonLog("link:")));

    Json facts = with("/unicast/open", false);
    const Finding unused = only(facts);
    CHECK(unused.severity == Severity::note);
    CHECK(offers(unused, type::whoHasPort("4454")));
    facts["peers"] = found;
    CHECK(only(facts).severity == Severity::problem);
}

TEST_CASE("doctor: a host that does not hear us") {
    Json facts = with("/hosts/1/hearsus", false);
    CHECK(worstOf(judge(facts)) == Severity::ok);  // it answers all the same: it will say so
    facts["hosts"][1]["probe"] = {{"small", false}, {"large", false}};
    facts["hosts"][1]["uptime"] = 60000;
    const Finding finding = only(facts);
    CHECK(finding.severity == Severity::problem);
    CHECK(says(finding, "beta is heard, but does not hear us"));
    CHECK(says(finding, "4454"));
    // One that has only just come is not said to be deaf.
    facts["hosts"][1]["uptime"] = 4999;
    CHECK(only(facts).severity == Severity::warning);
}

TEST_CASE("doctor: a host that did not answer, and one that full datagrams do not reach") {
    const Finding silent = only(with("/hosts/1/probe/small", false));
    CHECK(silent.severity == Severity::warning);
    CHECK(says(silent, "ncctl doctor --wait"));
    const Finding blackHole = only(with("/hosts/1/probe/large", false));
    CHECK(blackHole.severity == Severity::problem);
    CHECK(says(blackHole, "MTU"));
    CHECK(offers(blackHole, type::tracePath("10.0.0.2")));
    Json six = with("/hosts/1/probe/large", false);
    six["hosts"][1]["address"] = "[fe80::1%eth0]:4454";
    CHECK(offers(only(six), type::tracePath("fe80::1%eth0")));
}

TEST_CASE("doctor: a clock that is off by more than a second") {
    const Finding ahead = only(with("/hosts/1/probe/clockoffsetms", 3210));
    CHECK(ahead.severity == Severity::warning);
    CHECK(says(ahead, "the clock of beta is 3.2 s ahead of ours"));
    CHECK(offers(ahead, type::setClock()));
    CHECK(says(only(with("/hosts/1/probe/clockoffsetms", -3210)), "3.2 s behind ours"));
    CHECK(worstOf(judge(with("/hosts/1/probe/clockoffsetms", 1000))) == Severity::ok);
}

TEST_CASE("doctor: hosts that are gone, slow, or of which something never arrived, are noted") {
    Json facts = with("/hosts/1/online", false);
    facts["hosts"][1]["lastheard"] = 61000;
    const Finding gone = only(facts);
    CHECK(gone.severity == Severity::note);
    CHECK(says(gone, "1 min 1 s"));
    CHECK(only(with("/hosts/1/lagging", true)).severity == Severity::note);
    const Finding gaps = only(with("/hosts/1/gaps/count", 1));
    CHECK(gaps.severity == Severity::note);
    CHECK(says(gaps, "1 time"));
}

TEST_CASE("doctor: nobody heard at all") {
    Json facts = healthy();
    facts["hosts"].erase(1);
    const Finding finding = only(facts);
    CHECK(finding.severity == Severity::warning);
    CHECK(offers(finding, type::letIn("4454")));
    CHECK(says(finding, "querier"));
    facts["config"]["addr"] = "";
    facts["config"]["peers"] = {"beta:4454"};
    CHECK_FALSE(says(only(facts), "querier"));
}

TEST_CASE("doctor: several hosts of one name") {
    const Finding finding = only(with("/duplicatenames", {"beta"}));
    CHECK(finding.severity == Severity::warning);
    CHECK(says(finding, "beta"));
    CHECK(says(finding, "\"name\""));
}

TEST_CASE("doctor: strangers with another key are a problem, others a warning") {
    const auto stranger = [](const char* reason) {
        return with(
            "/strangers",
            {{{"address", "10.0.0.7"}, {"reason", reason}, {"count", 3}, {"lastms", 2100}}});
    };
    const Finding key = only(stranger("unknownkey"));
    CHECK(key.severity == Severity::problem);
    CHECK(says(key, "10.0.0.7"));
    CHECK(says(key, "3 datagrams, the last 2 s ago"));
    CHECK(says(key, "ncctl keys list"));
    CHECK(says(key, "a key that this host does not have"));
    for (const char* reason : {"encrypted", "notencrypted", "forged"}) {
        CHECK(only(stranger(reason)).severity == Severity::problem);
    }
    CHECK(says(only(stranger("of a later version")), "of a later version"));
    const Finding other = only(stranger("foreign"));
    CHECK(other.severity == Severity::warning);
    CHECK(says(other, "\"port\""));
}

TEST_CASE("doctor: a link without keys is noted") {
    const Finding finding = only(with("/config/encrypted", false));
    CHECK(finding.severity == Severity::note);
    CHECK(says(finding, "netkeyfile"));
    CHECK(says(finding, "ncctl genkey --file"));
}

TEST_CASE("doctor: text wraps between words, commands stand alone, the end counts") {
    const std::string text = findingsText(judge(with("/interfaces/1/running", false)));
    CHECK(
        text.starts_with("problem  interface eth0 has no carrier\n"
                         "         Look at the cable, the switch, or the wireless network:\n"
                         "           " +
                         type::lookAtCarrier("eth0").front() + "\nok       "));
    CHECK(text.ends_with("1 problem, 0 warnings\n"));
    Json alone = healthy();
    alone["hosts"].erase(1);
    std::istringstream lines(findingsText(judge(alone)));
    for (std::string line; std::getline(lines, line);) {
        const bool command = line.starts_with("           ");
        CHECK((command || line.size() <= 101));
    }
}

TEST_CASE("doctor: as JSON") {
    const Json list = findingsJson(judge(with("/config/ttl", 0)));
    CHECK(list.at(0).at("severity") == "problem");
    CHECK(list.at(0).at("what").get<std::string>().find("ttl") != std::string::npos);
    CHECK(list.at(0).at("commands") == Json{"ncctl reloadconfig"});
    CHECK(list.at(1).at("severity") == "ok");
}

TEST_CASE("doctor: names from the network cannot move the cursor") {
    Json facts = with("/hosts/1/name", "be\x1b[2Jta");
    facts["duplicatenames"] = {"\x1b[31m"};
    facts["strangers"] = {{{"address", "\x1b[1m"}, {"reason", "\x1b[0m"}}};
    CHECK(findingsText(judge(facts)).find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace netcluster::ctl
