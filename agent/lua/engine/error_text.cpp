#include "error_text.hpp"

#include <lauxlib.h>

#include <stdexcept>

#include "json_values.hpp"
#include "texts.hpp"

namespace netcluster::lua {
namespace {

/// Reason: it is a line of the log, and an answer that somebody reads.
constexpr std::size_t longest = 4096;
/// Of a table, as much as is looked at to make that line.
constexpr std::size_t mostOfTable = std::size_t{64} << 10;

std::string tableText(lua_State* state) {
    try {
        return shortened(toJson(state, -1, mostOfTable).dump(), longest);
    } catch (const std::invalid_argument& error) {
        return std::string("an error that is a table, but not JSON: ") + error.what();
    }
}

}  // namespace

std::string errorText(lua_State* state) {
    const int type = lua_type(state, -1);
    const bool own = luaL_getmetafield(state, -1, "__tostring") != LUA_TNIL;
    if (own) lua_pop(state, 1);
    if (own || type == LUA_TSTRING || type == LUA_TNUMBER) {
        std::size_t size = 0;
        const char* text = luaL_tolstring(state, -1, &size);
        return size == 0 ? "an error without a message" : shortened({text, size}, longest);
    }
    if (type == LUA_TTABLE) return tableText(state);
    if (type == LUA_TNIL) return "an error without a message";
    if (type == LUA_TBOOLEAN)
        return lua_toboolean(state, -1) != 0 ? "an error that is only true"
                                             : "an error that is only false";
    return std::string("an error that is a ") + lua_typename(state, type);
}

}  // namespace netcluster::lua
