// NodeDirectory: how nodes are doing.
#include "node_directory.hpp"

#include <netcluster/control.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace netcluster::daemon {

using nlohmann::json;

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

}  // namespace netcluster::daemon
