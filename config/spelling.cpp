#include "spelling.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace netcluster::config {
namespace {

constexpr std::size_t longestQuote = 80;
constexpr std::size_t longestWord = 40;  // longer than any key: not worth comparing

unsigned byteAt(std::string_view text, std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
}

std::string hexed(const char* format, unsigned value) {
    std::array<char, 16> buffer{};
    std::snprintf(buffer.data(), buffer.size(), format, value);
    return buffer.data();
}

// Two bytes in UTF-8 (C2 80 to C2 9F), and a terminal obeys some of them as it obeys ESC.
bool isC1Control(std::string_view text, std::size_t at) {
    return byteAt(text, at) == 0xC2 && byteAt(text, at + 1) < 0xA0;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// How many slips (a byte missing, too many, wrong, or two swapped) lie between two words.
std::size_t slips(std::string_view one, std::string_view other) {
    const std::size_t width = other.size() + 1;
    std::vector<std::size_t> rows((one.size() + 1) * width);
    const auto cell = [&](std::size_t i, std::size_t j) -> std::size_t& {
        return rows[i * width + j];
    };
    for (std::size_t i = 0; i <= one.size(); ++i) cell(i, 0) = i;
    for (std::size_t j = 0; j <= other.size(); ++j) cell(0, j) = j;
    for (std::size_t i = 1; i <= one.size(); ++i) {
        for (std::size_t j = 1; j <= other.size(); ++j) {
            const bool same = lower(one[i - 1]) == lower(other[j - 1]);
            cell(i, j) = std::min(
                {cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + (same ? 0 : 1)});
            const bool swapped = i > 1 && j > 1 && lower(one[i - 1]) == lower(other[j - 2]) &&
                                 lower(one[i - 2]) == lower(other[j - 1]);
            if (swapped) cell(i, j) = std::min(cell(i, j), cell(i - 2, j - 2) + 1);
        }
    }
    return cell(one.size(), other.size());
}

}  // namespace

// Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t utf8Length(std::string_view text, std::size_t at) {
    const unsigned first = byteAt(text, at);
    const unsigned second = byteAt(text, at + 1);
    const auto continues = [&](std::size_t i) { return (byteAt(text, at + i) & 0xC0u) == 0x80u; };
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    if (first < 0xE0) return continues(1) ? 2 : 0;
    if (first < 0xF0) {
        const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = first == 0xED ? 0x9F : 0xBF;
        return second >= low && second <= high && continues(2) ? 3 : 0;
    }
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high && continues(2) && continues(3) ? 4 : 0;
}

void appendUtf8(std::string& text, unsigned codePoint) {
    const auto add = [&](unsigned byte) { text += static_cast<char>(byte); };
    if (codePoint < 0x80) return add(codePoint);
    if (codePoint < 0x800) {
        add(0xC0 | codePoint >> 6);
    } else if (codePoint < 0x10000) {
        add(0xE0 | codePoint >> 12);
        add(0x80 | (codePoint >> 6 & 0x3F));
    } else {
        add(0xF0 | codePoint >> 18);
        add(0x80 | (codePoint >> 12 & 0x3F));
        add(0x80 | (codePoint >> 6 & 0x3F));
    }
    add(0x80 | (codePoint & 0x3F));
}

std::string printable(std::string_view text) {
    std::string shown;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8Length(text, at);
        const unsigned byte = byteAt(text, at);
        if (length == 0) {
            shown += hexed("\\x%02x", byte);
        } else if (byte < 0x20 || byte == 0x7F) {
            shown += hexed("\\u%04x", byte);
        } else if (isC1Control(text, at)) {
            shown += hexed("\\u%04x", byteAt(text, at + 1));
        } else {
            shown += text.substr(at, length);
        }
        at += std::max<std::size_t>(length, 1);
    }
    return shown;
}

std::string inQuotes(std::string_view text) {
    if (text.size() <= longestQuote) return '"' + std::string(text) + '"';
    std::size_t end = longestQuote;
    while (end > 0 && (byteAt(text, end) & 0xC0u) == 0x80u) --end;  // not in the middle of a letter
    return '"' + std::string(text.substr(0, end)) + "…\"";
}

std::string pointerStep(std::string_view key) {
    std::string step = "/";
    for (const char c : key) {
        if (c == '~') {
            step += "~0";
        } else if (c == '/') {
            step += "~1";
        } else {
            step += c;
        }
    }
    return step;
}

std::optional<std::string_view> closest(std::string_view written,
                                        std::span<const std::string_view> known) {
    if (written.size() > longestWord) return std::nullopt;
    // Two slips in a word of four letters make it another word.
    std::size_t fewest = (written.size() < 6 ? 1 : 2) + 1;
    std::optional<std::string_view> best;
    for (const auto word : known) {
        const std::size_t between = slips(written, word);
        if (between >= fewest) continue;
        fewest = between;
        best = word;
    }
    return best;
}

}  // namespace netcluster::config
