// Makes text that came from the bus, or from a file, safe to show on a terminal: whoever may emit
// an event must not be able to move the cursor, set the title or answer for the user. Pure. Any
// thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace netcluster::ctl {

/// `text` with every control character (C0, DEL, C1), every character that reorders or breaks lines
/// (U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069) and every byte that is not UTF-8 written
/// out:
/// `\n`, `\r`, `\t`, `\u001b`, `\xff`. Everything else stays, so the result is UTF-8.
std::string printable(std::string_view text);

/// One JSON value on one line, still JSON, equally safe. Bytes that are not UTF-8 become U+FFFD.
std::string jsonLine(const nlohmann::json& value);

/// The same on many lines, indented by two.
std::string jsonIndented(const nlohmann::json& value);

/// What people take for one character each (code points; good enough to align columns).
std::size_t displayWidth(std::string_view printableText);

}  // namespace netcluster::ctl
