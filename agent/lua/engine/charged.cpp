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
/// What is put together of all of them.
std::uint64_t ofTexts(lua_State* state) {
    std::uint64_t size = 0;
    for (int index = lua_gettop(state); index > 0; --index) size += sizeOfText(state, index);
    return size / 16;
}
/// "%c" is some 30 bytes, one after the other.
std::uint64_t ofDate(lua_State* state) {
    return sizeOfText(state, 1) * 16;
}
/// The sizes that a format of string.pack names: "c1000" is filled up to that.
std::uint64_t sizesIn(lua_State* state) {
    std::size_t length = 0;
    const char* format = lua_type(state, 1) == LUA_TSTRING ? lua_tolstring(state, 1, &length) : "";
    constexpr std::uint64_t most = LUA_MAXINTEGER / 16;
    std::uint64_t sum = 0;
    std::uint64_t number = 0;
    for (std::size_t at = 0; at < length; ++at) {
        const bool digit = format[at] >= '0' && format[at] <= '9';
        number =
            digit ? std::min(most, number * 10 + static_cast<std::uint64_t>(format[at] - '0')) : 0;
        // Once more for each of its digits: a tenth too much.
        sum = std::min(most, sum + number);
    }
    return sum;
}
std::uint64_t ofPack(lua_State* state) {
    return sizesIn(state) / 16 + ofTexts(state);
}
std::uint64_t ofUnpack(lua_State* state) {
    return std::min(sizesIn(state), sizeOfText(state, 2)) / 16 + ofText(state);
}
/// As string.byte takes places: from the end when they are negative.
std::uint64_t ofBytes(lua_State* state) {
    const auto size = static_cast<lua_Integer>(sizeOfText(state, 1));
    const auto place = [size](lua_Integer at) {
        return at < 0 ? std::max(at, -size) + size + 1 : at;
    };
    const lua_Integer first = lua_isnoneornil(state, 2) ? 1 : place(integerAt(state, 2));
    const lua_Integer last = lua_isnoneornil(state, 3) ? first : place(integerAt(state, 3));
    return span(std::max<lua_Integer>(first, 1), std::min(last, size));
}
std::uint64_t ofTableUnpack(lua_State* state) {
    const lua_Integer first = lua_isnoneornil(state, 2) ? 1 : integerAt(state, 2);
    if (!lua_isnoneornil(state, 3)) return span(first, integerAt(state, 3));
    return span(first, static_cast<lua_Integer>(lengthAt(state, 1)));
}

struct Entry {
    const char* library;
    const char* name;
    Price price;
};

constexpr const char* globals = LUA_GNAME;

constexpr Entry entries[] = {
    {"string", "rep", &ofRep},
    {"string", "reverse", &ofText},
    {"string", "upper", &ofText},
    {"string", "lower", &ofText},
    {"string", "format", &ofTexts},
    {"string", "byte", &ofBytes},
    {"string", "pack", &ofPack},
    {"string", "unpack", &ofUnpack},
    {"string", "packsize", &ofText},
    {"table", "move", &ofMove},
    {"table", "insert", &ofLength},
    {"table", "remove", &ofLength},
    {"table", "concat", &ofConcat},
    {"table", "sort", &ofSort},
    {"table", "unpack", &ofTableUnpack},
    {"utf8", "len", &ofText},
    {"utf8", "offset", &ofText},
    {"utf8", "codepoint", &ofText},
    {"os", "date", &ofDate},
    {globals, "tonumber", &ofText},
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
