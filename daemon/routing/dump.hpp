// "dumptoconsole" and "dumpnet": an event as one line of the log; and text of others made fit to
// be passed on.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "frame.hpp"

namespace netcluster::daemon {

/// Logs name, origin and data; control characters escaped, data cut at 256 bytes.
void dumpEvent(std::string_view channel, const wire::EventView& event);

/// `text` with control characters written as \xNN and cut at `limit` bytes.
std::string printable(std::string_view text, std::size_t limit);

/// JSON text, valid whatever the strings in it hold: what came from clients and other hosts (names,
/// a path in an error) need not be UTF-8, and is replaced where it is not.
std::string jsonText(const nlohmann::json& value);

}  // namespace netcluster::daemon
