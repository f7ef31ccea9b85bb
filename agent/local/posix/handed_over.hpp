// Listening sockets that were open before this process was: a service manager made them, holds them
// too, and starts the daemon when somebody connects. An Acceptor whose endpoint is among them
// listens there and makes none of its own.
// One table for the process, as descriptors are the process's. Any thread.
#pragma once

#include <string>
#include <vector>

#include "shared_counter.hpp"

namespace netcluster::local {

/// Enters a descriptor, which is ours from now on. Throws Error with `name` in it when it is not a
/// Unix stream socket that listens at a path.
void adopt(int descriptor, const std::string& name);

/// Another descriptor of the socket that listens at `endpoint`; none when there is none. The table
/// keeps its own, so that a channel can be closed and opened again.
Descriptor handedOver(const std::string& endpoint);

/// The paths of those that nobody has asked for.
std::vector<std::string> unusedHandedOver();

}  // namespace netcluster::local
