// The library `json` of scripts.
#include <lauxlib.h>

#include <stdexcept>
#include <string>

#include "json_values.hpp"
#include "machine.hpp"

namespace netcluster::lua {
namespace {

constexpr int perLevel = 2;

/// Bytes that lines of their own add: many times those of the values, where they are deep.
std::size_t bytesOfLines(const Json& value, std::size_t level) {
    if (!value.is_structured() || value.empty()) return 0;
    std::size_t bytes = 1 + level * perLevel;
    for (const Json& member : value)
        bytes += 1 + (level + 1) * perLevel + bytesOfLines(member, level + 1);
    return bytes;
}

int encode(lua_State* state) {
    luaL_checkany(state, 1);
    const Json value = toJsonAtPrice(state, 1, 1).front();
    const int indent = lua_toboolean(state, 2) != 0 ? perLevel : -1;
    if (indent > 0) {
        const std::size_t bytes = bytesOfLines(value, 0);
        if (bytes > largest)
            throw std::invalid_argument("more than " + std::to_string(largest) +
                                        " bytes of JSON, for its lines");
        Machine::of(state).charge(state, bytes);
    }
    const std::string text = value.dump(indent);
    Machine::of(state).charge(state, text.size());
    lua_pushlstring(state, text.data(), text.size());
    return 1;
}

int decode(lua_State* state) {
    std::size_t size = 0;
    const char* text = luaL_checklstring(state, 1, &size);
    Machine::of(state).charge(state, size);
    push(state, parseJson({text, size}));
    return 1;
}

int array(lua_State* state) {
    if (lua_isnoneornil(state, 1)) {
        lua_settop(state, 0);
        lua_newtable(state);
    }
    luaL_checktype(state, 1, LUA_TTABLE);
    lua_settop(state, 1);
    if (isArray(state, 1)) return 1;
    // It may be one that scripts must not change: that of `config` is.
    if (lua_getmetatable(state, 1) != 0)
        return luaL_argerror(state, 1, "a table with a metatable of its own");
    markArray(state);
    return 1;
}

}  // namespace

void openJson(lua_State* state) {
    makeArrayMark(state);
    lua_newtable(state);
    const luaL_Reg functions[] = {{"encode", &guarded<encode>},
                                  {"decode", &guarded<decode>},
                                  {"array", &guarded<array>},
                                  {nullptr, nullptr}};
    luaL_setfuncs(state, functions, 0);
    pushNull(state);
    lua_setfield(state, -2, "null");
}

}  // namespace netcluster::lua
