// What scripts find in Lua. Called once per state, within Machine::protect, with nothing on the
// stack.
//
// In the sandbox that is Lua 5.4's own library but for: io, debug, package; os but clock, date,
// difftime and time; load takes text alone (bytecode can break out); collectgarbage counts and
// steps; setmetatable refuses __gc. Functions of C that may run long at one call pay for it in
// instructions. Unsafe: all of Lua's library, with our pcall and coroutines.
#pragma once

#include <lua.h>

#include <filesystem>
#include <string>

namespace netcluster::lua {

void openStandard(lua_State* state, bool unsafe);

/// pcall, xpcall; in the sandbox setmetatable, load, collectgarbage too.
void openGuards(lua_State* state, bool unsafe);
/// coroutine.resume, wrap and close, which know what a call is.
void openCoroutines(lua_State* state);
/// string.rep, table.move and others: at a price. Patterns too (patterns.cpp).
void openCharged(lua_State* state);
/// string.find, match, gmatch, gsub: at a price for each step.
void openPatterns(lua_State* state);

/// require, dofile and loadfile, for files below `folder` and nothing else. `require("a.b")`,
/// `require("a/b")` and `dofile("a/b.lua")` all mean <folder>/a/b.lua.
void openModules(lua_State* state, const std::filesystem::path& folder);
/// Unsafe: Lua's own require, which looks in `folder` first.
void openPaths(lua_State* state, const std::filesystem::path& folder);
/// Pushes the function that the file is. Throws ScriptError with file and line.
void loadFile(lua_State* state, const std::filesystem::path& folder, const std::string& name);

}  // namespace netcluster::lua
