#include "node_directory.hpp"

#include <algorithm>
#include <netcluster/control.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace netcluster::daemon {
namespace {

using nlohmann::json;

std::size_t textSize(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace).size();
}

std::size_t textSize(const Node& node) {
    return textSize(nodeJson(node));
}

// A host that does not answer is asked less and less often, but is asked: it may be one that does
// not hear us yet. (One of an earlier version never answers.)
constexpr unsigned longestPatience = 8;

std::optional<std::uint64_t> serialIn(const json& data) {
    const auto found = data.find("serial");
    if (found == data.end() || !found->is_number_unsigned()) return {};
    return found->get<std::uint64_t>();
}

wire::Uuid hostIn(const json& data) {
    const auto found = data.find("host");
    if (found == data.end() || !found->is_string()) return {};
    return wire::uuidFromText(found->get_ref<const std::string&>());
}

}  // namespace

NodeDirectory::NodeDirectory(const wire::Uuid& host, std::string hostName, NodeEvents& events)
    : host_(host), hostName_(std::move(hostName)), events_(events) {}

// The other hosts are told all of it, for all of it has changed.
void NodeDirectory::setHostName(const std::string& name) {
    if (std::exchange(hostName_, name) == name) return;
    for (auto& [id, node] : nodes_) {
        if (!isOurs(node)) continue;
        ours_.subtract(node);
        node.hostName = name;
        node.text = textSize(node);
        ours_.add(node);
        events_.onNodeChanged(node);
    }
    if (ours_.nodes != 0) asked_ = true;
}

// -- our clients' nodes ------------------------------------------------------------------------

std::string NodeDirectory::add(const wire::Uuid& client, NodeDescription said, std::int64_t now) {
    Node node;
    node.said = std::move(said);
    node.host = host_;
    node.hostName = hostName_;
    node.since = now;
    node.client = client;
    if (std::string why = whyNot(client, node); !why.empty()) return why;
    node.text = textSize(node);
    const auto [found, isNew] = nodes_.try_emplace(node.said.id, node);
    if (isNew) {
        Client& siblings = ofClient_[client];
        siblings.ids.insert(node.said.id);
        if (siblings.stats) untoldClients_.insert(client);
    } else {
        if (found->second.said == node.said) return {};
        ours_.subtract(found->second);
        node.since = found->second.since;
        found->second = std::move(node);
    }
    ours_.add(found->second);
    tellChange({{"node", nodeJson(found->second)}});
    isNew ? events_.onNodeOnline(found->second) : events_.onNodeChanged(found->second);
    return {};
}

std::string NodeDirectory::whyNot(const wire::Uuid& client, const Node& node) const {
    const Node* const other = find(node.said.id);
    if (other && !isOurs(*other)) {
        return "there is a node " + node.said.id + " on host " + other->hostName;
    }
    if (other && other->client != client) {
        return "there is a node " + node.said.id + " of another client";
    }
    if (ours_.text + textSize(node) > maxText_) {
        return "the nodes of this host say too much: more than " + std::to_string(maxText_) +
               " bytes together";
    }
    if (other) return {};
    const auto* const siblings = ofClient(client);
    if (siblings && siblings->size() >= maxNodesOfClient) {
        return "more than " + std::to_string(maxNodesOfClient) + " nodes of one client";
    }
    if (ours_.nodes >= maxNodesOfHost) {
        return "more than " + std::to_string(maxNodesOfHost) + " nodes of one host";
    }
    return {};
}

bool NodeDirectory::remove(const wire::Uuid& client, std::string_view id) {
    const Node* const node = find(id);
    if (!node || !isOurs(*node) || node->client != client) return false;
    dropOurs(std::string(id), "unregistered");
    return true;
}

void NodeDirectory::removeClient(const wire::Uuid& client) {
    const auto found = ofClient_.find(client);
    if (found == ofClient_.end()) return;
    const auto ids = found->second.ids;
    for (const std::string& id : ids) dropOurs(id, "disconnected");
}

void NodeDirectory::dropOurs(const std::string& id, std::string_view why) {
    tellChange({{"gone", id}, {"why", why}});
    erase(nodes_.find(id), why);
}

