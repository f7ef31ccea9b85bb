// The hosts of the link as a table for people. Pure: the daemon's answer in, text out; nothing
// throws. What is not in the table is in the answer itself (--json). Any thread.
#pragma once

#include <netcluster/event.hpp>
#include <string>

namespace netcluster::ctl {

/// `answer`: of the request `hosts` (docs/control-protocol.md).
std::string hostsText(const Json& answer);

}  // namespace netcluster::ctl
