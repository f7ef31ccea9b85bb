// "dumptoconsole" and "dumpnet": an event as one line of the log.
#pragma once

#include <string>
#include <string_view>

#include "frame.hpp"

namespace netcluster::daemon {

/// Logs name, origin and data; control characters escaped, data cut at 256 bytes.
void dumpEvent(std::string_view channel, const wire::EventView& event);

/// `text` with control characters written as \xNN and cut at `limit` bytes.
std::string printable(std::string_view text, std::size_t limit);

}  // namespace netcluster::daemon
