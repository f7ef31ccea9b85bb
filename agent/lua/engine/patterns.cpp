// string.find, match, gmatch and gsub on our Matcher.
#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "libraries.hpp"
#include "matcher.hpp"

namespace netcluster::lua {
namespace {

std::string_view textAt(lua_State* state, int index) {
    std::size_t size = 0;
    const char* data = luaL_checklstring(state, index, &size);
    return {data, size};
}

/// Where to begin, from 0; may be more than `size`.
std::size_t startAt(lua_State* state, int index, std::size_t size) {
    const lua_Integer given = luaL_optinteger(state, index, 1);
    if (given > 0) return static_cast<std::size_t>(given) - 1;
    if (given == 0 || given < -static_cast<lua_Integer>(size)) return 0;
    return static_cast<std::size_t>(static_cast<lua_Integer>(size) + given);
}

/// Each place where it may begin costs what is compared there.
const char* findPlain(lua_State* state, std::string_view text, std::string_view wanted) {
    if (wanted.empty()) return text.data();
    std::uint64_t steps = 0;
    while (text.size() >= wanted.size()) {
        const void* place =
            std::memchr(text.data(), wanted.front(), text.size() - wanted.size() + 1);
        if (place == nullptr) break;
        const char* found = static_cast<const char*>(place);
        steps += static_cast<std::size_t>(found - text.data()) / 64 + wanted.size() / 16 + 1;
        if (steps > 4096) {
            Machine::of(state).charge(state, steps);
            steps = 0;
        }
        if (std::memcmp(found, wanted.data(), wanted.size()) == 0) return found;
        text.remove_prefix(static_cast<std::size_t>(found - text.data()) + 1);
    }
    return nullptr;
}

bool isPlain(std::string_view pattern) {
    return pattern.find_first_of("^$*+?.([%-") == std::string_view::npos;
}

int pushRange(lua_State* state, std::string_view text, const char* from, const char* to) {
    lua_pushinteger(state, from - text.data() + 1);
    lua_pushinteger(state, to - text.data());
    return 2;
}

int search(lua_State* state, bool find) {
    const std::string_view text = textAt(state, 1);
    std::string_view pattern = textAt(state, 2);
    const std::size_t start = startAt(state, 3, text.size());
    if (start > text.size()) {
        lua_pushnil(state);
        return 1;
    }
    if (find && (lua_toboolean(state, 4) != 0 || isPlain(pattern))) {
        const char* found = findPlain(state, text.substr(start), pattern);
        if (found != nullptr) return pushRange(state, text, found, found + pattern.size());
        lua_pushnil(state);
        return 1;
    }
    const bool anchored = pattern.starts_with('^');
    if (anchored) pattern.remove_prefix(1);
    Matcher matcher(state, text, pattern);
    const char* const end = text.data() + text.size();
    for (const char* from = text.data() + start; from <= end; ++from) {
        if (const char* to = matcher.matchAt(from); to != nullptr) {
            if (!find) return matcher.pushCaptures(from, to);
            return pushRange(state, text, from, to) + matcher.pushCaptures(from, to, false);
        }
        if (anchored) break;
    }
    lua_pushnil(state);
    return 1;
}

int find(lua_State* state) {
    return search(state, true);
}
int match(lua_State* state) {
    return search(state, false);
}

// -- gmatch: text and pattern are upvalues 1 and 2, where it stands is upvalue 3

struct Progress {
    const char* next;
    const char* lastEnd;
};

int nextMatch(lua_State* state) {
    const std::string_view text = textAt(state, lua_upvalueindex(1));
    auto& progress = *static_cast<Progress*>(lua_touserdata(state, lua_upvalueindex(3)));
    Matcher matcher(state, text, textAt(state, lua_upvalueindex(2)));
    const char* const end = text.data() + text.size();
    for (const char* from = progress.next; from <= end; ++from) {
        const char* to = matcher.matchAt(from);
        if (to == nullptr || to == progress.lastEnd) continue;
        progress.next = progress.lastEnd = to;
        return matcher.pushCaptures(from, to);
    }
    progress.next = end + 1;
    return 0;
}

int gmatch(lua_State* state) {
    const std::string_view text = textAt(state, 1);
    textAt(state, 2);
    const std::size_t start = std::min(startAt(state, 3, text.size()), text.size() + 1);
    lua_settop(state, 2);
    new (lua_newuserdatauv(state, sizeof(Progress), 0)) Progress{text.data() + start, nullptr};
    lua_pushcclosure(state, &nextMatch, 3);
    return 1;
}

// -- gsub

struct Replacing {
    lua_State* state;
    luaL_Buffer buffer;
    Matcher& matcher;

