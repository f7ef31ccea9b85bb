// What the daemon tells unasked, read: of hosts, of nodes, of what the link could not bring. Pure;
// the connection's thread.
#pragma once

#include <netcluster/agent.hpp>
#include <optional>
#include <string_view>

#include "around.hpp"

namespace netcluster {

/// True for the events that are notices. Only the daemon can send them.
bool isNotice(std::string_view event);

/// True for the answers to what this process asks about its nodes.
bool isAnswer(std::string_view event);

/// Changes `around` as the notice says. One that cannot be read changes nothing.
Change takeNotice(Around& around, std::string_view event, std::string_view json);
/// Empty when it is none that can be read.
std::optional<Gap> readGapNotice(std::string_view event, std::string_view json);

}  // namespace netcluster
