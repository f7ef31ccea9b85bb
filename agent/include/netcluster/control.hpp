// The names of what travels on the channel `control`. docs/control-protocol.md describes the data.
#pragma once

#include <string>
#include <string_view>

namespace netcluster::control {

inline constexpr std::string_view channel = "control";

inline constexpr std::string_view prefix = "nc-control-";
inline constexpr std::string_view responseSuffix = "-response";

inline constexpr std::string_view showConfig = "showconfig";  ///< null -> the config in force
inline constexpr std::string_view reloadConfig =
    "reloadconfig";                               ///< path, config or null -> changes
inline constexpr std::string_view keys = "keys";  ///< {do, id, key} -> the keys of the link
inline constexpr std::string_view showChannel = "showchannel";  ///< name -> rules and clients
inline constexpr std::string_view showClient = "showclient";    ///< {channel, client} -> details
inline constexpr std::string_view stats = "stats";              ///< null -> counters
inline constexpr std::string_view hosts = "hosts";              ///< null -> hosts of the link
inline constexpr std::string_view nodes = "nodes";              ///< target or null -> nodes
inline constexpr std::string_view node = "node";                ///< id -> a node
inline constexpr std::string_view doctor = "doctor";            ///< {wait} -> facts, later

/// What the daemon tells unasked, on `control` and to agents that asked for it (Agent::onPresence,
/// Agent::onGap): a host came, a host went, whoever is there has been told by now, events of
/// another host will never come.
inline constexpr std::string_view hostOnline = "nc-host-online";
inline constexpr std::string_view hostExpired = "nc-host-expired";
inline constexpr std::string_view hostsKnown = "nc-hosts-known";
inline constexpr std::string_view netGap = "nc-net-gap";

/// What clients of any channel may ask: to be a node, and not to be it any more. The data is a
/// node's description, or its id; the answer is `{"id"}`, with `error` when it was refused.
inline constexpr std::string_view registerNode = "nc-node-register";
inline constexpr std::string_view unregisterNode = "nc-node-unregister";
constexpr bool changesNodes(std::string_view event) {
    return event == registerNode || event == unregisterNode;
}
/// And what they say of themselves all the time: an object, which holds for all nodes of that
/// connection. Answered when it is refused. The clients that hear of nodes are told {id: object} of
/// those that have said something new, at most once a second; the daemons tell each other alike.
inline constexpr std::string_view nodeStats = "nc-node-stats";

/// And what they are told, as of hosts: a node came, says something else of itself, went.
inline constexpr std::string_view nodeOnline = "nc-node-online";
inline constexpr std::string_view nodeChanged = "nc-node-changed";
inline constexpr std::string_view nodeExpired = "nc-node-expired";

/// What daemons tell each other of nodes, on `control`: a change, all of them, a question for all;
/// and `nodeStats`.
inline constexpr std::string_view nodeChange = "nc-node";
inline constexpr std::string_view allNodes = "nc-nodes";
inline constexpr std::string_view nodesWanted = "nc-nodes-wanted";
constexpr bool isBetweenDaemons(std::string_view event) {
    return event == nodeChange || event == allNodes || event == nodesWanted || event == nodeStats;
}

/// The event that asks for `command`, and the one that answers it.
inline std::string requestEvent(std::string_view command) {
    return std::string(prefix) + std::string(command);
}
inline std::string responseEvent(std::string_view command) {
    return requestEvent(command) + std::string(responseSuffix);
}

}  // namespace netcluster::control
