#include "matcher.hpp"

#include <cctype>
#include <cstring>

namespace netcluster::lua {
namespace {

constexpr int deepestMatch = 200;       ///< as Lua's own
constexpr std::uint64_t atOnce = 4096;  ///< steps paid for together

bool inClass(char what, char name) {
    const int c = static_cast<unsigned char>(what);
    bool result = false;
    switch (std::tolower(static_cast<unsigned char>(name))) {
        case 'a':
            result = std::isalpha(c) != 0;
            break;
        case 'c':
            result = std::iscntrl(c) != 0;
            break;
        case 'd':
            result = std::isdigit(c) != 0;
            break;
        case 'g':
            result = std::isgraph(c) != 0;
            break;
        case 'l':
            result = std::islower(c) != 0;
            break;
        case 'p':
            result = std::ispunct(c) != 0;
            break;
        case 's':
            result = std::isspace(c) != 0;
            break;
        case 'u':
            result = std::isupper(c) != 0;
            break;
        case 'w':
            result = std::isalnum(c) != 0;
            break;
        case 'x':
            result = std::isxdigit(c) != 0;
            break;
        case 'z':  // of Lua 5.1
            result = c == 0;
            break;
        default:
            return name == what;
    }
    return std::isupper(static_cast<unsigned char>(name)) != 0 ? !result : result;
}

}  // namespace

void Matcher::pay(std::uint64_t steps) {
    owed_ += steps;
    if (owed_ < atOnce) return;
    const std::uint64_t amount = owed_;
    owed_ = 0;
    Machine::of(state_).charge(state_, amount);
}

const char* Matcher::matchAt(const char* from) {
    count_ = 0;
    depth_ = 0;
    return match(from, pattern_);
}

const char* Matcher::match(const char* text, const char* pattern) {
    if (++depth_ > deepestMatch) luaL_error(state_, "pattern too complex");
    const auto leave = [this](const char* result) {
        --depth_;
        return result;
    };
    for (;;) {
        pay(1);
        if (pattern == patternEnd_) return leave(text);
        const char next = at(pattern + 1);
        if (*pattern == '(')
            return leave(next == ')' ? startCapture(text, pattern + 2, position)
                                     : startCapture(text, pattern + 1, unfinished));
        if (*pattern == ')') return leave(endCapture(text, pattern + 1));
        if (*pattern == '$' && pattern + 1 == patternEnd_)
            return leave(text == end_ ? text : nullptr);
        if (*pattern == '%' && (next == 'b' || next == 'f' || (next >= '0' && next <= '9'))) {
            const char* rest = pattern + 2;
            if (next == 'b') {
                text = balanced(text, rest);
                rest += 2;
            } else if (next == 'f') {
                rest = frontier(text, rest);
                if (rest == nullptr) return leave(nullptr);
            } else {
                text = repeated(text, next);
            }
            if (text == nullptr) return leave(nullptr);
            pattern = rest;
            continue;
        }
        const char* classEnd = endOfClass(pattern);
        switch (at(classEnd)) {
            case '*':
                return leave(expandMost(text, pattern, classEnd));
            case '+':
                return leave(single(text, pattern, classEnd)
                                 ? expandMost(text + 1, pattern, classEnd)
                                 : nullptr);
            case '-':
                return leave(expandLeast(text, pattern, classEnd));
            case '?':
                if (single(text, pattern, classEnd)) {
                    const char* result = match(text + 1, classEnd + 1);
                    if (result != nullptr) return leave(result);
                }
                pattern = classEnd + 1;
                break;
            default:
                if (!single(text, pattern, classEnd)) return leave(nullptr);
                ++text;
                pattern = classEnd;
        }
    }
}

const char* Matcher::startCapture(const char* text, const char* pattern, std::ptrdiff_t kind) {
    if (count_ == static_cast<int>(captures_.size())) luaL_error(state_, "too many captures");
    captures_[static_cast<std::size_t>(count_++)] = {text, kind};
    const char* result = match(text, pattern);
    if (result == nullptr) --count_;
    return result;
}

const char* Matcher::endCapture(const char* text, const char* pattern) {
    int number = count_ - 1;
    while (number >= 0 && captures_[static_cast<std::size_t>(number)].size != unfinished) --number;
    if (number < 0) luaL_error(state_, "invalid pattern capture");
    Capture& capture = captures_[static_cast<std::size_t>(number)];
    capture.size = text - capture.begin;
    const char* result = match(text, pattern);
    if (result == nullptr) capture.size = unfinished;
    return result;
}

const char* Matcher::expandMost(const char* text, const char* pattern, const char* classEnd) {
    std::ptrdiff_t count = 0;
    while (single(text + count, pattern, classEnd)) ++count;
    for (; count >= 0; --count) {
        const char* result = match(text + count, classEnd + 1);
        if (result != nullptr) return result;
    }
    return nullptr;
}

const char* Matcher::expandLeast(const char* text, const char* pattern, const char* classEnd) {
    for (;; ++text) {
        const char* result = match(text, classEnd + 1);
        if (result != nullptr) return result;
        if (!single(text, pattern, classEnd)) return nullptr;
    }
}

const char* Matcher::balanced(const char* text, const char* pattern) {
    if (pattern + 1 >= patternEnd_)
        luaL_error(state_, "malformed pattern (missing arguments to '%%b')");
    if (text == end_ || *text != *pattern) return nullptr;
    const char open = pattern[0], closing = pattern[1];
    std::ptrdiff_t level = 1;
    for (++text; text < end_; ++text) {
        pay(1);
        if (*text == closing) {
            if (--level == 0) return text + 1;
        } else if (*text == open) {
            ++level;
        }
    }
    return nullptr;
}

/// Null, or what of the pattern follows.
const char* Matcher::frontier(const char* text, const char* pattern) {
    if (at(pattern) != '[') luaL_error(state_, "missing '[' after '%%f' in pattern");
    const char* classEnd = endOfClass(pattern);
    const char before = text == begin_ ? '\0' : text[-1];
    const char here = text == end_ ? '\0' : *text;
    const bool found = !inSet(before, pattern, classEnd - 1) && inSet(here, pattern, classEnd - 1);
    return found ? classEnd : nullptr;
}

const char* Matcher::repeated(const char* text, char number) {
    const int index = number - '1';
    if (index < 0 || index >= count_ ||
        captures_[static_cast<std::size_t>(index)].size == unfinished)
        luaL_error(state_, "invalid capture index %%%d", index + 1);
    const Capture& capture = captures_[static_cast<std::size_t>(index)];
    if (capture.size == position) return nullptr;
    const auto size = static_cast<std::size_t>(capture.size);
    pay(size / 16 + 1);
    const bool same = static_cast<std::size_t>(end_ - text) >= size &&
                      std::memcmp(capture.begin, text, size) == 0;
    return same ? text + size : nullptr;
}

const char* Matcher::endOfClass(const char* pattern) {
    const char first = *pattern++;
    if (first == '%') {
        if (pattern == patternEnd_) luaL_error(state_, "malformed pattern (ends with '%%')");
        return pattern + 1;
    }
    if (first != '[') return pattern;
    if (at(pattern) == '^') ++pattern;
    do {  // a `]` that comes first is one of the set
        if (pattern == patternEnd_) luaL_error(state_, "malformed pattern (missing ']')");
        pay(1);
        const bool escapes = *pattern++ == '%';
        if (escapes) {
            if (pattern == patternEnd_) luaL_error(state_, "malformed pattern (missing ']')");
            ++pattern;
        }
    } while (at(pattern) != ']' || pattern == patternEnd_);
    return pattern + 1;
}

bool Matcher::single(const char* text, const char* pattern, const char* classEnd) {
    pay(1);
    if (text >= end_) return false;
    switch (*pattern) {
        case '.':
            return true;
        case '%':
            return inClass(*text, pattern[1]);
        case '[':
            return inSet(*text, pattern, classEnd - 1);
        default:
            return *pattern == *text;
    }
}

bool Matcher::inSet(char what, const char* set, const char* closing) {
    bool found = true;
    ++set;
    if (*set == '^') {
        found = false;
        ++set;
    }
    const auto code = static_cast<unsigned char>(what);
    for (; set < closing; ++set) {
        pay(1);
        if (*set == '%') {
            ++set;
            if (inClass(what, *set)) return found;
        } else if (set + 2 < closing && set[1] == '-') {
            const auto low = static_cast<unsigned char>(set[0]);
            const auto high = static_cast<unsigned char>(set[2]);
            set += 2;
            if (low <= code && code <= high) return found;
        } else if (*set == what) {
            return found;
        }
    }
    return !found;
}

void Matcher::pushCapture(int number, const char* from, const char* to) {
    if (number >= count_) {
        if (number != 0) luaL_error(state_, "invalid capture index %%%d", number + 1);
        lua_pushlstring(state_, from, static_cast<std::size_t>(to - from));
        return;
    }
    const Capture& capture = captures_[static_cast<std::size_t>(number)];
    if (capture.size == unfinished) luaL_error(state_, "unfinished capture");
    if (capture.size == position)
        lua_pushinteger(state_, capture.begin - begin_ + 1);
    else
        lua_pushlstring(state_, capture.begin, static_cast<std::size_t>(capture.size));
}

int Matcher::pushCaptures(const char* from, const char* to, bool whole) {
    const int count = count_ == 0 && whole ? 1 : count_;
    luaL_checkstack(state_, count, "too many captures");
    for (int number = 0; number < count; ++number) pushCapture(number, from, to);
    return count;
}

}  // namespace netcluster::lua
