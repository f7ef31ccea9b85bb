// Core: what it tells of the hosts on the link, and of why they might not be reached.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <netcluster/control.hpp>
#include <nlohmann/json.hpp>

#include "core.hpp"
#include "dump.hpp"
#include "host.hpp"
#include "host_stats.hpp"
#include "network_facts.hpp"

namespace netcluster::daemon {
namespace {

using nlohmann::json;
namespace ip = boost::asio::ip;

// Reason: each may send a datagram to every host; nobody needs more answers at a time.
constexpr long maxDoctors = 8;

// A host that is there is heard within one; more, for datagrams get lost.
constexpr int settlingHeartbeats = 5;

json noticeOf(const json& host) {
    json notice = json::object();
    for (const char* key : {"id", "name", "address", "version", "session"}) {
        notice[key] = host.value(key, "");
    }
    if (host.contains("via")) notice["via"] = host["via"];
    return notice;
}

std::optional<ip::address> groupOf(const config::LinkSettings& link) {
    boost::system::error_code notAnAddress;
    const auto group = ip::make_address(link.addr, notAnAddress);
    return notAnAddress ? std::nullopt : std::optional(group);
}

std::vector<std::string> chosenNames(const std::vector<link::InterfaceFacts>& all,
                                     const config::LinkSettings& settings, bool ipv6) {
    std::vector<link::Interface> interfaces;
    for (const auto& facts : all) interfaces.push_back(facts.interface);
    std::vector<std::string> names;
    for (const auto& one : link::chooseInterfaces(interfaces, settings.netInterface, ipv6).chosen) {
        names.push_back(one.name);
    }
    return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

json interfaceFacts(const config::LinkSettings& settings, const json& link) {
    const auto group = groupOf(settings);
    const auto all = link::readInterfaceFacts(group);
    const auto chosen = chosenNames(all, settings, group && group->is_v6());
    std::vector<std::string> joined;
    for (const json& one : link.value("interfaces", json::array())) {
        joined.push_back(one.value("name", ""));
    }
    json list = json::array();
    for (const link::InterfaceFacts& facts : all) {
        const link::Interface& interface = facts.interface;
        json addresses = json::array();
        for (const auto& address : interface.addresses) addresses.push_back(address.to_string());
        json& entry = list.emplace_back(json{{"name", interface.name},
                                             {"index", interface.index},
                                             {"up", interface.up},
                                             {"running", facts.running},
                                             {"multicast", interface.multicast},
                                             {"loopback", interface.loopback},
                                             {"addresses", std::move(addresses)},
                                             {"chosen", group && contains(chosen, interface.name)},
                                             {"joined", contains(joined, interface.name)}});
        // What the system does not tell is left out.
        if (facts.mtu != 0) entry["mtu"] = facts.mtu;
        if (facts.member) entry["member"] = *facts.member;
        if (facts.route) entry["route"] = *facts.route;
    }
    return list;
}

json configFacts(const config::LinkSettings& settings, const json& link) {
    return {{"connecttonet", settings.connectToNet},
            {"addr", settings.addr},
            {"port", settings.port},
            {"netinterface", settings.netInterface},
            {"ttl", settings.ttl},
            {"peers", settings.peers},
            {"encrypted", link.value("encrypted", false)},
            {"heartbeat", settings.heartbeat.count()}};
}

// Linux counts a socket's buffers twice; here they count as one asks for them.
json halved(const json& buffer) {
    return {{"asked", buffer.value("asked", std::uint64_t{0}) / 2},
            {"granted", buffer.value("granted", std::uint64_t{0}) / 2}};
}

json bufferFacts(const json& link) {
    json facts = json::object();
    const json buffers = link.value("buffers", json::object());
    for (const auto& [name, buffer] : buffers.items()) facts[name] = halved(buffer);
    const link::BufferLimits limits = link::readBufferLimits();
    facts["rmem_max"] = limits.receive;
    facts["wmem_max"] = limits.send;
    return facts;
}

json unicastFacts(const json& link) {
    const json unicast = link.value("unicast", json::object());
    return {{"open", unicast.value("ipv4", false) || unicast.value("ipv6", false)},
            {"ipv4", unicast.value("ipv4", false)},
            {"ipv6", unicast.value("ipv6", false)}};
}

// Two hosts under one name cannot be told apart by those who read it.
json duplicateNames(const json& hosts) {
    std::map<std::string, int> count;
    for (const json& host : hosts) {
        if (host.value("online", true)) ++count[host.value("name", "")];
    }
    json names = json::array();
    for (const auto& [name, times] : count) {
        if (times > 1) names.push_back(name);
    }
    return names;
}

}  // namespace

json Core::hosts() {
    return link_ ? link_->hosts() : json::array();
}

HostDescription Core::describeHost() const {
    const HostStats own = readHostStats();
    HostDescription host;
    host.load = own.load;
    host.cpus = own.cpus;
    host.memoryTotal = own.memoryTotal;
    host.memoryAvailable = own.memoryAvailable;
    host.rss = own.rss;
    host.clients = static_cast<std::uint32_t>(context_.clients);
    for (const auto& [name, channel] : channels_) {
        if (name != config::controlChannel) host.channels.push_back(name);
    }
    return host;
}

// The data of the notices that said so, one for each.
std::vector<json> Core::hostsOnline() {
    std::vector<json> notices;
    for (const json& host : hosts()) {
        if (host.value("online", false) && !host.value("self", false)) {
            notices.push_back(noticeOf(host));
        }
    }
    return notices;
}

std::vector<Notice> Core::standingNotices() {
    std::vector<Notice> notices;
    for (const json& host : hostsOnline()) notices.push_back({control::hostOnline, jsonText(host)});
    for (Notice& notice : nodes_.standing()) notices.push_back(std::move(notice));
    if (hostsKnown_) notices.push_back({control::hostsKnown, "{}"});
    return notices;
}

// A link that has just been opened knows nobody: agents that were here before must not take that
// for everybody's end.
void Core::awaitHosts(std::chrono::milliseconds heartbeat) {
    hostsKnown_ = false;
    hostsTimer_.expires_after(link_ ? settlingHeartbeats * heartbeat : 0 * heartbeat);
    hostsTimer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        hostsKnown_ = true;
        router_.onNetNotice(control::hostsKnown, "{}");
        router_.endTurn();
    });
}

