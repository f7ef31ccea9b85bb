// Where daemons and agents of a host find each other: run directories and the endpoints in them.
// Pure but for reading the environment and the user's id. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace netcluster::local {

/// The run directory of the system's own daemon.
inline constexpr const char* systemDirectory = "/run/netcluster";

/// Where a daemon puts its sockets: $NETCLUSTER_DIR, else /run/netcluster for root, else
/// $XDG_RUNTIME_DIR/netcluster, else ~/.netcluster/run.
std::string runDirectory();

/// Where an agent looks, in order: `dir` alone if it is given, else $NETCLUSTER_DIR alone, else the
/// user's own daemon, then the system's.
std::vector<std::string> searchDirectories(const std::string& dir);

/// The channel's endpoint in a run directory.
std::string endpointPath(const std::string& dir, std::string_view channel);

/// Where a netcluster 1.x agent looks for the channel.
std::string legacyPath(std::string_view channel);

/// [A-Za-z0-9._-]{1,64}, not starting with a dot.
bool validChannel(std::string_view name);

}  // namespace netcluster::local
