#include "live_names.hpp"

#include <netcluster/control.hpp>

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

}  // namespace

LiveNames liveNames(ControlClient& control) {
    return {[&control] { return liveChannels(control); },
            [&control](const std::string& channel) { return liveClients(control, channel); }};
}

}  // namespace netcluster::ctl
