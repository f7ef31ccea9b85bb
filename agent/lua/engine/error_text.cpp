#include "error_text.hpp"

#include <lauxlib.h>

#include <stdexcept>
#include <string_view>

#include "json_values.hpp"

namespace netcluster::lua {
namespace {

/// Reason: it is a line of the log, and an answer that somebody reads.
constexpr std::size_t longest = 4096;
/// Of a table, as much as is looked at to make that line.
constexpr std::size_t mostOfTable = std::size_t{64} << 10;

/// What is not UTF-8 is replaced: logs and answers cannot hold it.
std::string asUtf8(std::string_view text) {
    if (isUtf8(text)) return std::string(text);
    return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// No half characters at the end.
std::string bounded(std::string_view text) {
    if (text.size() <= longest) return asUtf8(text);
    std::size_t size = longest;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
    return asUtf8(text.substr(0, size)) + " …";
}

std::string tableText(lua_State* state) {
    try {
        return bounded(toJson(state, -1, mostOfTable).dump());
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
        return size == 0 ? "an error without a message" : bounded({text, size});
    }
    if (type == LUA_TTABLE) return tableText(state);
    if (type == LUA_TNIL) return "an error without a message";
    if (type == LUA_TBOOLEAN)
        return lua_toboolean(state, -1) != 0 ? "an error that is only true"
                                             : "an error that is only false";
    return std::string("an error that is a ") + lua_typename(state, type);
}

}  // namespace netcluster::lua
