// Our patterns are Lua's: what the reference manual says, and the corners of the implementation,
// beside Lua's own functions (the unsafe state has those).
#include "support.hpp"

using namespace netcluster::lua;
using namespace netcluster::lua::testing;

namespace {

const char* const program = R"(
local texts = {'', 'a', 'abc', 'hello world from Lua', '  trim me  ', 'key = value', 'aaab', 'THE (quick) fox',
  '[[x]] %d+ $', 'f(a(b)c)d)', 'x=1, y=22', '\0a\0', 'ünï', 'abcabc', '2026-11-21', 'one;;two', ']-^', ('ab'):rep(50)}
local patterns = {'', 'a', '.', '.-', '.*', 'a*', 'a+b', 'a-b', 'a?b', '^a', 'c$', '^$', '%a+', '%s*', '(%w+) = (%w+)',
  '()', '(a)(b)(c)', '((a)b)', '%b()', '%f[%a]%a+', '%f[%z]', '(%d+)-(%d+)-(%d+)', '[%a_]+', '[^%s]+', '[a-c]*', '[]-]',
  '[]]', '[^]]', '[a-]', '[%-%]]', '(.)%1', '(ab)%1', '^(.-)%s*$', '^%s*(.-)%s*$', '%$', '$', '.$', 'o$x', '%D', '%x+', '%u%l',
  '%z', '[%z]', 'ä?ü', '%g+', '%c', '%p+', '[^', '(', ')', '%', '(()', '%1', '%b', '%bx', '%f', '[a', '[%', '(a', 'a)', '[a-%%]',
  '(.-);', 'b*c*', '-', 'a--', '^^a', '%w-$', '\0', '.\0.'}
local replacements = {'', 'x', '%0', '<%1>', '%%', '%2', '%', '%9', '%a', 7}

local function all(...) return table.concat({...}, '|') end
local function shown(...)
  local parts = table.pack(...)
  for i = 1, parts.n do parts[i] = tostring(parts[i]) end
  return table.concat(parts, '|')
end

function f()
  local lines = {}
  local function say(what, ...)
    local text = shown(pcall(...)):gsub('^false|.-:%d+: ', 'false|'):gsub('capture index %%%d+.*', 'capture index')
    lines[#lines + 1] = what .. ' -> ' .. text
  end
  for t, text in ipairs(texts) do
    for p, pattern in ipairs(patterns) do
      local what = t .. ' ' .. pattern
      say('find ' .. what, string.find, text, pattern)
      say('match ' .. what, string.match, text, pattern, 2)
      say('back ' .. what, string.find, text, pattern, -2)
      say('plain ' .. what, string.find, text, pattern, 1, true)
      say('each ' .. what, function()
        local found = {}
        for a, b in string.gmatch(text, pattern) do found[#found + 1] = tostring(a) .. ',' .. tostring(b) end
        return table.concat(found, ';')
      end)
      for _, replacement in ipairs(replacements) do
        say('sub ' .. what .. ' ' .. replacement, string.gsub, text, pattern, replacement)
      end
      say('some ' .. what, string.gsub, text, pattern, 'x', 2)
      say('call ' .. what, string.gsub, text, pattern, function(a) return a == 'a' and 'Q' end)
      say('table ' .. what, string.gsub, text, pattern, {a = 1, abc = 'z', b = false})
    end
  end
  for i, line in ipairs(lines) do lines[i] = line:gsub('[^ -~]', '?') end
  return #lines, lines
end
function lines() local n, l = f() return l end)";

}  // namespace

TEST_CASE("patterns match as Lua's own do") {
    Limits limits;
    limits.run = 60s;
    limits.wall = 600s;
    limits.instructions = 1'000'000'000'000;
    Folder ours(program, limits);
    Folder original(program, limits, true);
    ours.loaded();
    original.loaded();
    const Json mine = ours.result("lines");
    const Json theirs = original.result("lines");
    REQUIRE_MESSAGE(mine.is_array(), mine.dump());
    REQUIRE_MESSAGE(theirs.is_array(), theirs.dump());
    REQUIRE(mine.size() == theirs.size());
    CHECK(mine.size() > 10'000);
    for (std::size_t i = 0; i < mine.size(); ++i) REQUIRE(mine[i] == theirs[i]);
}

TEST_CASE("a match pays for its steps, and a short one hardly any") {
    Limits limits = tight();
    limits.instructions = 1'000'000;
    CHECK(eval("for i = 1, 1000 do ('  trim me  '):match('^%s*(.-)%s*$') end return 'ok'",
               limits) == "ok");
    CHECK(contains(eval("return ('a'):rep(3000):find(('.-'):rep(4) .. 'b')", limits),
                   "more than 1000000 instructions"));
}
