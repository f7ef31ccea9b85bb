#include "backends.hpp"

#include <algorithm>

using netcluster::Node;
using netcluster::Presence;

namespace {

// Hosts are told with the port of their link: "10.0.0.7:4454", "[fe80::1]:4454".
std::string withoutPort(const std::string& address) {
    std::string host = address.substr(0, address.rfind(':'));
    if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
    return host;
}

}  // namespace

Backends::Backends(netcluster::Agent& agent, std::string service, netcluster::Pick how)
    : agent_(agent), service_(std::move(service)), how_(how) {
    agent_.onPresence([this](const Presence& who) {
        const std::lock_guard lock(mutex_);
        if (who.kind == Presence::Kind::hostOnline) {
            addresses_[who.id] = withoutPort(who.address);
        } else if (who.kind == Presence::Kind::hostExpired) {
            addresses_.erase(who.id);
        }
    });
}

// A node may say where it is reached; else where its host's datagrams come from.
std::string Backends::addressOf(const Node& node) {
    const auto said = node.info.find("address");
    if (said != node.info.end() && said->is_string()) return said->get<std::string>();
    if (node.host == agent_.host()) return "127.0.0.1";
    const std::lock_guard lock(mutex_);
    const auto found = addresses_.find(node.hostId);
    return found == addresses_.end() ? std::string() : found->second;
}

bool Backends::failedLately(const std::string& id) {
    const auto found = failed_.find(id);
    if (found == failed_.end()) return false;
    if (std::chrono::steady_clock::now() - found->second < std::chrono::seconds(1)) return true;
    failed_.erase(found);
    return false;
}

void Backends::countOwn(Node& node) const {
    if (!node.stats.is_object()) node.stats = netcluster::Json::object();
    const auto busy = node.stats.find("busy");
    const bool said = busy != node.stats.end() && busy->is_number_integer();
    const auto open = open_.find(node.id);
    node.stats["busy"] = std::max<std::int64_t>(said ? busy->get<std::int64_t>() : 0,
                                                open == open_.end() ? 0 : open->second);
}

std::optional<Backends::Backend> Backends::best(const std::set<std::string>& but,
                                                const std::string& client) {
    std::vector<Node> nodes;
    std::map<std::string, Backend> backends;
    for (Node& node : agent_.nodes()) {
        const auto service =
            std::find_if(node.services.begin(), node.services.end(),
                         [&](const netcluster::Service& one) { return one.name == service_; });
        if (service == node.services.end() || but.contains(node.id)) continue;
        const std::string address = addressOf(node);
        if (address.empty()) continue;
        backends[node.id] = {node.id, address, service->port};
        countOwn(node);
        nodes.push_back(std::move(node));
    }
    const auto fine = std::stable_partition(
        nodes.begin(), nodes.end(), [&](const Node& node) { return !failedLately(node.id); });
    if (fine != nodes.begin()) nodes.erase(fine, nodes.end());  // else: better those than nobody
    const Node* picked = picker_.pick(nodes, how_, client);
    if (!picked) return {};
    return backends.at(picked->id);
}

void Backends::end(const std::string& id) {
    const auto found = open_.find(id);
    if (found != open_.end() && --found->second == 0) open_.erase(found);
}
