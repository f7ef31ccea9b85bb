// What systemd says in the environment. Read only: nobody may change it while other threads read.
#pragma once

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace netcluster::service {

/// Empty when it is not set.
inline std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// Nothing when it is not a whole number.
inline std::optional<unsigned long long> variableNumber(const char* name) {
    const std::string_view text = variable(name);
    unsigned long long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

}  // namespace netcluster::service
