// Nodes as text for people. Pure: the daemon's answer in, text out; nothing throws. Any thread.
#pragma once

#include <netcluster/event.hpp>
#include <string>

namespace netcluster::ctl {

/// `answer`: of the requests `nodes` and `node` (docs/control-protocol.md).
std::string nodesText(const Json& answer);
std::string nodeText(const Json& answer);

}  // namespace netcluster::ctl
