// The doctor's look at the others: peers, hosts that are heard, senders that cannot be read.
#include <algorithm>
#include <array>
#include <cmath>

#include "doctor_checks.hpp"
#include "doctor_commands.hpp"
#include "values.hpp"

namespace netcluster::ctl {
namespace {

using type::Commands;

/// Times of events of two hosts can be compared by eye up to here.
constexpr double mostClockOffset = 1000;  // ms

/// "10.0.0.1:4454" and "[fe80::1%eth0]:4454" without the port.
std::string bareAddress(const std::string& endpoint) {
    if (endpoint.starts_with('[')) return endpoint.substr(1, endpoint.find(']') - 1);
    return endpoint.substr(0, endpoint.rfind(':'));
}

template <typename Visit>
void forEachOtherHost(const Json& facts, Visit visit) {
    for (const Json& host : member(facts, "hosts")) {
        if (host.is_object() && !flagIn(host, "self")) visit(host);
    }
}

std::string nameOf(const Json& host) {
    const std::string name = textIn(host, "name");
    return name.empty() ? "a host without a name" : name;
}

/// Why a datagram could not be read, in words, and whether keys are why.
struct Refusal {
    std::string_view reason;
    const char* words;
    bool keys = false;
};
constexpr std::array<Refusal, 6> refusals{
    {{"encrypted", "it is encrypted, and this host has no key", true},
     {"notencrypted", "it is not encrypted, and this host has a key", true},
     {"unknownkey", "it is encrypted with a key that this host does not have", true},
     {"forged", "its key is not ours, though it has the same id, or somebody changed it", true},
     {"foreign", "it is not of netcluster"},
     {"version", "it is of another version of the link"}}};

Refusal refusalFor(const std::string& reason) {
    for (const Refusal& refusal : refusals) {
        if (refusal.reason == reason) return refusal;
    }
    return {reason, nullptr};
}

void nobodyHeard(const Json& facts, Findings& findings) {
    const std::string port = portIn(facts);
    std::string advice =
        "Does ncserver run there, with the same \"addr\", \"port\" and keys? Ask its doctor, too. "
        "The "
        "firewalls must let UDP port " +
        port + " in";
    Commands commands = type::letIn(port);
    if (!groupIn(facts).empty()) {
        advice +=
            ", and IGMP (IPv6: MLD). A switch or bridge with IGMP snooping needs a querier, or it "
            "stops forwarding after some minutes. Where multicast does not work, name the hosts as "
            "\"peers\"";
        commands = type::all(std::move(commands), type::beQuerier());
    }
    commands = type::all(std::move(commands), type::watch(port));
    findings.push_back({Severity::warning, "no other host has been heard",
                        advice + ". For this, and to see what arrives:", std::move(commands)});
}

void oneWay(const Json& facts, const Json& host, Findings& findings) {
    const std::string name = nameOf(host);
    findings.push_back({Severity::problem, name + " is heard, but does not hear us",
                        "Look there: does its firewall let UDP port " + portIn(facts) +
                            " in, and does its doctor find a fault? On " + name + ":",
                        type::all({"ncctl doctor"}, type::lookAtFirewall(portIn(facts)),
                                  type::watch(portIn(facts)))});
}

/// What its answer to our question says.
void checkProbe(const Json& host, Findings& findings) {
    const Json& probe = member(host, "probe");
    if (!probe.is_object()) return;
    const std::string name = nameOf(host);
    const std::string address = bareAddress(textIn(host, "address"));
    if (!flagIn(probe, "small", true)) {
        findings.push_back({Severity::warning,
                            name + " is heard, but did not answer in time",
                            "It may be busy, or unreachable since a moment ago. Ask again, and "
                            "give it more time:",
                            {"ncctl doctor --wait 5"}});
    } else if (!flagIn(probe, "large", true)) {
        findings.push_back(
            {Severity::problem,
             "small datagrams reach " + name +
                 " and come back, full ones do not: somewhere "
                 "between, the MTU is too small (a black hole)",
             "Find out where, and raise it to 1500 there, or lower it on the interfaces at both "
             "ends:",
             type::tracePath(address)});
    } else if (flagIn(probe, "small")) {
        const double roundTrip = numberIn(probe, "roundtripms", -1);
        findings.push_back(
            {Severity::ok, name + " answers" +
                               (roundTrip < 0 ? "" : " in " + fixed(roundTrip, 2) + " ms") +
                               ", small datagrams and full ones"});
    }
    const double offset = numberIn(probe, "clockoffsetms");
    if (std::abs(offset) <= mostClockOffset) return;
    findings.push_back({Severity::warning,
                        "the clock of " + name + " is " + fixed(std::abs(offset) / 1000, 1) +
                            " s " + (offset > 0 ? "ahead of" : "behind") + " ours",
                        "The link does not mind, but times in logs and events cannot be compared. "
                        "On both hosts:",
                        type::setClock()});
}

bool isNew(const Json& facts, const Json& host) {
    constexpr double heartbeats = 5;
    const double uptime = numberIn(host, "uptime", -1);
    return uptime >= 0 && uptime < heartbeats * numberIn(configIn(facts), "heartbeat");
}

void checkHost(const Json& facts, const Json& host, Findings& findings) {
    const std::string name = nameOf(host);
    if (!flagIn(host, "online", true)) {
        const double silent = std::clamp(numberIn(host, "lastheard"), 0.0, 1e15);
        findings.push_back({Severity::note,
                            name + " was here and has not been heard for " +
                                duration(static_cast<std::uint64_t>(silent / 1000)),
                            "If it should be: does ncserver run there?", type::daemonStatus()});
        return;
    }
    if (const std::string via = textIn(host, "via"); !via.empty()) {
        findings.push_back({Severity::ok, name + " is reached through " + cell(via), "", {}});
        return;
    }
    // Whoever answers hears us; whoever has only just come has not had the time to say so.
    const bool answers = flagIn(member(host, "probe"), "small");
    if (!flagIn(host, "hearsus", true) && !answers && !isNew(facts, host)) {
        oneWay(facts, host, findings);
    } else {
        checkProbe(host, findings);
    }
    if (flagIn(host, "lagging")) {
        findings.push_back({Severity::note,
                            name + " does not keep up with what is sent",
                            "It is asked for less. Is that host busy?",
                            {}});
    }
    if (const double gaps = numberIn(member(host, "gaps"), "count"); gaps > 0) {
        findings.push_back({Severity::note,
                            "something of " + name + " never arrived, " + plural(gaps, "time"),
                            "Listeners were told (onGap). The daemon's log has the times:",
                            type::daemonLog("link:")});
    }
}

}  // namespace

void checkPeers(const Json& facts, Findings& findings) {
    const Json& peers = member(facts, "peers");
    for (const Json& peer : peers) {
        const std::string text = textIn(peer, "peer");
        if (text.empty()) continue;
        if (textIn(peer, "address").empty()) {
            findings.push_back({Severity::problem, "the peer " + text + " is not found",
                                "Correct it in config.json, or the name service:",
                                type::lookUp(bareAddress(text))});
        } else if (!flagIn(peer, "open", true)) {
            findings.push_back({Severity::problem, "nothing is sent to the peer " + text,
                                "This daemon has no socket for its kind of address (IPv4, IPv6). "
                                "The log says why:",
                                type::daemonLog("link:")});
        }
    }
    const Json& unicast = member(facts, "unicast");
    if (flagIn(unicast, "open", true)) return;
    const bool needed = peers.is_array() && !peers.empty();
    findings.push_back(
        {needed ? Severity::problem : Severity::note,
         "this daemon does not hear what is sent to this host alone",
         "Another daemon or program of this host has the port. Only one of them can have peers:",
         type::whoHasPort(portIn(facts))});
}

void checkStrangers(const Json& facts, Findings& findings) {
    for (const Json& stranger : member(facts, "strangers")) {
        const std::string reason = textIn(stranger, "reason");
        const Refusal refusal = refusalFor(reason);
        const std::string what = textIn(stranger, "address") + " sends what cannot be read here: " +
                                 (refusal.words ? refusal.words : reason) + " (" +
                                 plural(numberIn(stranger, "count"), "datagram") + ", the last " +
                                 duration(static_cast<std::uint64_t>(
                                     std::clamp(numberIn(stranger, "lastms"), 0.0, 1e15) / 1000)) +
                                 " ago)";
        if (refusal.keys) {
            findings.push_back({Severity::problem,
                                what,
                                "All hosts of a link need the same keys, or none. Compare them on "
                                "both hosts, and copy the file \"netkeyfile\" if they differ:",
                                {"ncctl keys list"}});
        } else {
            findings.push_back({Severity::warning,
                                what,
                                "Another program may use the same group and port, or another "
                                "version of netcluster. Choose another \"port\" to be alone.",
                                {}});
        }
    }
}

void checkHosts(const Json& facts, Findings& findings) {
    if (!member(facts, "hosts").is_array()) return;
    bool heard = false;
    forEachOtherHost(facts, [&](const Json& host) {
        heard = true;
        checkHost(facts, host, findings);
    });
    if (!heard) nobodyHeard(facts, findings);
}

void checkNames(const Json& facts, Findings& findings) {
    for (const Json& name : member(facts, "duplicatenames")) {
        findings.push_back({Severity::warning,
                            "several hosts are named " + cell(name),
                            "Listeners cannot tell them apart by Event::host. Give each a \"name\" "
                            "of its own in config.json, then:",
                            {reload}});
    }
}

}  // namespace netcluster::ctl
