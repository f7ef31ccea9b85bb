// Limits hold, and nothing a script does gets around them.
#include <algorithm>

#include "support.hpp"

using namespace netcluster::lua;
using namespace netcluster::lua::testing;

namespace {

/// How the call of a function with this body ends; within a bounded time, or the test hangs.
Cut cutOf(const std::string& code, const Limits& limits = tight()) {
    Folder folder("hole = string.rep('a', 30000)\nfunction f()\n" + code + "\nend", limits);
    folder.loaded();
    const Script::Outcome outcome = folder.call("f");
    CAPTURE(outcome.error);
    CHECK(outcome.kind == Script::Outcome::Kind::failed);
    // The state is as good as before.
    CHECK(folder.result("string.upper", {"ok"}) == "OK");
    return outcome.cut;
}

Limits byTime() {
    Limits limits = tight();
    limits.instructions = 1'000'000'000'000;
    limits.run = 50ms;
    return limits;
}

}  // namespace

TEST_CASE("an endless loop is cut off by instructions or by time, whichever comes first") {
    CHECK(cutOf("while true do end") == Cut::instructions);
    CHECK(cutOf("while true do end", byTime()) == Cut::run);
    Folder folder("function f()\n  local x = 0\n  while true do x = x + 1 end\nend", byTime());
    folder.loaded();
    const auto outcome = folder.call("f");
    CHECK(outcome.error == "bootstrap.lua:3: cut off: ran for more than 50 ms (--run-time 0.05)");
    CHECK(outcome.usage.ran >= 50ms);
    CHECK(contains(outcome.traceback, "bootstrap.lua:3"));
}

TEST_CASE("no catching of errors saves a call from its limit") {
    for (const std::string code : {
             "while true do pcall(function() while true do end end) end",
             "while true do xpcall(function() while true do end end, function() end) end",
             "xpcall(function() while true do end end, function() while true do end end)",
             "while true do local c = coroutine.create(function() while true do end end) "
             "coroutine.resume(c) end",
             "while true do coroutine.wrap(function() pcall(error) end)() end",
             "while true do pcall(coroutine.wrap(function() while true do end end)) end",
             "local t = setmetatable({}, {__tostring = function() while true do end end}) "
             "while true do pcall(tostring, t) end",
             "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) "
             "while true do pcall(function() return t[1] end) end",
             "local c <close> = setmetatable({}, {__close = function() while true do end end}) "
             "while true do end",
             "local co = coroutine.create(function() local c <close> = setmetatable({}, "
             "{__close = function() while true do end end}) coroutine.yield() end) "
             "coroutine.resume(co) while true do pcall(coroutine.close, co) end",
             "while true do pcall(string.gsub, 'aaa', 'a', function() while true do end end) end",
             "table.sort({1, 2, 3}, function() while true do end end)",
             "error(setmetatable({}, {__tostring = function() while true do end end}))",
             "while true do coroutine.yield() end",
             "while true do load(function() while true do end end) end",
             "while true do atomic(pcall, function() while true do end end) end",
         }) {
        CAPTURE(code);
        CHECK(cutOf(code) != Cut::none);
        CHECK(cutOf(code, byTime()) != Cut::none);
    }
}

TEST_CASE("what works long within one function of Lua's library costs what it does") {
    for (const std::string code : {
             "return #string.rep('', 1e15)",
             "return #('x'):rep(1e15)",
             "return table.move({}, 1, math.maxinteger - 1, 2)",
             "return table.move({}, math.mininteger, math.maxinteger, 2)",
             "return table.insert(setmetatable({}, {__len = function() return 1e15 end}), 1, 1)",
             "return table.sort(setmetatable({}, {__len = function() return 2e9 end}), rawequal)",
             "return table.concat({}, '', -math.maxinteger, 1)",
             "return hole:find(('.-'):rep(9) .. 'b')",
             "return hole:match(('a*'):rep(9) .. 'b')",
             "return hole:gsub(('a?'):rep(50) .. ('.-'):rep(9) .. 'b', '')",
             "for x in hole:gmatch(('.-'):rep(9) .. 'b') do end",
             "return hole:rep(60):find(hole:rep(30) .. 'b', 1, true)",
             "return hole:find('%b' .. ('ab'):rep(2)) or hole:rep(9):find('(.-)%1%1%1b')",
             "while true do collectgarbage() end",
             "while true do log('x') end",
         }) {
        CAPTURE(code);
        const auto before = Clock::now();
        Folder folder("hole = string.rep('a', 30000)\nfunction f()\n" + code + "\nend", tight());
        folder.loaded();
        const auto outcome = folder.call("f");
        CAPTURE(outcome.error);
        CHECK(outcome.kind == Script::Outcome::Kind::failed);
        CHECK(outcome.usage.ran < 10s);
        CHECK(Clock::now() - before < 20s);
    }
}

