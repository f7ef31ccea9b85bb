#include "jsonc_scanner.hpp"

#include <algorithm>
#include <charconv>

#include "spelling.hpp"

namespace netcluster::config {
namespace {

constexpr std::string_view byteOrderMark = "\xEF\xBB\xBF";

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

// What `true`, `-1.5e3` and their misspellings are made of.
bool isWordByte(char c) {
    return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' ||
           c == '.' || c == '_';
}

std::optional<char> simpleEscape(char c) {
    static constexpr std::string_view letters = "\"\\/bfnrt";
    static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const auto at = letters.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    return meanings[at];
}

bool isHighSurrogate(unsigned unit) {
    return unit >= 0xD800 && unit < 0xDC00;
}
bool isLowSurrogate(unsigned unit) {
    return unit >= 0xDC00 && unit < 0xE000;
}

}  // namespace

Scanner::Scanner(std::string_view text, Report& report) : text_(text), report_(report) {
    if (text_.starts_with(byteOrderMark)) text_.remove_prefix(byteOrderMark.size());
}

void Scanner::advance() {
    if (text_[at_++] != '\n') return;
    ++line_;
    lineStart_ = at_;
}

std::size_t Scanner::enter(std::string_view step) {
    const std::size_t outer = pointer_.size();
    pointer_ += step;
    return outer;
}

bool Scanner::stop(const std::string& what) {
    wrong(what);
    return false;
}

std::string Scanner::here() const {
    if (ended()) return "the end of the text";
    const std::size_t length = std::max<std::size_t>(utf8Length(text_, at_), 1);
    return printable("'" + std::string(text_.substr(at_, length)) + "'");
}

bool Scanner::skipBlanks() {
    while (!ended()) {
        const char c = peek();
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            advance();
        } else if (c == '/' && peek(1) == '/') {
            skipLineComment();
        } else if (c == '/' && peek(1) == '*') {
            if (!skipBlockComment()) return false;
        } else {
            return true;
        }
    }
    return true;
}

void Scanner::skipLineComment() {
    while (!ended() && peek() != '\n') textByte();
}

bool Scanner::skipBlockComment() {
    const Place opened = place();
    at_ += 2;
    while (!ended()) {
        if (peek() == '*' && peek(1) == '/') {
            at_ += 2;
            return true;
        }
        textByte();
    }
    wrong(opened, "this comment is not closed");
    return false;
}

// Takes one character of a comment or of a string; false when it may not stand there.
bool Scanner::textByte() {
    const std::size_t length = utf8Length(text_, at_);
    const bool isNul = peek() == '\0';
    if (length == 0) wrong("the byte " + here() + " is not UTF-8");
    if (isNul) wrong("NUL is not allowed");
    if (length <= 1) {
        advance();
    } else {
        at_ += length;
    }
    return length > 0 && !isNul;
}

bool Scanner::atWord() const {
    return isWordByte(peek());
}

std::string_view Scanner::word() {
    const std::size_t start = at_;
    while (isWordByte(peek())) ++at_;
    return text_.substr(start, at_ - start);
}

bool Scanner::string(std::optional<std::string>& into) {
    const Place opened = place();
    std::string text;
    bool sound = true;
    advance();
    while (peek() != '"') {
        if (ended() || peek() == '\n' || peek() == '\r') {
            wrong(opened, "this text has no closing '\"' in its line");
            return false;
        }
        if (peek() == '\\') {
            sound = escape(text) && sound;
            continue;
        }
        const std::size_t start = at_;
        if (const char c = peek(); c > '\0' && c < ' ') {
            wrong("a control character in text must be written as an escape, such as \\t");
            sound = false;
        }
        sound = textByte() && sound;
        text += text_.substr(start, at_ - start);
    }
    advance();
    if (sound) into = std::move(text);
    return true;
}

bool Scanner::escape(std::string& into) {
    if (peek(1) == 'u') return unicodeEscape(into);
    if (const auto meaning = simpleEscape(peek(1))) {
        into += *meaning;
        at_ += 2;
        return true;
    }
    wrong("unknown escape; a backslash itself is written as \\\\");
    ++at_;
    // What follows may be the end of the line or of the text: let the caller see it.
    return false;
}

bool Scanner::unicodeEscape(std::string& into) {
    const Place where = place();
    const auto first = hexUnit();
    if (!first) return false;
    unsigned codePoint = *first;
    if (isHighSurrogate(*first) && peek() == '\\' && peek(1) == 'u') {
        const auto second = hexUnit();
        if (!second) return false;
        if (isLowSurrogate(*second)) {
            codePoint = 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00);
        }
    }
    const bool lone = isHighSurrogate(codePoint) || isLowSurrogate(codePoint);
    if (lone) wrong(where, "half of a surrogate pair");
    if (codePoint == 0) wrong(where, "NUL is not allowed");
    if (lone || codePoint == 0) return false;
    appendUtf8(into, codePoint);
    return true;
}

// `\uXXXX`: its 16 bits.
std::optional<unsigned> Scanner::hexUnit() {
    const std::string_view digits = text_.substr(at_ + 2).substr(0, 4);
    unsigned unit = 0;
    const auto outcome = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() == 4 && outcome.ptr == digits.data() + 4) {
        at_ += 6;
        return unit;
    }
    wrong("\\u needs four hexadecimal digits");
    at_ += 2;
    return std::nullopt;
}

}  // namespace netcluster::config
