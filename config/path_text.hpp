// Paths <-> the text they are in messages, settings and arguments, which is UTF-8 on every system.
// (std::filesystem::path(std::string) is not: on Windows it takes text for that of the C locale.)
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace netcluster::config {

inline std::filesystem::path pathFromText(std::string_view text) {
    return std::u8string(text.begin(), text.end());
}

inline std::string textOfPath(const std::filesystem::path& path) {
    const std::u8string text = path.u8string();
    return {text.begin(), text.end()};
}

}  // namespace netcluster::config