TEST_CASE("what is done over and over within functions of C is paid for, with or without success") {
    Limits limits = tight();
    limits.run = 30s;  // instructions are used up long before
    for (const std::string code : {
             "local t = {} for i = 1, 20000 do t[i] = i end t[20001] = print "
             "while true do pcall(json.encode, t) end",
             "local t = {} for i = 1, 20000 do t[i] = i end t[20001] = print "
             "while true do pcall(ask, 1, t) end",
             "local s = ('%c'):rep(5000) while true do os.date(s) end",
             "while true do pcall(string.pack, 'c500000 i99', '') end",
             "while true do string.pack('c200000', '') end",
             "local s = (' '):rep(100000) while true do string.packsize(s) end",
             "local s = ('x'):rep(100000) while true do string.format('%q', s) end",
             "while true do hole:byte(1, -1) end",
             "while true do table.unpack({}, 1, 20000) end",
             "local s = ('1'):rep(100000) while true do tonumber(s) end",
             "local s = ('1'):rep(100000) while true do tonumber(s, 36) end",
         }) {
        CAPTURE(code);
        Folder folder("hole = string.rep('a', 30000)\nfunction f()\n" + code + "\nend", limits);
        folder.script().define("ask", [](const Json&) { return Json(); });
        folder.loaded();
        CHECK(folder.call("f").cut == Cut::instructions);
    }
}

TEST_CASE("the arguments of a function of the program are bounded all together") {
    Folder folder("function f() local s = ('x'):rep(1500000) return ask(s, s, s) end");
    folder.script().define("ask", [](const Json& given) { return Json(given.size()); });
    folder.loaded();
    CHECK(contains(folder.result("f"), "bytes of JSON"));
}

TEST_CASE("memory: a call, and all scripts together") {
    CHECK(cutOf("local t = {} while true do t[#t + 1] = {} end") == Cut::memory);
    CHECK(cutOf("return ('x'):rep(3000000)") == Cut::memory);
    CHECK(cutOf("while true do pcall(string.rep, 'x', 3000000) end") == Cut::memory);
    CHECK(cutOf("local s = 'x' while true do s = s .. s end") == Cut::memory);
    CHECK(cutOf("local function f() return 1 + f() end return f()") == Cut::memory);
    CHECK(cutOf("while true do coroutine.resume(coroutine.create(function() "
                "local t = {} while true do t[#t + 1] = {} end end)) end") == Cut::memory);

    const std::string why = ": cut off: not enough memory: the call may add 2 MiB (--memory 2)";
    CHECK(eval("\nreturn ('x'):rep(3000000)") == "bootstrap.lua:3" + why);
    CHECK(
        eval("coroutine.wrap(function()\nlocal t = {}\nwhile true do t[#t + 1] = {} end end)()") ==
        "bootstrap.lua:4" + why);
    {
        Folder folder("function f(text) end", tight());
        folder.loaded();
        const auto outcome = folder.call("f", {std::string(3'000'000, 'x')});
        CHECK(outcome.error == "f" + why);
        CHECK(outcome.cut == Cut::memory);
    }

    // What is not held costs nothing.
    CHECK(eval("for i = 1, 40 do local s = ('x'):rep(100000) end return 'through'") == "through");

    // All together: who comes when there is no more fails, and the rest is as it was.
    Folder folder("kept = {}\nfunction f() kept[#kept + 1] = ('x'):rep(1000000) return #kept end",
                  tight());
    folder.loaded();
    Json last;
    for (int i = 0; i < 12; ++i) last = folder.result("f");
    CHECK(last ==
          "bootstrap.lua:2: cut off: not enough memory: all scripts together may hold 8 MiB "
          "(--total-memory 8)");
    CHECK(folder.script().memoryUsed() <= tight().total);
    CHECK(folder.result("string.upper", {"ok"}) == "OK");
}

TEST_CASE("endless recursion ends as an error, of Lua's stack or of C's") {
    Limits roomy;
    Folder folder(R"(
function deep() return 1 + deep() end
function wide() local ok, why = pcall(wide) error(why, 0) end
function nested() return coroutine.wrap(nested)() end
function sub() return (string.gsub('a', 'a', sub)) end)",
                  roomy);
    folder.loaded();
    CHECK(folder.call("deep").kind == Script::Outcome::Kind::failed);
    CHECK(folder.call("wide").kind == Script::Outcome::Kind::failed);
    CHECK(contains(folder.result("nested"), "C stack overflow"));
    CHECK(contains(folder.result("sub"), "C stack overflow"));
    CHECK(folder.result("string.upper", {"ok"}) == "OK");
}

