// NodeDirectory: what other hosts tell of their nodes, and who of two has an id.
#include "node_directory.hpp"

#include <algorithm>
#include <netcluster/control.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace netcluster::daemon {
namespace {

using nlohmann::json;

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

}  // namespace netcluster::daemon
