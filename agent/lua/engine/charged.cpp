// Functions of Lua's library whose one call may work for as long as its arguments say, with no
// instruction in between at which the meter is looked at: `string.rep("", 1e15)`, `table.move` of
// 1e15 nils, `table.insert` into what claims that length. They cost as many instructions as they
// have steps, beforehand. What must be held in memory is bounded by that already, but takes its
// time too.
#include <algorithm>
#include <cmath>

#include "libraries.hpp"
#include "machine.hpp"

namespace netcluster::lua {
namespace {

using Price = std::uint64_t (*)(lua_State*);

std::uint64_t positive(lua_Integer amount) {
    return amount > 0 ? static_cast<std::uint64_t>(amount) : 0;
}

/// What does not fit is refused by the function itself, with its own words.
lua_Integer integerAt(lua_State* state, int index) {
    return lua_tointeger(state, index);
}

std::uint64_t sizeOfText(lua_State* state, int index) {
    return lua_type(state, index) == LUA_TSTRING ? lua_rawlen(state, index) : 0;
}

/// With __len a table may claim any length, and another one each time it is asked.
std::uint64_t lengthAt(lua_State* state, int index) {
    if (!lua_istable(state, index)) return 0;
    if (luaL_getmetafield(state, index, "__len") != LUA_TNIL)
        luaL_error(state, "no tables with __len here, in the sandbox");
    return lua_rawlen(state, index);
}

/// From `first` to `last`, both included; what is wider than integers counts as much as can be.
std::uint64_t span(lua_Integer first, lua_Integer last) {
    if (last < first) return 0;
    return static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1;
}

std::uint64_t ofRep(lua_State* state) {
    const std::uint64_t times = positive(integerAt(state, 2));
    const std::uint64_t each = (sizeOfText(state, 1) + sizeOfText(state, 3)) / 16 + 1;
    return times > LUA_MAXINTEGER / each ? LUA_MAXINTEGER : times * each;
}
std::uint64_t ofMove(lua_State* state) {
    return span(integerAt(state, 2), integerAt(state, 3));
}
std::uint64_t ofLength(lua_State* state) {
    return lengthAt(state, 1);
}
std::uint64_t ofSort(lua_State* state) {
    const std::uint64_t length = lengthAt(state, 1);
    return length * (static_cast<std::uint64_t>(std::log2(static_cast<double>(length) + 1)) + 1);
}
std::uint64_t ofConcat(lua_State* state) {
    const lua_Integer first = lua_isnoneornil(state, 3) ? 1 : integerAt(state, 3);
    if (lua_isnoneornil(state, 4)) return lengthAt(state, 1);
    return span(first, integerAt(state, 4));
}
std::uint64_t ofText(lua_State* state) {
    return sizeOfText(state, 1) / 16;
}

struct Entry {
    const char* library;
    const char* name;
    Price price;
};

constexpr Entry entries[] = {
    {"string", "rep", &ofRep},      {"string", "reverse", &ofText}, {"string", "upper", &ofText},
    {"string", "lower", &ofText},   {"string", "format", &ofText},  {"string", "unpack", &ofText},
    {"table", "move", &ofMove},     {"table", "insert", &ofLength}, {"table", "remove", &ofLength},
    {"table", "concat", &ofConcat}, {"table", "sort", &ofSort},     {"utf8", "len", &ofText},
    {"utf8", "offset", &ofText},    {"utf8", "codepoint", &ofText},
};

/// Upvalue 1 is the function, upvalue 2 its entry.
int charged(lua_State* state) {
    const auto& entry = *static_cast<const Entry*>(lua_touserdata(state, lua_upvalueindex(2)));
    const std::uint64_t price = entry.price(state);
    // Appending to a table moves nothing.
    const bool appends = entry.price == &ofLength && lua_gettop(state) == 2 && entry.name[0] == 'i';
    const bool takesLast = entry.price == &ofLength && lua_gettop(state) == 1;
    if (price > 16 && !appends && !takesLast) Machine::of(state).charge(state, price);
    return lua_tocfunction(state, lua_upvalueindex(1))(state);
}

}  // namespace

void openCharged(lua_State* state) {
    for (const Entry& entry : entries) {
        lua_getglobal(state, entry.library);
        lua_getfield(state, -1, entry.name);
        lua_pushlightuserdata(state, const_cast<Entry*>(&entry));
        lua_pushcclosure(state, &charged, 2);
        lua_setfield(state, -2, entry.name);
        lua_pop(state, 1);
    }
    openPatterns(state);
}

}  // namespace netcluster::lua
