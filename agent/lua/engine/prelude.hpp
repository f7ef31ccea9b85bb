// The part of what scripts find that is written in Lua itself.
#pragma once

namespace netcluster::lua {

/// Called with `write(level, text)`, and the members of `config` that are given.
constexpr char prelude[] = R"lua(
local write, given = ...
local error, format, rawset, setmetatable = error, string.format, rawset, setmetatable
local concat, pack, tostring, next = table.concat, table.pack, tostring, next

local function joined(...)
  local parts = pack(...)
  for i = 1, parts.n do parts[i] = tostring(parts[i]) end
  return concat(parts, "\t", 1, parts.n)
end

local function writers(textOf)
  local made = {}
  for level, name in next, {[0] = "trace", "debug", "info", "warn", "error"} do
    made[name] = function(...) write(level, textOf(...)) end
  end
  local info = made.info
  return setmetatable(made, {__call = function(_, ...) return info(...) end})
end

log, logf = writers(joined), writers(format)
print = log.info

config = setmetatable({Schedule = {Tasks = {}}}, {
  __index = given,
  __newindex = function(table, key, value)
    if given[key] ~= nil then
      error("config." .. tostring(key) .. " is given by the worker", 2)
    end
    rawset(table, key, value)
  end,
  __pairs = function(table)
    local all = {}
    for key, value in next, given do all[key] = value end
    for key, value in next, table do all[key] = value end
    return next, all
  end,
  __metatable = false,
})
)lua";

}  // namespace netcluster::lua