void NodeDirectory::erase(Nodes::iterator found, std::string_view why) {
    const Node node = std::move(nodes_.extract(found).mapped());
    if (isOurs(node)) {
        ours_.subtract(node);
        const auto siblings = ofClient_.find(node.client);
        siblings->second.ids.erase(node.said.id);
        if (siblings->second.ids.empty()) {
            ofClient_.erase(siblings);
            untoldClients_.erase(node.client);
        }
    } else {
        forgotten(node);
        untoldNodes_.erase(node.said.id);
    }
    events_.onNodeExpired(node, why);
    promote(node.said.id);
}

void NodeDirectory::tellChange(json change) {
    change["host"] = wire::uuidText(host_);
    change["serial"] = ++serial_;
    events_.tellHosts(control::nodeChange, change);
}

// -- other hosts -------------------------------------------------------------------------------

// One that has our own identity is none whose nodes could be told from ours.
void NodeDirectory::onHostOnline(const wire::Uuid& id) {
    if (id == host_) return;
    if (hosts_.size() >= maxHosts && !hosts_.contains(id)) return;
    Host& host = hosts_[id];
    host.known = false;
    host.patience = 1;
    want(id, host);
}

void NodeDirectory::onHostExpired(const wire::Uuid& id) {
    if (hosts_.erase(id) != 0) forgetNodesOf(id, {}, "host");
}

void NodeDirectory::onHostGap(const wire::Uuid& id) {
    if (const auto found = hosts_.find(id); found != hosts_.end()) want(id, found->second);
}

void NodeDirectory::askAgain() {
    for (auto& [id, host] : hosts_) {
        if (host.known || ++host.waited < host.patience) continue;
        host.waited = 0;
        host.patience = std::min(2 * host.patience, longestPatience);
        want(id, host);
    }
}

bool NodeDirectory::waits() const {
    return std::any_of(hosts_.begin(), hosts_.end(),
                       [](const auto& host) { return !host.second.known; });
}

void NodeDirectory::want(const wire::Uuid& id, Host& host) {
    if (host.known) host.patience = 1;
    host.known = false;
    events_.tellHosts(control::nodesWanted, {{"host", wire::uuidText(id)}});
}

void NodeDirectory::answer() {
    asked_ = false;
    // Who asks has missed what was told of them.
    for (const auto& [client, about] : ofClient_) {
        if (about.stats) untoldClients_.insert(client);
    }
    json all = json::array();
    for (const auto& [id, node] : nodes_) {
        if (isOurs(node)) all.push_back(nodeJson(node));
    }
    events_.tellHosts(
        control::allNodes,
        {{"host", wire::uuidText(host_)}, {"serial", serial_}, {"nodes", std::move(all)}});
}

std::string NodeDirectory::onHostEvent(std::string_view event, const json& data) {
    if (!data.is_object()) return "not an object";
    const wire::Uuid id = hostIn(data);
    if (id == wire::Uuid{}) return "host is not a uuid";
    if (event == control::nodesWanted) {
        if (id == host_) asked_ = true;
        return {};
    }
    const auto found = hosts_.find(id);
    if (found == hosts_.end()) return {};  // its sign of life is yet to come; then we ask
    if (event == control::nodeChange) return onChange(id, found->second, data);
    if (event == control::allNodes) return onAll(id, found->second, data);
    if (event == control::nodeStats) return onStats(id, data);
    return {};  // of a newer version
}

std::string NodeDirectory::onChange(const wire::Uuid& id, Host& host, const json& data) {
    const auto serial = serialIn(data);
    if (!serial) return "serial is not a number";
    if (!host.known || *serial <= host.serial) return {};  // all of them are on their way, or told
    if (*serial != host.serial + 1) {
        want(id, host);
        return {};
    }
    host.serial = *serial;
    if (const auto gone = data.find("gone"); gone != data.end() && gone->is_string()) {
        const bool disconnected = data.value("why", json()) == "disconnected";
        forgetClaim(*gone, id, disconnected ? "disconnected" : "unregistered");
        return {};
    }
    std::string error;
    auto node = readNode(data.value("node", json()), error);
    if (!node) return error;
    if (node->host != id) return "the node is not of the host that tells it";
    return takeRemote(host, *std::move(node));
}

