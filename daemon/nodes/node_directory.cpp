// NodeDirectory: our clients' nodes, and who is there.
#include "node_directory.hpp"

#include <netcluster/control.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace netcluster::daemon {

using nlohmann::json;

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
        return "there is a node " + node.said.id + " of another client of this host";
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
