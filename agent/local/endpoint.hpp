// Where daemons and agents of a host find each other: run directories and their endpoints. Pure but
// for reading the environment and who the user is. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace netcluster::local {

/// The run directory of the system's own daemon: /run/netcluster, on Windows
/// %ProgramData%\netcluster\run.
std::string systemDirectory();

/// A daemon's: $NETCLUSTER_DIR, else the system's for root (on Windows, for a service or an
/// administrator), else $XDG_RUNTIME_DIR/netcluster or ~/.netcluster/run (on Windows,
/// %LOCALAPPDATA%\netcluster\run).
std::string runDirectory();

/// Where an agent looks, in order: `dir` alone if it is given, else $NETCLUSTER_DIR alone, else the
/// user's own daemon, then the system's.
std::vector<std::string> searchDirectories(const std::string& dir);

/// The channel's endpoint in a run directory: <dir>/<channel>.sock. On Windows it is a pipe:
/// \\.\pipe\netcluster-<channel> of the system's directory, and of any other
/// \\.\pipe\netcluster~<number>-<channel>, with the number made from the directory's name.
std::string endpointPath(const std::string& dir, std::string_view channel);

/// Where a netcluster 1.x agent looks for the channel.
std::string legacyPath(std::string_view channel);

/// [A-Za-z0-9._-]{1,64}, not starting with a dot.
bool validChannel(std::string_view name);

}  // namespace netcluster::local
