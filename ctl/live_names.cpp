#include "live_names.hpp"

#include <netcluster/control.hpp>

#include "escape.hpp"

namespace netcluster::ctl {
namespace {

std::vector<std::string> liveChannels(ControlClient& control) {
    const auto reply = control.ask(control::showConfig, nullptr, completionPatience);
    std::vector<std::string> names;
    if (reply.outcome != Answer::Outcome::answered || !reply.data.is_object()) return names;
    const auto channels = reply.data.find("channels");
    if (channels == reply.data.end() || !channels->is_object()) return names;
    for (const auto& channel : channels->items()) names.push_back(printable(channel.key()));
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
        if (uuid.is_string()) uuids.push_back(printable(uuid.get<std::string>()));
    }
    return uuids;
}

}  // namespace

LiveNames liveNames(ControlClient& control) {
    return {[&control] { return liveChannels(control); },
            [&control](const std::string& channel) { return liveClients(control, channel); }};
}

}  // namespace netcluster::ctl