    void addText(const char* from, const char* to) {
        const std::string_view replacement = textAt(state, 3);
        for (std::size_t at = 0; at < replacement.size(); ++at) {
            if (replacement[at] != '%') {
                luaL_addchar(&buffer, replacement[at]);
                continue;
            }
            const char what = ++at < replacement.size() ? replacement[at] : '\0';
            if (what == '%') {
                luaL_addchar(&buffer, '%');
            } else if (what == '0') {
                luaL_addlstring(&buffer, from, static_cast<std::size_t>(to - from));
            } else if (what >= '1' && what <= '9') {
                matcher.pushCapture(what - '1', from, to);
                luaL_tolstring(state, -1, nullptr);  // a position is a number
                lua_remove(state, -2);
                luaL_addvalue(&buffer);
            } else {
                luaL_error(state, "invalid use of '%%' in replacement string");
            }
        }
    }

    /// True when the match has been replaced.
    bool add(const char* from, const char* to, int kind) {
        if (kind == LUA_TSTRING || kind == LUA_TNUMBER) {
            addText(from, to);
            return true;
        }
        if (kind == LUA_TFUNCTION) {
            lua_pushvalue(state, 3);
            const int count = matcher.pushCaptures(from, to);
            lua_call(state, count, 1);
        } else {
            matcher.pushCapture(0, from, to);
            lua_gettable(state, 3);
        }
        if (lua_toboolean(state, -1) == 0) {
            lua_pop(state, 1);
            luaL_addlstring(&buffer, from, static_cast<std::size_t>(to - from));
            return false;
        }
        if (lua_isstring(state, -1) == 0)
            luaL_error(state, "invalid replacement value (a %s)", luaL_typename(state, -1));
        luaL_addvalue(&buffer);
        return true;
    }
};

int gsub(lua_State* state) {
    const std::string_view text = textAt(state, 1);
    std::string_view pattern = textAt(state, 2);
    const int kind = lua_type(state, 3);
    luaL_argexpected(
        state,
        kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION || kind == LUA_TTABLE,
        3, "string/function/table");
    const lua_Integer most = luaL_optinteger(state, 4, static_cast<lua_Integer>(text.size()) + 1);
    const bool anchored = pattern.starts_with('^');
    if (anchored) pattern.remove_prefix(1);
    lua_Integer count = 0;
    bool changed = false;
    Matcher matcher(state, text, pattern);
    Replacing replacing{state, {}, matcher};
    luaL_buffinit(state, &replacing.buffer);
    const char* from = text.data();
    const char* const end = from + text.size();
    const char* lastEnd = nullptr;
    while (count < most) {
        const char* to = matcher.matchAt(from);
        if (to != nullptr && to != lastEnd) {
            ++count;
            changed = replacing.add(from, to, kind) || changed;
            from = lastEnd = to;
        } else if (from < end) {
            luaL_addchar(&replacing.buffer, *from);
            ++from;
        } else {
            break;
        }
        if (anchored) break;
    }
    if (changed) {
        luaL_addlstring(&replacing.buffer, from, static_cast<std::size_t>(end - from));
        luaL_pushresult(&replacing.buffer);
    } else {
        lua_pushvalue(state, 1);
    }
    lua_pushinteger(state, count);
    return 2;
}

}  // namespace

void openPatterns(lua_State* state) {
    lua_getglobal(state, "string");
    const luaL_Reg functions[] = {{"find", &find},
                                  {"match", &match},
                                  {"gmatch", &gmatch},
                                  {"gsub", &gsub},
                                  {nullptr, nullptr}};
    luaL_setfuncs(state, functions, 0);
    lua_pop(state, 1);
}

}  // namespace netcluster::lua
