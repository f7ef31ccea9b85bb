// Core: what control shows of nodes.
#include <algorithm>
#include <chrono>
#include <netcluster/error.hpp>
#include <nlohmann/json.hpp>
#include <span>

#include "channel.hpp"
#include "core.hpp"
#include "dump.hpp"
#include "spelling.hpp"

namespace netcluster::daemon {
namespace {

using nlohmann::json;

// Nodes in one answer, as JSON text. Reason: a client's queue usually holds twice as much.
constexpr std::size_t maxAnswer = std::size_t{4} << 20;

std::int64_t millisecondsSince(std::int64_t wallClock) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    // By the clock of another host, which may be ahead of ours, or say anything.
    if (wallClock < 0 || wallClock > milliseconds) return 0;
    return milliseconds - wallClock;
}

// Instead of a node of that id: what may have been meant.
std::string otherwise(const NodeDirectory& directory, const std::string& id) {
    std::size_t inRegion = 0;
    std::vector<std::string_view> known;
    for (const auto& [other, node] : directory.all()) {
        known.push_back(other);
        if (node.isNamed(id)) ++inRegion;
    }
    if (inRegion != 0) {
        return "; it is a region of " + std::to_string(inRegion) +
               (inRegion == 1 ? " node" : " nodes");
    }
    const auto meant = config::closest(id, known);
    return meant ? "; did you mean \"" + std::string(*meant) + "\"?" : std::string();
}

}  // namespace

json Core::shown(const Node& node) const {
    json entry = nodeJson(node);
    entry["age"] = millisecondsSince(node.since);
    const json* const stats = nodes_.directory().statsOf(node);
    entry["stats"] = stats ? *stats : json::object();
    entry["self"] = node.client != wire::Uuid{};
    if (node.client == wire::Uuid{}) return entry;
    entry["client"] = wire::uuidText(node.client);
    for (const auto& [name, channel] : channels_) {
        if (channel->has(node.client)) entry["channel"] = name;
    }
    return entry;
}

json Core::nodes(const std::string& text) {
    const NodeDirectory& directory = nodes_.directory();
    const Target::Compiled target = Target::compile(text.empty() ? "*" : text);
    if (!target.target) throw Error(config::inQuotes(text) + " is no target: " + target.error);
    json list = json::array();
    std::size_t size = 0;
    for (const auto& [id, node] : directory.all()) {
        if (!target.target->matches(node)) continue;
        list.push_back(shown(node));
        size += jsonText(list.back()).size() + 1;
        if (size > maxAnswer) {
            throw Error("more nodes than fit into an answer (4 MiB); name a target of fewer");
        }
    }
    return list;
}

json Core::node(const std::string& id) {
    const NodeDirectory& directory = nodes_.directory();
    if (const Node* node = directory.find(id)) return shown(*node);
    throw Error("there is no node " + config::inQuotes(id) + otherwise(directory, id));
}

}  // namespace netcluster::daemon