// The link that knew them is gone. Posted, for we may be in the middle of somebody's turn.
void Core::tellForgotten(const std::vector<json>& hosts) {
    for (const json& host : hosts) {
        const json notice{{"id", host["id"]}, {"name", host["name"]}, {"why", "forgotten"}};
        router_.onNetNotice(control::hostExpired, jsonText(notice));
    }
    if (!hosts.empty()) boost::asio::post(io_, [this] { router_.endTurn(); });
}

// -- doctor ------------------------------------------------------------------------------------

void Core::doctor(std::chrono::milliseconds wait, Reply reply) {
    if (doctors_.use_count() > maxDoctors) {
        throw Error("several doctors are at work already; ask again when they are done");
    }
    probe(wait, [this, reply = std::move(reply), busy = doctors_](const json& hosts) {
        // Posted: the answer closes a turn of its own.
        boost::asio::post(io_, [this, reply, busy, hosts] { reply(doctorFactsOrError(hosts)); });
    });
}

// The hosts, each with how it answered within `wait`.
void Core::probe(std::chrono::milliseconds wait, Reply done) {
    if (!link_) return done(hosts());
    link_->probe(wait, std::move(done));
}

// What goes wrong while we ask the system is an answer, too.
json Core::doctorFactsOrError(const json& hosts) {
    try {
        return doctorFacts(hosts);
    } catch (const std::exception& error) {
        return {{"error", error.what()}};
    }
}

json Core::doctorFacts(json hosts) {
    const json link = link_ ? link_->stats() : json::object();
    json facts{{"config", configFacts(settings_.link, link)},
               {"connected", link_ != nullptr},
               {"interfaces", interfaceFacts(settings_.link, link)},
               {"buffers", bufferFacts(link)},
               {"overflowed",
                link.value("received", json::object()).value("overflowed", std::uint64_t{0})},
               {"peers", link.value("peers", json::array())},
               {"strangers", link_ ? link_->strangers() : json::array()},
               {"unicast", unicastFacts(link)}};
    facts["duplicatenames"] = duplicateNames(hosts);
    facts["hosts"] = std::move(hosts);
    return facts;
}

}  // namespace netcluster::daemon
