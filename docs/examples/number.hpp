// A number on the command line.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

/// Nothing when `text` is not a number, all of it, that fits.
template <typename Number>
std::optional<Number> numberFrom(std::string_view text) {
    Number number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) return {};
    return number;
}
