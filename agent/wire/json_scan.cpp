#include "json_scan.hpp"

#include <array>

#include "text.hpp"

namespace netcluster::wire {
namespace {

bool isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

int hexValue(char c) {
    if (isDigit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// A place in a text, with the small scans that move it. Each returns null or what is wrong.
struct Cursor {
    std::string_view text;
    std::size_t at = 0;

    bool end() const { return at >= text.size(); }
    char peek() const { return end() ? '\0' : text[at]; }
    void skipSpace() {
        while (!end() && isSpace(text[at])) ++at;
    }
    bool take(char c) {
        if (end() || text[at] != c) return false;
        ++at;
        return true;
    }

    // The four digits of a \u escape; -1 if they are not there.
    int unicodeEscape() {
        if (text.size() - at < 4) return -1;
        int code = 0;
        for (int i = 0; i < 4; ++i) {
            const int digit = hexValue(text[at + static_cast<std::size_t>(i)]);
            if (digit < 0) return -1;
            code = code * 16 + digit;
        }
        at += 4;
        return code;
    }

    const char* escape() {
        const char kind = peek();
        if (end()) return "a string is not closed";
        ++at;
        if (kind != 'u') {
            return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos
                       ? nullptr
                       : "an unknown escape in a string";
        }
        const int code = unicodeEscape();
        if (code < 0) return "a \\u escape without four hexadecimal digits";
        if (code >= 0xDC00 && code <= 0xDFFF) return "a lone surrogate";
        if (code >= 0xD800 && code <= 0xDBFF) {
            if (!take('\\') || !take('u')) return "a lone surrogate";
            const int low = unicodeEscape();
            if (low < 0xDC00 || low > 0xDFFF) return "a lone surrogate";
        }
        return nullptr;
    }

    // At the opening quote. UTF-8 is checked for the text as a whole, before.
    const char* string() {
        if (!take('"')) return "a string was expected";
        for (;;) {
            while (!end() && text[at] != '"' && text[at] != '\\' &&
                   static_cast<unsigned char>(text[at]) >= 0x20) {
                ++at;
            }
            if (end()) return "a string is not closed";
            if (take('"')) return nullptr;
            if (!take('\\')) return "a control character in a string";
            if (const char* why = escape()) return why;
        }
    }

    bool digits() {
        const std::size_t start = at;
        while (!end() && isDigit(text[at])) ++at;
        return at != start;
    }

    const char* number() {
        take('-');
        if (take('0')) {
            if (isDigit(peek())) return "a number with a leading zero";
        } else if (!digits()) {
            return "a value was expected";
        }
        if (take('.') && !digits()) return "a number without digits after its point";
        if (peek() == 'e' || peek() == 'E') {
            ++at;
            if (!take('+')) take('-');
            if (!digits()) return "a number without an exponent";
        }
        return nullptr;
    }

    const char* word(std::string_view expected) {
        if (text.substr(at, expected.size()) != expected) return "a value was expected";
        at += expected.size();
        return nullptr;
    }

    const char* scalar() {
        switch (peek()) {
            case '"':
                return string();
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            default:
                return number();
        }
    }

    const char* key() {
        skipSpace();
        if (const char* why = string()) return why;
        skipSpace();
        return take(':') ? nullptr : "a colon was expected";
    }

    const char* value(std::size_t maxDepth);
};

// One value. Open containers are bits on a fixed stack, so depth costs no call and no memory.
const char* Cursor::value(std::size_t maxDepth) {
    std::array<bool, maxDataDepth> isObject{};
    std::size_t depth = 0;
    for (;;) {
        skipSpace();
        const char open = peek();
        if (open == '{' || open == '[') {
            if (depth == maxDepth || depth == isObject.size()) return "nested too deep";
            ++at;
            isObject[depth++] = open == '{';
            skipSpace();
            if (peek() != (open == '{' ? '}' : ']')) {
                if (open == '{') {
                    if (const char* why = key()) return why;
                }
                continue;
            }
        } else if (const char* why = scalar()) {
            return why;
        }
        // A value has ended: close what ends with it, or go on behind a comma.
        for (;;) {
            if (depth == 0) return nullptr;
            skipSpace();
            const bool object = isObject[depth - 1];
            if (take(object ? '}' : ']')) {
                --depth;
                continue;
            }
            if (!take(','))
                return object ? "a comma or } was expected" : "a comma or ] was expected";
            if (object) {
                if (const char* why = key()) return why;
            }
            break;
        }
    }
}

void appendUtf8(std::string& out, unsigned code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 63));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 63));
        out += static_cast<char>(0x80 | (code & 63));
    } else {
        out += static_cast<char>(0xF0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 63));
        out += static_cast<char>(0x80 | (code >> 6 & 63));
        out += static_cast<char>(0x80 | (code & 63));
    }
}