std::string NodeDirectory::onAll(const wire::Uuid& id, Host& host, const json& data) {
    const auto serial = serialIn(data);
    const auto list = data.find("nodes");
    if (!serial) return "serial is not a number";
    if (list == data.end() || !list->is_array() || list->size() > maxNodesOfHost) {
        return "nodes is not an array of nodes";
    }
    std::vector<Node> nodes;
    std::set<std::string> ids;
    for (const json& entry : *list) {
        std::string error;
        auto node = readNode(entry, error);
        if (!node) return error;
        if (node->host != id) return "a node is not of the host that tells it";
        ids.insert(node->said.id);
        nodes.push_back(*std::move(node));
    }
    host.known = true;
    host.serial = *serial;
    forgetNodesOf(id, ids, "unregistered");
    std::string wrong;
    for (Node& node : nodes) {
        if (std::string why = takeRemote(host, std::move(node)); !why.empty()) wrong = why;
    }
    return wrong;
}

// Both hosts come to the same result, each by itself.
bool NodeDirectory::isEarlier(const Node& one, const Node& other) {
    return std::pair(one.since, one.host) < std::pair(other.since, other.host);
}

std::string NodeDirectory::whyNotOf(const Host& host, const Node& node) const {
    if (node.text > maxNodeText) {
        return "a node says more than " + std::to_string(maxNodeText) + " bytes";
    }
    if (host.amount.nodes >= maxNodesOfHost) {
        return "more than " + std::to_string(maxNodesOfHost) + " nodes";
    }
    if (host.amount.text + node.text > maxDirectoryText) {
        return "its nodes say more than " + std::to_string(maxDirectoryText) + " bytes together";
    }
    if (elsewhere_.text + node.text > maxTextElsewhere) {
        return "the nodes of all hosts say more than " + std::to_string(maxTextElsewhere) +
               " bytes together";
    }
    return {};
}

// What is too much is not known here: what it said before is not true any more.
std::string NodeDirectory::takeRemote(Host& host, Node node) {
    const std::string id = node.said.id;
    node.client = {};
    node.text = textSize(node);
    dropClaims(id, node.host);
    const auto found = nodes_.find(id);
    const bool isKnown = found != nodes_.end() && found->second.host == node.host;
    if (isKnown && found->second == node) return {};
    if (isKnown) forgotten(found->second);
    if (std::string why = whyNotOf(host, node); !why.empty()) {
        if (isKnown) {
            host.amount.add(found->second);
            elsewhere_.add(found->second);
            erase(found, "refused");
        }
        return why;
    }
    host.amount.add(node);
    elsewhere_.add(node);
    if (!isKnown) {
        place(std::move(node));
        return {};
    }
    if (found->second.since == node.since) node.stats = found->second.stats;
    if (!node.stats) untoldNodes_.erase(id);
    found->second = std::move(node);
    events_.onNodeChanged(found->second);
    return {};
}

// A node of another host that is new here has its id, or claims it.
void NodeDirectory::place(Node node) {
    const std::string id = node.said.id;
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) {
        const auto made = nodes_.emplace(id, std::move(node)).first;
        return events_.onNodeOnline(made->second);
    }
    if (isEarlier(found->second, node)) {
        claims_.emplace(id, std::move(node));
        return;
    }
    const bool ours = isOurs(found->second);
    if (ours) {
        events_.onNodeRefused(found->second, node);
        tellChange({{"gone", id}, {"why", "refused"}});
    } else {
        claims_.emplace(id, found->second);
        elsewhere_.add(found->second);  // as a claim; `erase` takes the node's share
        if (const auto host = hosts_.find(found->second.host); host != hosts_.end()) {
            host->second.amount.add(found->second);
        }
    }
    claims_.emplace(id, std::move(node));  // the earliest of those
    erase(found, "refused");
}

// Of all that claim it, the earliest.
void NodeDirectory::promote(const std::string& id) {
    const auto [first, last] = claims_.equal_range(id);
    const auto best = std::min_element(first, last, [](const auto& one, const auto& other) {
        return isEarlier(one.second, other.second);
    });
    if (best == last) return;
    Node node = std::move(claims_.extract(best).mapped());
    node.stats.reset();  // as old as the claim
    const auto made = nodes_.emplace(id, std::move(node)).first;
    events_.onNodeOnline(made->second);
}

void NodeDirectory::dropClaims(const std::string& id, const wire::Uuid& host) {
    const auto [first, last] = claims_.equal_range(id);
    for (auto at = first; at != last;) {
        const auto claim = at++;
        if (claim->second.host != host) continue;
        forgotten(claim->second);
        claims_.erase(claim);
    }
}

// It counts no more among what its host tells.
void NodeDirectory::forgotten(const Node& node) {
    elsewhere_.subtract(node);
    if (const auto host = hosts_.find(node.host); host != hosts_.end()) {
        host->second.amount.subtract(node);
    }
}

