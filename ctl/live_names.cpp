#include "live_names.hpp"

#include <algorithm>
#include <netcluster/control.hpp>

#include "values.hpp"

namespace netcluster::ctl {
namespace {

// Shells work on what they are offered: nothing gets there that one of them could take for more
// than a word. Names of channels and uuids have no other characters.
void offer(std::vector<std::string>& names, const std::string& name) {
    constexpr std::string_view harmless =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    if (!name.empty() && name.find_first_not_of(harmless) == std::string::npos) {
        names.push_back(name);
    }
}

std::string textOf(const Json& value) {
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::vector<std::string> liveChannels(ControlClient& control) {
    const auto reply = control.ask(control::showConfig, nullptr, completionPatience);
    std::vector<std::string> names;
    if (reply.outcome != Answer::Outcome::answered || !reply.data.is_object()) return names;
    const auto channels = reply.data.find("channels");
    if (channels == reply.data.end() || !channels->is_object()) return names;
    for (const auto& channel : channels->items()) offer(names, channel.key());
    return names;
}

std::vector<std::string> liveClients(ControlClient& control, const std::string& channel) {
    const auto reply = control.ask(control::showChannel, channel, completionPatience);
    std::vector<std::string> uuids;
    if (reply.outcome != Answer::Outcome::answered || !reply.data.is_object()) return uuids;
    const auto clients = reply.data.find("clients");
    if (clients == reply.data.end() || !clients->is_array()) return uuids;
    for (const auto& client : *clients) {
        if (!client.is_object() || !client.contains("client")) continue;
        const auto& uuid = client["client"];
        if (uuid.is_string()) offer(uuids, uuid.get<std::string>());
    }
    return uuids;
}

/// The ids of the nodes and, if they are asked for, their regions.
std::vector<std::string> liveNodes(ControlClient& control, bool regionsToo) {
    const auto reply = control.ask(control::nodes, nullptr, completionPatience);
    std::vector<std::string> names;
    if (reply.outcome != Answer::Outcome::answered || !reply.data.is_array()) return names;
    for (const auto& node : reply.data) {
        const Json& regions = member(node, "regions");
        if (regionsToo && regions.is_array()) {
            for (const auto& region : regions) offer(names, textOf(region));
        }
        offer(names, textOf(member(node, "id")));
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

}  // namespace

LiveNames liveNames(ControlClient& control) {
    return {[&control] { return liveChannels(control); },
            [&control](const std::string& channel) { return liveClients(control, channel); },
            [&control] { return liveNodes(control, false); },
            [&control] { return liveNodes(control, true); }};
}

}  // namespace netcluster::ctl
