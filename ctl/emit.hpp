// The command `emit`. Main's thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "commands.hpp"

namespace netcluster::ctl {

Status emitCommand(const Call& call, Context& context);

/// JSON text -> value, or why it is not JSON, with line and column.
struct ParsedData {
    Json value;
    std::string error;
};
ParsedData parseData(std::string_view text);
/// The same; for `-` of what stdin holds.
ParsedData readData(const std::string& text, const Context& context);

}  // namespace netcluster::ctl
