// Nodes: processes under names of their own, on this host and others. See Agent::registerNode and
// Agent::nodes; tasks.hpp for what they can be asked to do.
#pragma once

#include <cstdint>
#include <netcluster/event.hpp>
#include <netcluster/export.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster {

/// Something a node offers to others.
struct Service {
    std::string name;
    std::uint16_t port = 0;
    bool operator==(const Service&) const = default;
};

/// Whether that can be an id or a region: 1 to 128 bytes of UTF-8 without blanks, control
/// characters and `| , : & ! ( ) = *`.
NETCLUSTER_API bool isNodeName(std::string_view text);
/// Whether a target can ask for that key of `info`: a name as above, but for `node`, `region`,
/// `host`, `service` and `client`, which say something else there.
NETCLUSTER_API bool isTagName(std::string_view text);

/// What a process says of itself. An id, a region and the keys of `info` that are used in targets
/// are names as above.
struct NodeDescription {
    std::string id{};  ///< unique in the cluster; empty: `<host>-<process id>`
    std::vector<std::string> regions{};
    Json info = Json::object();
    std::vector<Service> services{};
};

/// A node as everybody knows it.
struct Node {
    std::string id{};
    std::vector<std::string> regions{};
    Json info = Json::object();
    std::vector<Service> services{};
    std::string host{};      ///< name of its host
    std::string hostId{};    ///< uuid of that host's daemon
    std::int64_t since = 0;  ///< when it registered: ms since 1970, by its host's clock
    bool own = false;        ///< registered by this process, on this channel
    /// How it is doing, as it said last (every second): `pid`, `version` (of the agent library),
    /// `memory` (resident bytes), `uptime` (s), `load` (processor time of its process per time, in
    /// processors), `hostload` (the host's load average of 1 min; not on Windows), `cpus`,
    /// `requests` (tasks done so far), `busy` (tasks under way), and what the program added by
    /// Agent::reportStats, which replaces members of the same name. Empty until it has said so.
    Json stats = Json::object();
};

/// Which one of several.
enum class Pick {
    first,        ///< in the order of their ids
    last,         ///< in the order of their ids
    random,       ///< any, each as likely
    roundRobin,   ///< one after the other, in the order of their ids
    leastLoaded,  ///< fewest `busy`, then least `load`, then least `hostload` for each of `cpus`
    leastMemory,  ///< least `memory`
    sticky,       ///< the same one for the same key, while it is there (rendezvous hashing)
};

/// Picks of one user of them: remembers whose turn it is. Not to be used by two threads at once.
class NETCLUSTER_API Picker {
  public:
    /// Null when there are none. Nodes that have not said how they are doing come last where that
    /// decides. `key`: for `sticky`.
    const Node* pick(std::span<const Node> nodes, Pick how, std::string_view key = {});

  private:
    std::string last_{};  ///< whose turn it was
};

}  // namespace netcluster
