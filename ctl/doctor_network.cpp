// The doctor's look at this host: configuration, interfaces, socket buffers.
#include <algorithm>

#include "doctor_checks.hpp"
#include "doctor_commands.hpp"
#include "values.hpp"

namespace netcluster::ctl {
namespace {

using type::Commands;

/// What the system must let through for the smallest network there is: IPv6's minimum.
constexpr double leastMtu = 1280;

bool isV6(const std::string& group) {
    return group.find(':') != std::string::npos;
}

bool namesInterface(const Json& facts) {
    const std::string setting = textIn(configIn(facts), "netinterface");
    return !setting.empty() && setting != "all";
}

bool hasName(const Json& interface, const std::string& setting) {
    if (textIn(interface, "name") == setting) return true;
    const Json& addresses = member(interface, "addresses");
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const Json& address) { return address == setting; });
}

std::vector<const Json*> chosenIn(const Json& facts) {
    std::vector<const Json*> chosen;
    for (const Json& interface : member(facts, "interfaces")) {
        if (flagIn(interface, "chosen")) chosen.push_back(&interface);
    }
    return chosen;
}

/// Interfaces that could multicast and are down, as commands that mend it.
Commands waysUp(const Json& facts) {
    Commands commands;
    for (const Json& interface : member(facts, "interfaces")) {
        if (flagIn(interface, "up") || flagIn(interface, "loopback") ||
            !flagIn(interface, "multicast")) {
            continue;
        }
        commands = type::all(std::move(commands), type::bringUp(textIn(interface, "name")));
    }
    return commands;
}

void noneChosen(const Json& facts, Findings& findings) {
    const std::string setting = textIn(configIn(facts), "netinterface");
    if (!namesInterface(facts)) {
        findings.push_back({Severity::problem, "no interface of this host is up and can multicast",
                            "Bring one up, or reach the other hosts as \"peers\".", waysUp(facts)});
        return;
    }
    for (const Json& interface : member(facts, "interfaces")) {
        if (!hasName(interface, setting)) continue;
        const std::string name = textIn(interface, "name");
        findings.push_back({Severity::problem, "interface " + name + " (\"netinterface\") is down",
                            "Bring it up:", type::bringUp(name)});
        return;
    }
    findings.push_back({Severity::problem,
                        "no interface has the name or address " + setting + " (\"netinterface\")",
                        "Set it to one of those that are there, or leave it out, then reload:",
                        type::all(type::listAddresses(), Commands{reload})});
}

void loopbackChosen(const Json& facts, const std::string& name, Findings& findings) {
    const std::string what = name + " is the loopback: only daemons of this host are reached";
    if (namesInterface(facts)) {
        findings.push_back({Severity::note,
                            what,
                            "That is what \"netinterface\" says. To reach other hosts, leave it "
                            "out.",
                            {}});
    } else {
        findings.push_back({Severity::warning, what,
                            "There is no other interface that is up and can multicast.",
                            waysUp(facts)});
    }
}

void checkRoute(const Json& facts, const Json& interface, Findings& findings) {
    if (flagIn(interface, "route", true)) return;
    const std::string name = textIn(interface, "name");
    const std::string group = groupIn(facts);
    const std::string what = "the system has no route to " + group + " out of " + name;
    if (isV6(group)) {
        findings.push_back(
            {Severity::problem, what, "IPv6 may be switched off on it:", type::allowIpv6(name)});
    } else {
        findings.push_back({Severity::problem, what, "Give it one:", type::giveRoute(group, name)});
    }
}

void checkMembership(const Json& facts, const Json& interface, Findings& findings) {
    const std::string name = textIn(interface, "name");
    const std::string group = groupIn(facts);
    if (!flagIn(interface, "joined", true)) {
        findings.push_back({Severity::problem, "the link has not joined " + group + " on " + name,
                            "The daemon tries again every few seconds; its log says why it cannot:",
                            type::daemonLog(name)});
    } else if (!flagIn(interface, "member", true)) {
        findings.push_back({Severity::problem,
                            "the system does not count this host as a member of " + group + " on " +
                                name + ", though the link has joined (IGMP, MLD)",
                            "Switches then send nothing here. See what it lists, and join anew by "
                            "restarting the daemon:",
                            type::lookAtMemberships(name)});
    }
}