void NodeDirectory::forgetClaim(const std::string& id, const wire::Uuid& host,
                                std::string_view why) {
    dropClaims(id, host);
    const auto found = nodes_.find(id);
    if (found != nodes_.end() && found->second.host == host) erase(found, why);
}

void NodeDirectory::forgetNodesOf(const wire::Uuid& host, const std::set<std::string>& but,
                                  std::string_view why) {
    std::set<std::string> ids;
    for (const auto& [id, node] : nodes_) {
        if (node.host == host && !but.contains(id)) ids.insert(id);
    }
    for (const auto& [id, node] : claims_) {
        if (node.host == host && !but.contains(id)) ids.insert(id);
    }
    for (const std::string& id : ids) forgetClaim(id, host, why);
}

// -- how they are doing ------------------------------------------------------------------------

std::string NodeDirectory::report(const wire::Uuid& client, json stats) {
    const auto found = ofClient_.find(client);
    if (found == ofClient_.end()) return "you have no node";
    if (std::string why = whyNoStats(stats); !why.empty()) return why;
    Client& siblings = found->second;
    if (siblings.stats && *siblings.stats == stats) return {};
    if (siblings.ids.size() * textSize(stats) > maxText_) {
        return "the stats of all your nodes say too much: more than " + std::to_string(maxText_) +
               " bytes together";
    }
    siblings.stats = std::make_shared<const json>(std::move(stats));
    untoldClients_.insert(client);
    return {};
}

// Those of nodes that are not known here (yet) will be told again.
std::string NodeDirectory::onStats(const wire::Uuid& id, const json& data) {
    const auto list = data.find("stats");
    if (list == data.end() || !list->is_object() || list->size() > maxNodesOfHost) {
        return "stats is not an object of stats";
    }
    for (const auto& [node, stats] : list->items()) {
        const auto found = nodes_.find(node);
        if (found == nodes_.end() || found->second.host != id) continue;
        if (std::string why = whyNoStats(stats); !why.empty()) return why;
        found->second.stats = std::make_shared<const json>(stats);
        untoldNodes_.insert(node);
    }
    return {};
}

void NodeDirectory::tellStats() {
    json stats = takeOurStats();
    if (!stats.empty()) {
        events_.tellHosts(control::nodeStats, {{"host", wire::uuidText(host_)}, {"stats", stats}});
    }
    takeOtherStats(stats);
    if (!stats.empty()) events_.onStats(stats);
}

json NodeDirectory::takeOurStats() {
    json taken = json::object();
    std::size_t text = 0;
    while (!untoldClients_.empty()) {
        auto next = untoldClients_.upper_bound(lastClientTold_);
        if (next == untoldClients_.end()) next = untoldClients_.begin();
        const Client& client = ofClient_.at(*next);
        text += client.ids.size() * textSize(*client.stats);
        if (text > maxStatsText && !taken.empty()) break;
        for (const std::string& id : client.ids) taken[id] = *client.stats;
        lastClientTold_ = *next;
        untoldClients_.erase(next);
    }
    return taken;
}

void NodeDirectory::takeOtherStats(json& into) {
    std::size_t text = 0;
    while (!untoldNodes_.empty() && text < maxStatsText) {
        auto next = untoldNodes_.upper_bound(lastNodeTold_);
        if (next == untoldNodes_.end()) next = untoldNodes_.begin();
        const json& stats = *nodes_.at(*next).stats;
        text += textSize(stats);
        into[*next] = stats;
        lastNodeTold_ = *next;
        untoldNodes_.erase(next);
    }
}

const json* NodeDirectory::statsOf(const Node& node) const {
    if (!isOurs(node)) return node.stats.get();
    const auto found = ofClient_.find(node.client);
    return found == ofClient_.end() ? nullptr : found->second.stats.get();
}

// -- who is there ------------------------------------------------------------------------------

const Node* NodeDirectory::find(std::string_view id) const {
    const auto found = nodes_.find(id);
    return found == nodes_.end() ? nullptr : &found->second;
}

const std::set<std::string, std::less<>>* NodeDirectory::ofClient(const wire::Uuid& client) const {
    const auto found = ofClient_.find(client);
    return found == ofClient_.end() ? nullptr : &found->second.ids;
}

}  // namespace netcluster::daemon