TEST_CASE("others go on while a call runs without end, and short ones are not interrupted") {
    Limits limits;
    limits.run = 300ms;
    limits.instructions = 1'000'000'000'000;
    Folder folder(R"(
function endless() while true do end end
counter = 0
function short() local seen = counter for i = 1, 100 do end counter = seen + 1 return counter end)",
                  limits);
    folder.loaded();
    Cut cut = Cut::none;
    folder.script().start({.function = "endless"},
                          [&](Script::Outcome&& outcome) { cut = outcome.cut; });
    int done = 0;
    while (cut == Cut::none) {
        folder.script().start({.function = "short"}, [&](Script::Outcome&& outcome) {
            CHECK(outcome.kind == Script::Outcome::Kind::success);
            ++done;
        });
        folder.script().work(1ms);
    }
    while (folder.script().work(5ms)) {
    }
    CHECK(cut == Cut::run);
    CHECK(done > 20);  // one at least for each slice of the endless one
    CHECK(folder.result("short") == done + 1);
}

TEST_CASE("a call whose instructions take long has its turns all the same") {
    for (const std::string code : {
             "local s = ('x'):rep(4000000) for i = 1, 1e9 do local t = s .. i end",
             "local t = {} for i = 1, 100000 do t['k' .. i] = i end "
             "for k in pairs(t) do t[k] = nil end while true do next(t) end",
             "local t = {} for i = 1, 100000 do t['k' .. i] = i end "
             "for k in pairs(t) do t[k] = nil end while true do for k in pairs(t) do end end",
             "local t = {} for i = 1, 150000 do t[i] = i end local function g(...) end "
             "local function f(...) while true do g(...) end end f(table.unpack(t))",
             "local s = ('x'):rep(4000000) local t = s .. 'a' s = s .. 'b' "
             "while true do if s < t then s = t end end",
             "local t = {} for i = 1, 100000 do t[i] = -i end while true do table.sort(t) end",
         }) {
        CAPTURE(code);
        Limits limits;
        limits.memory = limits.total;
        Folder folder("function f()\n" + code + "\nend", limits);
        folder.loaded();
        std::string error;
        folder.script().start({.function = "f"},
                              [&](Script::Outcome&& outcome) { error = outcome.error; });
        int turns = 0;
        while (error.empty()) {
            folder.script().work(0us);
            ++turns;
        }
        CAPTURE(error);
        CHECK(contains(error, "--run-time"));
        CHECK(turns > 10);  // some 300; of a sort, which is not interrupted, some 30
    }
}

TEST_CASE("a call is suspended within coroutines of its own, and does not notice") {
    Limits limits;
    limits.slice = 100us;
    Folder folder(R"(
function generate(n)
  local sum = 0
  local inner = coroutine.wrap(function()
    for i = 1, n do
      local x = coroutine.wrap(function() for j = 1, 50 do end coroutine.yield(i) end)()
      coroutine.yield(x)
    end
  end)
  for i = 1, n do
    local ok, value = pcall(inner)
    assert(ok and value == i, value)
    sum = sum + value
  end
  return sum
end)",
                  limits);
    folder.loaded();
    std::vector<Json> sums;
    for (int i = 0; i < 4; ++i) {
        folder.script().start({.function = "generate", .arguments = {2000 + i}},
                              [&](Script::Outcome&& outcome) {
                                  CHECK(outcome.error == "");
                                  sums.push_back(outcome.result);
                              });
    }
    while (folder.script().work(1ms)) {
    }
    std::sort(sums.begin(), sums.end());
    CHECK(sums == std::vector<Json>{2001000, 2003001, 2005003, 2007006});
}

TEST_CASE("atomic is not suspended") {
    Limits limits;
    limits.slice = 100us;
    Folder folder(R"(
value = 0
function add(n)
  return atomic(function()
    local seen = value
    for i = 1, n do end
    value = seen + 1
    return value, 'more'
  end)
end)",
                  limits);
    folder.loaded();
    int done = 0;
    for (int i = 0; i < 5; ++i) {
        folder.script().start({.function = "add", .arguments = {200'000}},
                              [&](Script::Outcome&&) { ++done; });
    }
    while (folder.script().work(1ms)) {
    }
    CHECK(folder.result("add", {1}) == 6);
    CHECK(done == 5);
}
