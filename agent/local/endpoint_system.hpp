// What endpoint.cpp asks the system. One file per system; nobody else includes this.
#pragma once

#include <string>

namespace netcluster::local {

/// $NETCLUSTER_DIR; empty when it is not set.
std::string chosenDirectory();

/// The run directory of a daemon that is this user's own.
std::string userDirectory();

/// True when this process serves the machine and not its user alone.
bool isSystem();

}  // namespace netcluster::local
