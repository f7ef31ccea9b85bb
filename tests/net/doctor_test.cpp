// What ncctl doctor finds on hosts whose network is broken in the ways it knows, one by one.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "keys.hpp"
#include "lab.hpp"
#include "printing.hpp"
#include "stream.hpp"

using namespace netcluster::scenario;

namespace {

struct Diagnosis {
    int status = 0;
    Json findings;
    Json facts;

    /// The first finding of that severity whose sentence has this part; null when there is none.
    Json finding(const std::string& severity, const std::string& part) const {
        const auto found = std::find_if(findings.begin(), findings.end(), [&](const Json& one) {
            return one.at("severity") == severity &&
                   one.at("what").get<std::string>().find(part) != std::string::npos;
        });
        return found == findings.end() ? Json() : *found;
    }
    bool has(const std::string& severity, const std::string& part) const {
        return !finding(severity, part).is_null();
    }
};

Diagnosis examine(const Host& host) {
    Process doctor({NETCLUSTER_NCCTL, "--dir", host.daemon().runDir(), "--json", "doctor", "--wait",
                    std::to_string(slowness())});
    Diagnosis diagnosis;
    diagnosis.status = doctor.wait();
    REQUIRE(doctor.out.waitForEnd());
    const Json answer = Json::parse(doctor.out.text());
    diagnosis.findings = answer.at("findings");
    diagnosis.facts = answer.at("facts");
    return diagnosis;
}

/// Until the doctor of `host` says this; what else it says then.
Diagnosis awaitFinding(const Host& host, const std::string& severity, const std::string& part) {
    Diagnosis diagnosis;
    await(host.name() + "'s doctor says " + part, [&] {
        diagnosis = examine(host);
        return diagnosis.has(severity, part);
    });
    return diagnosis;
}

}  // namespace

TEST_CASE("hosts that hear each other are told so, and nothing is wrong") {
    Lab lab({{}, {}});
    for (std::size_t n : {0U, 1U}) {
        const std::string other = lab[1 - n].name();
        const Diagnosis diagnosis = awaitFinding(lab[n], "ok", other + " answers");
        CAPTURE(diagnosis.findings.dump(1));
        CHECK(diagnosis.status == 0);
        CHECK(diagnosis.has("ok", "eth0 is up and has joined"));
        const Json& host = diagnosis.facts.at("hosts").at(1);
        CHECK(host.at("probe").at("small") == true);
        CHECK(host.at("probe").at("large") == true);
        CHECK(host.at("probe").at("roundtripms").get<double>() > 0);
        CHECK(std::abs(host.at("probe").at("clockoffsetms").get<double>()) < 1000);
    }
}

TEST_CASE("a host whose firewall lets nothing in is heard and does not hear") {
    Lab lab({{}, {}});
    awaitFinding(lab[0], "ok", "h2 answers");
    lab[1].network().nft(
        "table inet wall {\n chain in {\n  type filter hook input priority 0\n"
        "  meta l4proto udp drop\n }\n}\n");
    const Diagnosis diagnosis = awaitFinding(lab[0], "problem", "h2 is heard, but does not hear");
    CAPTURE(diagnosis.findings.dump(1));
    CHECK(diagnosis.status == 1);
    CHECK(diagnosis.facts.at("hosts").at(1).at("hearsus") == false);
}

TEST_CASE("an MTU that is too small shows on both hosts") {
    Lab lab({{}, {}});
    awaitFinding(lab[0], "ok", "h2 answers");
    lab[1].network().ip("link set eth0 mtu 1200");
    const Diagnosis own = awaitFinding(lab[1], "problem", "eth0 has an MTU of 1200");
    CHECK(own.status == 1);
    const Diagnosis other = awaitFinding(lab[0], "problem", "small datagrams reach h2");
    CAPTURE(other.findings.dump(1));
    const Json commands = other.finding("problem", "small datagrams reach h2").at("commands");
    CHECK(commands.at(0) == "ping -c 3 -M do -s 1232 10.77.0.2");
}

TEST_CASE("a cable that is pulled out, and an interface that is down") {
    Lab lab({{.more = R"("netinterface": "eth0")"}, {.more = R"("netinterface": "eth0")"}});
    awaitFinding(lab[0], "ok", "h2 answers");
    lab[1].network().ip("link set eth0 down");
    awaitFinding(lab[0], "problem", "eth0 has no carrier");
    const Diagnosis down = awaitFinding(lab[1], "problem", "eth0 (\"netinterface\") is down");
    CHECK(down.finding("problem", "is down").at("commands").at(0) == "ip link set dev eth0 up");
    lab[1].network().ip("link set eth0 up");
    awaitFinding(lab[1], "ok", "h1 answers");
}

TEST_CASE("hosts with other keys, or none, are strangers") {
    const KeyFile first(firstKey);
    const KeyFile second(secondKey);
    const KeyFile third(secondKey, 2);
    Lab lab({{.more = first.setting()}, {.more = second.setting()}, {.more = third.setting()}, {}},
            unplugged);
    for (std::size_t n = 0; n < lab.size(); ++n) lab.plug(lab[n]);
    const Diagnosis encrypted = awaitFinding(lab[0], "problem", "10.77.0.4");
    CHECK(encrypted.has("problem", "it is not encrypted"));
    CHECK(encrypted.status == 1);
    awaitFinding(lab[0], "problem", "its key is not ours");
    awaitFinding(lab[0], "problem", "a key that this host does not have");
    awaitFinding(lab[3], "problem", "it is encrypted, and this host has no key");
    CHECK(encrypted.has("warning", "no other host has been heard"));
}
