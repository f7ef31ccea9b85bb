#include "escape.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace netcluster::ctl {
namespace {

struct CodePoint {
    char32_t value = 0;
    std::size_t length = 0;  ///< in bytes; 0 when no valid UTF-8 begins here
};

unsigned byteAt(std::string_view text, std::size_t index) {
    return static_cast<unsigned char>(text[index]);
}

std::size_t sequenceLength(unsigned lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead < 0xE0) return 2;
    if (lead >= 0xE0 && lead < 0xF0) return 3;
    if (lead >= 0xF0 && lead < 0xF5) return 4;
    return 0;
}

/// Overlong forms, surrogates and what lies beyond Unicode are as bad as stray bytes.
bool isScalar(char32_t value, std::size_t length) {
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    return value >= least.at(length) && value <= 0x10FFFF && !(value >= 0xD800 && value <= 0xDFFF);
}

CodePoint decode(std::string_view text) {
    constexpr std::array<unsigned, 5> leadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
    const auto lead = byteAt(text, 0);
    const auto length = sequenceLength(lead);
    if (length == 0 || length > text.size()) return {};
    char32_t value = lead & leadBits.at(length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byteAt(text, i) & 0xC0U) != 0x80) return {};
        value = (value << 6) | (byteAt(text, i) & 0x3FU);
    }
    return isScalar(value, length) ? CodePoint{value, length} : CodePoint{};
}

bool mustBeWrittenOut(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string writtenOut(const char* format, unsigned value) {
    std::array<char, 16> text{};
    const int length = std::snprintf(text.data(), text.size(), format, value);
    return {text.data(), static_cast<std::size_t>(length)};
}

std::string writtenOut(char32_t c) {
    switch (c) {
        case U'\n':
            return "\\n";
        case U'\r':
            return "\\r";
        case U'\t':
            return "\\t";
        default:
            return writtenOut("\\u%04x", static_cast<unsigned>(c));
    }
}

std::string escaped(std::string_view text, bool keepNewlines) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto [value, length] = decode(text);
        if (length == 0)
            result += writtenOut("\\x%02x", byteAt(text, 0));
        else if (mustBeWrittenOut(value) && !(keepNewlines && value == U'\n'))
            result += writtenOut(value);
        else
            result += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

std::string dumped(const nlohmann::json& value, int indent) {
    return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string printable(std::string_view text) {
    return escaped(text, false);
}

// The dump writes out C0 itself, so the newlines that are left are its own; all that `escaped` adds
// stands inside strings and is written as JSON writes it.
std::string jsonLine(const nlohmann::json& value) {
    return escaped(dumped(value, -1), false);
}
std::string jsonIndented(const nlohmann::json& value) {
    return escaped(dumped(value, 2), true);
}

std::size_t displayWidth(std::string_view printableText) {
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; };
    return static_cast<std::size_t>(
        std::count_if(printableText.begin(), printableText.end(), begins));
}

}  // namespace netcluster::ctl
