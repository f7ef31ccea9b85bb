#include "doctor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <netcluster/control.hpp>

#include "arguments.hpp"
#include "control_client.hpp"
#include "escape.hpp"
#include "values.hpp"

namespace netcluster::ctl {
namespace {

using Findings = std::vector<Finding>;
using Severity = Finding::Severity;

/// What the system must let through for the smallest network there is: IPv6's minimum.
constexpr double leastMtu = 1280;
/// Times of events of two hosts can be compared by eye up to here.
constexpr double mostClockOffset = 1000;  // ms

const char* const reload = "ncctl reloadconfig";

// -- facts in words ------------------------------------------------------------------------------

/// Safe to paste into a shell.
std::string word(const std::string& text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._:-/%@=").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string plural(double count, const std::string& what) {
    return fixed(count, 0) + ' ' + what + (count == 1 ? "" : "s");
}

/// "10.0.0.1:4454" and "[fe80::1%eth0]:4454" without the port.
std::string bareAddress(const std::string& endpoint) {
    if (endpoint.starts_with('[')) return endpoint.substr(1, endpoint.find(']') - 1);
    return endpoint.substr(0, endpoint.rfind(':'));
}

const Json& configIn(const Json& facts) {
    return member(facts, "config");
}
std::string groupIn(const Json& facts) {
    return textIn(configIn(facts), "addr");
}
std::string portIn(const Json& facts) {
    return fixed(numberIn(configIn(facts), "port"), 0);
}
bool isV6(const std::string& group) {
    return group.find(':') != std::string::npos;
}

bool namesInterface(const Json& facts) {
    const std::string setting = textIn(configIn(facts), "netinterface");
    return !setting.empty() && setting != "all";
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

// -- configuration -------------------------------------------------------------------------------

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
                        "Name a file of keys as \"netkeyfile\" in every host's config.json.",
                        {}});
}

// -- interfaces ----------------------------------------------------------------------------------

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
std::vector<std::string> waysUp(const Json& facts) {
    std::vector<std::string> commands;
    for (const Json& interface : member(facts, "interfaces")) {
        if (flagIn(interface, "up") || flagIn(interface, "loopback") ||
            !flagIn(interface, "multicast")) {
            continue;
        }
        commands.push_back("ip link set dev " + word(textIn(interface, "name")) + " up");
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
        findings.push_back({Severity::problem,
                            "interface " + name + " (\"netinterface\") is down",
                            "Bring it up:",
                            {"ip link set dev " + word(name) + " up"}});
        return;
    }
    findings.push_back({Severity::problem,
                        "no interface has the name or address " + setting + " (\"netinterface\")",
                        "Set it to one of those that are there, or leave it out, then reload:",
                        {"ip -brief address", reload}});
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
        findings.push_back({Severity::problem,
                            what,
                            "IPv6 may be switched off on it:",
                            {"sysctl -w net.ipv6.conf." + word(name) + ".disable_ipv6=0",
                             "ip -6 route show table local dev " + word(name)}});
    } else {
        findings.push_back({Severity::problem,
                            what,
                            "Give it one:",
                            {"ip route add " + word(group) + "/32 dev " + word(name),
                             "ip route get " + word(group) + " oif " + word(name)}});
    }
}

void checkMembership(const Json& facts, const Json& interface, Findings& findings) {
    const std::string name = textIn(interface, "name");
    const std::string group = groupIn(facts);
    if (!flagIn(interface, "joined", true)) {
        findings.push_back({Severity::problem,
                            "the link has not joined " + group + " on " + name,
                            "The daemon tries again every few seconds; its log says why it cannot:",
                            {"journalctl -u ncserver | grep " + word(name)}});
    } else if (!flagIn(interface, "member", true)) {
        findings.push_back({Severity::problem,
                            "the system does not count this host as a member of " + group + " on " +
                                name + ", though the link has joined (IGMP, MLD)",
                            "Switches then send nothing here. See what it lists, and join anew by "
                            "restarting the daemon:",
                            {"ip maddress show dev " + word(name), "systemctl restart ncserver"}});
    }
}

