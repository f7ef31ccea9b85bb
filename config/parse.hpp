// Text -> Settings. Reads JSON with `//` and `/* */` comments and trailing commas (what the Node
// package's README shows), and reports *every* problem with its place, not only the first one.
// Pure but for `load`, which reads one file. Any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings.hpp"

namespace netcluster::config {

/// A larger text is refused unread: the largest sensible one (256 channels) has about 60 KiB.
inline constexpr std::size_t maxConfigBytes = std::size_t{1} << 20;

/// One thing that is wrong (or, as a warning, unwise) in a configuration.
struct Problem {
    std::string file;
    int line = 0;         ///< 1-based; 0 when the problem has no place (a file that cannot be read)
    int column = 0;       ///< 1-based, in bytes
    std::string pointer;  ///< JSON pointer (RFC 6901) of the value concerned; "" is the document
    std::string what;

    /// `file:line:column: /pointer: what`; without the pointer when it is "", and `file: what` when
    /// there is no place. Always one line: control characters are spelled out.
    std::string text() const;
    bool operator==(const Problem&) const = default;
};

struct Parsed {
    std::optional<Settings> settings;  ///< present exactly when `problems` is empty
    std::vector<Problem> problems;     ///< in the order of the text
    std::vector<Problem> warnings;     ///< in the order of the text
};

/// `file` is only used to name the source in problems.
Parsed parse(std::string_view text, const std::string& file);

/// Reads `path` (a regular file of at most 1 MiB) and parses it. Never waits for another program
/// and never throws for what it finds: a named pipe, a device or a missing file is a problem.
Parsed load(const std::filesystem::path& path);

/// All keys with their values in force, spelled as in config.json; `parse` reads it back equal.
/// A channel without a group of its own has no "group". Sizes are numbers of bytes.
nlohmann::json toJson(const Settings& settings);

}  // namespace netcluster::config
