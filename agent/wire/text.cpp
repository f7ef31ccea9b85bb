#include "text.hpp"

#include <algorithm>

#include "little_endian.hpp"

namespace netcluster::wire {
namespace {

// Length of the well-formed sequence that begins at `at`, 0 if there is none
// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t sequenceLength(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) -> unsigned {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return continues(1) ? 2 : 0;
    if (first < 0xF0) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = first == 0xED ? 0x9F : 0xBF;
        return byte(1) >= low && byte(1) <= high && continues(2) ? 3 : 0;
    }
    if (first > 0xF4) return 0;
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return byte(1) >= low && byte(1) <= high && continues(2) && continues(3) ? 4 : 0;
}

int hexValue(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Most text is, and it is told eight bytes at a time; the last eight overlap those before.
bool isAscii(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    std::uint64_t bits = 0;
    if (text.size() >= 8) {
        for (; at + 8 < end; at += 8) bits |= loadLittle<std::uint64_t>(at);
        bits |= loadLittle<std::uint64_t>(end - 8);
    } else if (text.size() >= 4) {
        bits = loadLittle<std::uint32_t>(at) | loadLittle<std::uint32_t>(end - 4);
    } else {
        for (; at != end; ++at) bits |= static_cast<unsigned char>(*at);
    }
    return (bits & 0x8080808080808080u) == 0;
}

}  // namespace

bool validUtf8(std::string_view text) {
    if (isAscii(text)) return true;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = sequenceLength(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

bool validEventName(std::string_view name) {
    return !name.empty() && name.size() <= maxEventName &&
           name.find('\0') == std::string_view::npos && validUtf8(name);
}

std::string base64(std::string_view bytes) {
    static constexpr char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t group = 0;
        const std::size_t present = std::min<std::size_t>(3, bytes.size() - at);
        for (std::size_t i = 0; i < 3; ++i) {
            group = group << 8 | (i < present ? static_cast<unsigned char>(bytes[at + i]) : 0u);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            text += i <= present ? alphabet[group >> (18 - 6 * i) & 63] : '=';
        }
    }
    return text;
}

std::string uuidText(const Uuid& uuid) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += digits[uuid[i] >> 4];
        text += digits[uuid[i] & 15];
    }
    return text;
}

Uuid uuidFromText(std::string_view text) {
    Uuid uuid{};
    if (text.size() != 36) return uuid;
    std::size_t digit = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') return {};
            continue;
        }
        const int value = hexValue(text[i]);
        if (value < 0) return {};
        auto& byte = uuid[digit++ / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | value);
    }
    return uuid;
}

}  // namespace netcluster::wire
