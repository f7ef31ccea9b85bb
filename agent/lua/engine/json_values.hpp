// JSON <-> Lua.
//
//   null      json.null within arrays and objects, nil for a value of its own
//   true      true                       3    an integer        3.0, 3.5    a float
//   "text"    a string; must be UTF-8
//   [1,2]     a table 1 … n, marked as an array so that an empty one stays one
//   {"a":1}   a table with strings as keys
//
// A table with the keys 1 … n and no others is an array, an empty one without the mark an object.
// Refused, with the path to it: NaN and infinities, functions and the like, tables with holes or
// with both kinds of keys, more than `deepest` levels, more than `largest` bytes (roughly, as
// text).
#pragma once

#include <lua.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

namespace netcluster::lua {

using Json = nlohmann::json;

constexpr int deepest = 32;  ///< as for all events
/// Reason: the largest event; it also bounds tables that hold one table many times.
constexpr std::size_t largest = std::size_t{4} << 20;

/// Pushes `value` onto the stack; may raise an error of Lua (memory). A whole null becomes nil.
void push(lua_State* state, const Json& value);
/// The value at `index`, of at most so many bytes. Throws std::invalid_argument saying what is
/// refused and where.
Json toJson(lua_State* state, int index, std::size_t most = largest);
/// An array of the values from `first` to `last`, `largest` bytes together. Costs the call that
/// runs as many instructions as that has bytes, refused or not: a script may catch that, and try
/// again without end.
Json toJsonAtPrice(lua_State* state, int first, int last);
/// Throws std::invalid_argument: not JSON, or deeper than `deepest`, or more than `largest` bytes.
Json parseJson(std::string_view text);

/// Leaves the library `json` on the stack: encode, decode, null, array. Once per state,
/// before any of the above.
void openJson(lua_State* state);

// -- for that library

void makeArrayMark(lua_State* state);
/// Of the table on top of the stack.
void markArray(lua_State* state);
bool isArray(lua_State* state, int index);
void pushNull(lua_State* state);

}  // namespace netcluster::lua
