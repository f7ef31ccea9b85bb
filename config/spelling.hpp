// Small facts about text that the parser and its messages need. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace netcluster::config {

/// Length of the well-formed UTF-8 sequence that begins at `at` (before the end); 0 if there is
/// none.
std::size_t utf8Length(std::string_view text, std::size_t at);

void appendUtf8(std::string& text, unsigned codePoint);

/// On one line and without power over a terminal: control characters and bad UTF-8 as \u001b, \xff.
std::string printable(std::string_view text);

/// In double quotes; what is longer than a line can show is cut, and "…" says so.
std::string inQuotes(std::string_view text);

/// One step of a JSON pointer (RFC 6901): "/" and the key, escaped.
std::string pointerStep(std::string_view key);

/// The known word that `written` was probably meant to be: the same but for case, or one or two
/// slips.
std::optional<std::string_view> closest(std::string_view written,
                                        std::span<const std::string_view> known);

}  // namespace netcluster::config