char plainEscape(char kind) {
    switch (kind) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return kind;
    }
}

}  // namespace

bool validJson(std::string_view text) {
    if (!validUtf8(text)) return false;
    Cursor cursor{text};
    if (cursor.value(maxDataDepth) != nullptr) return false;
    cursor.skipSpace();
    return cursor.end();
}

ObjectScanner::ObjectScanner(std::string_view text, std::size_t maxDepth)
    : text_(text), maxDepth_(maxDepth) {}

bool ObjectScanner::fail(const char* why) {
    error_ = why;
    state_ = State::done;
    return false;
}

// Moves past `{`, a comma, or the closing brace. True when a member follows.
bool ObjectScanner::atMember() {
    Cursor cursor{text_, at_};
    cursor.skipSpace();
    bool member = false;
    const char* why = nullptr;
    if (state_ == State::start) {
        state_ = State::members;
        if (!validUtf8(text_)) {
            why = "not valid UTF-8";
        } else if (!cursor.take('{')) {
            why = "not a JSON object";
        } else {
            cursor.skipSpace();
            member = cursor.peek() != '}';
        }
    } else {
        member = cursor.take(',');
    }
    if (!why && !member) {
        if (!cursor.take('}')) why = "a comma or } was expected";
        cursor.skipSpace();
        if (!why && !cursor.end()) why = "text after the end of the object";
        state_ = State::done;
    }
    at_ = cursor.at;
    return why ? fail(why) : member;
}

bool ObjectScanner::next() {
    if (state_ == State::done || !atMember()) return false;
    Cursor cursor{text_, at_};
    cursor.skipSpace();
    const std::size_t keyStart = cursor.at;
    const char* why = cursor.key();
    if (!why) {
        const std::string_view quoted = text_.substr(keyStart, cursor.at - keyStart - 1);
        key_ = quoted.substr(1, quoted.rfind('"') - 1);
        cursor.skipSpace();
        const std::size_t valueStart = cursor.at;
        why = cursor.value(maxDepth_);
        value_ = text_.substr(valueStart, cursor.at - valueStart);
    }
    at_ = cursor.at;
    return why ? fail(why) : true;
}

std::string unescape(std::string_view quoted) {
    const std::string_view inner = quoted.substr(1, quoted.size() - 2);
    if (inner.find('\\') == std::string_view::npos) return std::string(inner);
    std::string text;
    text.reserve(inner.size());
    Cursor cursor{inner};
    while (!cursor.end()) {
        const char c = inner[cursor.at++];
        if (c != '\\') {
            text += c;
            continue;
        }
        const char kind = inner[cursor.at++];
        if (kind != 'u') {
            text += plainEscape(kind);
            continue;
        }
        auto code = static_cast<unsigned>(cursor.unicodeEscape());
        if (code >= 0xD800 && code <= 0xDBFF) {
            cursor.at += 2;  // the \u of the low half, which the scanner has seen
            code = 0x10000 + ((code - 0xD800) << 10) +
                   (static_cast<unsigned>(cursor.unicodeEscape()) - 0xDC00);
        }
        appendUtf8(text, code);
    }
    return text;
}

void appendQuoted(std::string& out, std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00";
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[c & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

}  // namespace netcluster::wire