void checkDevice(const Json& interface, Findings& findings) {
    const std::string name = textIn(interface, "name");
    if (!flagIn(interface, "up", true)) {
        findings.push_back({Severity::problem,
                            "interface " + name + " is down",
                            "Bring it up:",
                            {"ip link set dev " + word(name) + " up"}});
    } else if (!flagIn(interface, "running", true)) {
        findings.push_back({Severity::problem,
                            "interface " + name + " has no carrier",
                            "Look at the cable, the switch, or the wireless network:",
                            {"ip -details link show dev " + word(name)}});
    }
    if (!flagIn(interface, "multicast", true) && !flagIn(interface, "loopback")) {
        findings.push_back({Severity::problem,
                            "interface " + name + " cannot multicast",
                            "Switch it on, or, where the network cannot (a VPN), name the other "
                            "hosts as \"peers\":",
                            {"ip link set dev " + word(name) + " multicast on"}});
    }
    const double mtu = numberIn(interface, "mtu");
    if (mtu > 0 && mtu < leastMtu) {
        findings.push_back({Severity::problem,
                            "interface " + name + " has an MTU of " + fixed(mtu, 0) +
                                " bytes: full datagrams of the link need " + fixed(leastMtu, 0),
                            "Raise it, on every host and switch between:",
                            {"ip link set dev " + word(name) + " mtu 1500"}});
    }
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
        findings.push_back({Severity::ok, name + " is up and has joined " + groupIn(facts) +
                                              "; MTU " + cell(member(*interface, "mtu"))});
    }
}

// -- buffers -------------------------------------------------------------------------------------

void checkBuffer(const Json& buffers, const std::string& which, const std::string& key,
                 Severity severity, Findings& findings) {
    const Json& buffer = member(buffers, which);
    const double asked = numberIn(buffer, "asked");
    const double granted = numberIn(buffer, "granted");
    if (granted >= asked || granted <= 0) return;  // 0: unknown
    const std::string setting = "net.core." + key + "=" + fixed(asked, 0);
    findings.push_back({severity,
                        "the system gives the link a " + which + " buffer of " + byteSize(granted) +
                            "; it asked for " + byteSize(asked),
                        which == "receive"
                            ? "What comes faster than the daemon reads is lost and must be "
                              "repaired. Raise the limit (outside of a container, on its host), "
                              "and restart the daemon:"
                            : "Sending may be slower for it. Raise the limit (outside of a "
                              "container, on its host), and restart the daemon:",
                        {"sysctl -w " + setting,
                         "echo " + setting + " > /etc/sysctl.d/60-netcluster-" + which + ".conf"}});
}

void checkBuffers(const Json& facts, Findings& findings) {
    const Json& buffers = member(facts, "buffers");
    const std::size_t before = findings.size();
    checkBuffer(buffers, "receive", "rmem_max", Severity::warning, findings);
    checkBuffer(buffers, "send", "wmem_max", Severity::note, findings);
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

// -- peers and strangers -------------------------------------------------------------------------

void checkPeers(const Json& facts, Findings& findings) {
    const Json& peers = member(facts, "peers");
    for (const Json& peer : peers) {
        const std::string text = textIn(peer, "peer");
        if (text.empty() || textIn(peer, "address") != "") continue;
        findings.push_back({Severity::problem,
                            "the peer " + text + " is not found",
                            "Correct it in config.json, or the name service:",
                            {"getent hosts " + word(bareAddress(text))}});
    }
    const Json& unicast = member(facts, "unicast");
    if (flagIn(unicast, "open", true)) return;
    const bool needed = peers.is_array() && !peers.empty();
    findings.push_back(
        {needed ? Severity::problem : Severity::note,
         "this daemon does not hear what is sent to this host alone",
         "Another daemon or program of this host has the port. Only one of them can have peers:",
         {"ss -lunp sport = :" + portIn(facts)}});
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

// -- hosts ---------------------------------------------------------------------------------------

void nobodyHeard(const Json& facts, Findings& findings) {
    const std::string port = portIn(facts);
    std::string advice =
        "Does ncserver run there, with the same \"addr\", \"port\" and keys? Ask its doctor, too. "
        "The "
        "firewalls must let UDP port " +
        port + " in";
    std::vector<std::string> commands{"nft add rule inet filter input udp dport " + port +
                                      " accept"};
    if (!groupIn(facts).empty()) {
        advice +=
            ", and IGMP (IPv6: MLD). A switch or bridge with IGMP snooping needs a querier, or it "
            "stops forwarding after some minutes. Where multicast does not work, name the hosts as "
            "\"peers\"";
        commands.emplace_back("ip link set dev BRIDGE type bridge mcast_querier 1");
    }
    commands.push_back("tcpdump -ni any udp port " + port);
    findings.push_back({Severity::warning, "no other host has been heard",
                        advice + ". For this, and to see what arrives:", std::move(commands)});
}

void oneWay(const Json& facts, const Json& host, Findings& findings) {
    const std::string name = nameOf(host);
    findings.push_back({Severity::problem,
                        name + " is heard, but does not hear us",
                        "Look there: does its firewall let UDP port " + portIn(facts) +
                            " in, and does its doctor find a fault? On " + name + ":",
                        {"ncctl doctor", "nft list ruleset | grep -n " + portIn(facts),
                         "tcpdump -ni any udp port " + portIn(facts)}});
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
             {"ping -c 3 -M do -s 1232 " + word(address), "tracepath -n " + word(address)}});
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
                        {"timedatectl status", "timedatectl set-ntp true"}});
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
                            "If it should be: does ncserver run there?",
                            {"systemctl status ncserver"}});
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
                            {"journalctl -u ncserver | grep 'link:'"}});
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

