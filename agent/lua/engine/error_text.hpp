// What an error that a script has raised says to people.
#pragma once

#include <lua.h>

#include <string>

namespace netcluster::lua {

/// Of the value on top of the stack: a text as it is, a table as JSON, others in words; at most
/// 4 KiB. May raise an error of Lua, and run a `__tostring` of the script's.
std::string errorText(lua_State* state);

}  // namespace netcluster::lua
