// Text -> a tree that remembers where each value stood. JSON with `//` and `/* */` comments and
// trailing commas; strict in all else: duplicate keys, bad UTF-8, lone surrogates, NUL, numbers
// that overflow, and anything after the end are problems. A leading UTF-8 byte order mark is
// skipped. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "report.hpp"

namespace netcluster::config {

/// Deeper nesting is a problem; the reader recurses, so this also bounds its stack.
inline constexpr int maxDepth = 32;

struct Member;

struct Node {
    /// Its text was wrong and that has been reported: whoever reads it stays silent.
    using Broken = std::monostate;
    using List = std::vector<Node>;
    using Object = std::vector<Member>;  ///< in the order of the text, each key once

    Place place;
    std::variant<Broken, std::nullptr_t, bool, double, std::string, List, Object> value;

    template <class T>
    const T* as() const {
        return std::get_if<T>(&value);
    }
    /// The member of that name, if this is an object and has one.
    const Member* find(std::string_view key) const;
};

struct Member {
    std::string key;
    Place place;  ///< of the key
    Node value;
};

/// Nothing when the text is so broken that there is no tree; why is in `report`. A slip inside one
/// value (a number that overflows, a bad escape) is reported too, and reading goes on.
std::optional<Node> readJsonc(std::string_view text, Report& report);

}  // namespace netcluster::config