void checkDevice(const Json& interface, Findings& findings) {
    const std::string name = textIn(interface, "name");
    if (!flagIn(interface, "up", true)) {
        findings.push_back({Severity::problem, "interface " + name + " is down",
                            "Bring it up:", type::bringUp(name)});
    } else if (!flagIn(interface, "running", true)) {
        findings.push_back(
            {Severity::problem, "interface " + name + " has no carrier",
             "Look at the cable, the switch, or the wireless network:", type::lookAtCarrier(name)});
    }
    if (!flagIn(interface, "multicast", true) && !flagIn(interface, "loopback")) {
        findings.push_back({Severity::problem, "interface " + name + " cannot multicast",
                            "Switch it on, or, where the network cannot (a VPN), name the other "
                            "hosts as \"peers\":",
                            type::allowMulticast(name)});
    }
    const double mtu = numberIn(interface, "mtu");
    if (mtu > 0 && mtu < leastMtu) {
        findings.push_back({Severity::problem,
                            "interface " + name + " has an MTU of " + fixed(mtu, 0) +
                                " bytes: full datagrams of the link need " + fixed(leastMtu, 0),
                            "Raise it, on every host and switch between:", type::raiseMtu(name)});
    }
}

void checkBuffer(const Json& buffers, const std::string& which, Severity severity,
                 Findings& findings) {
    const Json& buffer = member(buffers, which);
    const double asked = numberIn(buffer, "asked");
    const double granted = numberIn(buffer, "granted");
    if (granted >= asked || granted <= 0) return;  // 0: unknown
    findings.push_back({severity,
                        "the system gives the link a " + which + " buffer of " + byteSize(granted) +
                            "; it asked for " + byteSize(asked),
                        which == "receive"
                            ? "What comes faster than the daemon reads is lost and must be "
                              "repaired. Raise the limit (outside of a container, on its host), "
                              "and restart the daemon:"
                            : "Sending may be slower for it. Raise the limit (outside of a "
                              "container, on its host), and restart the daemon:",
                        type::raiseBuffer(which, fixed(asked, 0))});
}

}  // namespace

void checkGroup(const Json& facts, Findings& findings) {
    const std::string group = groupIn(facts);
    const Json& peers = member(configIn(facts), "peers");
    if (group.empty() && (!peers.is_array() || peers.empty())) {
        findings.push_back({Severity::problem,
                            "there is neither a multicast group (\"addr\") nor a peer (\"peers\")",
                            "Set one of them in config.json, then:",
                            {reload}});
    }
    if (group.starts_with("224.0.0.")) {
        findings.push_back(
            {Severity::warning,
             "the group " + group + " is reserved for the network's own protocols",
             "Switches and routers may treat it in ways of their own. Choose one from 239.255.0.0 "
             "to 239.255.255.255 as \"addr\", on every host, then:",
             {reload}});
    }
}

void checkTtl(const Json& facts, Findings& findings) {
    if (groupIn(facts).empty() || numberIn(configIn(facts), "ttl", 1) > 0) return;
    findings.push_back({Severity::problem,
                        "\"ttl\" is 0: no multicast datagram leaves this host",
                        "Set it to 1 in config.json, or more if there are routers between, then:",
                        {reload}});
}

void checkSecrecy(const Json& facts, Findings& findings) {
    if (flagIn(configIn(facts), "encrypted", true)) return;
    findings.push_back({Severity::note,
                        "the link is not encrypted: whoever is on the network can read and forge",
                        "Make a file of keys, copy it to every host, name it as \"netkeyfile\" in "
                        "their config.json, then reload:",
                        type::all(type::makeKeys(), Commands{reload})});
}

void checkInterfaces(const Json& facts, Findings& findings) {
    if (groupIn(facts).empty() || !member(facts, "interfaces").is_array()) return;
    const auto chosen = chosenIn(facts);
    if (chosen.empty()) return noneChosen(facts, findings);
    for (const Json* interface : chosen) {
        const std::size_t before = findings.size();
        const std::string name = textIn(*interface, "name");
        if (flagIn(*interface, "loopback")) loopbackChosen(facts, name, findings);
        checkDevice(*interface, findings);
        checkRoute(facts, *interface, findings);
        checkMembership(facts, *interface, findings);
        if (findings.size() != before) continue;
        const double mtu = numberIn(*interface, "mtu");
        findings.push_back({Severity::ok, name + " is up and has joined " + groupIn(facts) +
                                              (mtu > 0 ? "; MTU " + fixed(mtu, 0) : "")});
    }
}

void checkBuffers(const Json& facts, Findings& findings) {
    const Json& buffers = member(facts, "buffers");
    const std::size_t before = findings.size();
    checkBuffer(buffers, "receive", Severity::warning, findings);
    checkBuffer(buffers, "send", Severity::note, findings);
    if (const double lost = numberIn(facts, "overflowed"); lost > 0) {
        findings.push_back({Severity::warning,
                            plural(lost, "datagram") +
                                " came faster than the daemon reads and had to be repaired or lost",
                            "This host was too busy, or its receive buffer is too small "
                            "(net.core.rmem_max). Is it still counting up?",
                            {"ncctl stats | grep overflowed"}});
    }
    if (buffers.is_object() && findings.size() == before) {
        findings.push_back({Severity::ok, "the system gives the link the buffers it asks for"});
    }
}

}  // namespace netcluster::ctl