// -- all of it -----------------------------------------------------------------------------------

/// What ends the examination: there is nothing to look at.
bool linkIsOff(const Json& facts, Findings& findings) {
    if (!flagIn(configIn(facts), "connecttonet", true)) {
        findings.push_back({Severity::note,
                            "the link is switched off (\"connecttonet\"): this daemon serves its "
                            "own host alone",
                            "If that is not meant, set it to true in config.json, then:",
                            {reload}});
        return true;
    }
    if (flagIn(facts, "connected", true)) return false;
    findings.push_back({Severity::problem,
                        "the link is down: the daemon could not open it",
                        "Its log says why. Mend that, then let it try again:",
                        {"journalctl -u ncserver | grep 'link'", reload}});
    return true;
}

using Check = void (*)(const Json&, Findings&);
constexpr std::array<Check, 9> checks{checkGroup,   checkTtl,       checkInterfaces,
                                      checkBuffers, checkPeers,     checkHosts,
                                      checkNames,   checkStrangers, checkSecrecy};

const char* nameOf(Severity severity) {
    switch (severity) {
        case Severity::ok:
            return "ok";
        case Severity::note:
            return "note";
        case Severity::warning:
            return "warning";
        case Severity::problem:
            return "problem";
    }
    return "";
}

/// Broken between words, each line behind `indent`.
std::string wrapped(const std::string& text, const std::string& indent) {
    constexpr std::size_t width = 92;
    std::string lines;
    std::size_t column = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string next = text.substr(at, end - at);
        if (column != 0 && column + 1 + displayWidth(next) > width) {
            lines += '\n';
            column = 0;
        }
        lines += column == 0 ? (lines.empty() ? "" : indent) : " ";
        column += displayWidth(next) + (column == 0 ? 0 : 1);
        lines += next;
        at = end + 1;
    }
    return lines + '\n';
}

std::string summary(const Findings& findings) {
    const auto count = [&](Severity severity) {
        return static_cast<double>(
            std::count_if(findings.begin(), findings.end(),
                          [&](const Finding& one) { return one.severity == severity; }));
    };
    if (worstOf(findings) <= Severity::note) return "nothing is wrong\n";
    return plural(count(Severity::problem), "problem") + ", " +
           plural(count(Severity::warning), "warning") + "\n";
}

}  // namespace

std::vector<Finding> judge(const Json& facts) {
    Findings findings;
    if (linkIsOff(facts, findings)) return findings;
    for (const Check check : checks) check(facts, findings);
    return findings;
}

Severity worstOf(const std::vector<Finding>& findings) {
    Severity worst = Severity::ok;
    for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
    return worst;
}

std::string findingsText(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& finding : findings) {
        const std::string indent(9, ' ');
        std::string severity = nameOf(finding.severity);
        severity.resize(indent.size(), ' ');
        text += severity + wrapped(finding.what, indent);
        if (!finding.advice.empty()) text += indent + wrapped(finding.advice, indent);
        for (const std::string& command : finding.commands) text += indent + "  " + command + '\n';
    }
    return text + summary(findings);
}

Json findingsJson(const std::vector<Finding>& findings) {
    Json list = Json::array();
    for (const Finding& finding : findings) {
        list.push_back({{"severity", nameOf(finding.severity)},
                        {"what", finding.what},
                        {"advice", finding.advice},
                        {"commands", finding.commands}});
    }
    return list;
}

Status doctorCommand(const Call& call, Context& context) {
    std::chrono::milliseconds wait{1000};
    if (call.has("--wait")) {
        const auto given = parseSeconds(call.value("--wait"));
        if (!given || *given > std::chrono::minutes(1)) {
            return fail(context, Status::usage, "--wait needs a number of seconds, 60 at most");
        }
        wait = *given;
    }
    Patience patience = context.patience;
    patience.answer += wait;
    const auto reply = context.control.ask(control::doctor, {{"wait", wait.count()}}, patience);
    switch (reply.outcome) {
        case Answer::Outcome::answered:
            break;
        case Answer::Outcome::refused:
        case Answer::Outcome::unreachable:
            return failWith(context, Status::failed, reply.data);
        case Answer::Outcome::deadline:
            return failWith(context, Status::deadline, reply.data);
    }
    const auto findings = judge(reply.data);
    answer(context, {{"findings", findingsJson(findings)}, {"facts", reply.data}},
           findingsText(findings));
    return worstOf(findings) <= Severity::note ? Status::done : Status::failed;
}

}  // namespace netcluster::ctl
