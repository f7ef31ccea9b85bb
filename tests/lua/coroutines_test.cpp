// Coroutines in the wrong hands: of their own call, of another one.
#include "support.hpp"

using namespace netcluster::lua;
using namespace netcluster::lua::testing;

namespace {

/// Calls by which `f` is resumed or closed while it is running, or has resumed another.
const std::vector<std::string> wrongResumes{
    "pcall(f, 1)",
    "coroutine.wrap(function() pcall(f, 1) end)()",
    "coroutine.resume(coroutine.create(function() return pcall(f, 1) end))",
    "string.gsub('a', 'a', function() pcall(f, 1) end)",
    "table.sort({1, 2, 3}, function(a, b) pcall(f, 1) return a < b end)",
    "coroutine.resume(me, 1, 2, 3)",
    "coroutine.wrap(function() coroutine.resume(me, 1) end)()",
    "coroutine.wrap(function() pcall(coroutine.close, me) end)()",
    "pcall(coroutine.close, me)",
    "tostring(setmetatable({}, {__tostring = function() pcall(f, 1) return '' end}))",
};

/// Starts a call and works until nothing can go on; what it has come to, null if it waits.
Json startedIn(Folder& folder, const std::string& function, Json& result) {
    folder.script().start({.function = function}, [&result](Script::Outcome&& outcome) {
        result = outcome.error.empty() ? outcome.result : Json(outcome.error);
    });
    while (folder.script().work(1ms)) {
    }
    return result;
}

}  // namespace

TEST_CASE("a coroutine that runs is not resumed, and goes on unharmed") {
    for (const std::string& wrong : wrongResumes) {
        CAPTURE(wrong);
        CHECK(eval(R"(
local f, me
f = coroutine.wrap(function()
  me = coroutine.running()
  local keep = {"a", "b"}
  for i = 1, 50 do )" +
                   wrong + R"( end
  local t = {} for i = 1, 1000 do t[i] = {i} end
  return {#t, keep[1], t[1000][1]}
end)
return f())") == Json({1000, "a", 1000}));
    }
    CHECK(contains(eval("local f f = coroutine.wrap(function() return f() end) return f()"),
                   "cannot resume non-suspended coroutine"));
    CHECK(contains(eval("return select(2, coroutine.resume(coroutine.running()))"),
                   "is a call of the worker"));
    CHECK(eval("local co co = coroutine.create(function() return coroutine.wrap(function() "
               "return {coroutine.status(co), coroutine.status(coroutine.running())} end)() end) "
               "local before = coroutine.status(co) local _, r = coroutine.resume(co) "
               "return {before, r[1], r[2], coroutine.status(co)}") ==
          Json({"suspended", "normal", "running", "dead"}));
    CHECK(contains(eval("local co = coroutine.create(function() local x <close> = setmetatable({}, "
                        "{__close = function() error('in close') end}) coroutine.yield() end) "
                        "coroutine.resume(co) return select(2, coroutine.close(co))"),
                   "in close"));
    CHECK(contains(eval("return select(2, pcall(coroutine.close, 1))"), "coroutine expected"));
}

TEST_CASE("one that cannot be resumed for want of C's stack lives on") {
    const Json went = eval(R"(
local last = coroutine.wrap(function() local n = 0 while true do n = n + 1 coroutine.yield(n) end end)
last()
local why
local function deep()
  if not pcall(coroutine.wrap(deep)) and not why then why = select(2, pcall(last)) end
end
deep()
return {why, (last())}
)");
    REQUIRE(went.is_array());
    CHECK(contains(went[0], "C stack overflow"));
    CHECK(went[1].is_number());
}

TEST_CASE("want of memory while a coroutine is closed is not swallowed") {
    Folder folder(R"(
function f()
  local co = coroutine.create(function()
    local x <close> = setmetatable({}, {__close = function() return ('x'):rep(3000000) end})
    coroutine.yield()
  end)
  coroutine.resume(co)
  coroutine.close(co)
  return 'caught'
end)",
                  tight());
    folder.loaded();
    CHECK(folder.call("f").cut == Cut::memory);
}

TEST_CASE("a coroutine that waits belongs to its call") {
    Folder folder(R"(
function sleeper()
  co = coroutine.create(function() return ask() end)
  wrapped = coroutine.wrap(function() return select(2, coroutine.resume(co)) end)
  return wrapped()
end
function poke()
  return {
    select(2, coroutine.resume(co, 'mine')), select(2, pcall(wrapped, 'mine')),
    select(2, pcall(coroutine.close, co)), coroutine.status(co),
  }
end
function me() saved = coroutine.running() return ask() end
function pokeMe()
  return {
    select(2, coroutine.resume(saved)), select(2, pcall(coroutine.close, saved)),
    coroutine.status(saved),
  }
end)");
    std::vector<Script::Answer> asked;
    folder.script().defineWaiting(
        "ask", [&](const Json&, Script::Answer answer) { asked.push_back(std::move(answer)); });
    folder.loaded();
    const auto refusesAll = [&folder](const std::string& why) {
        const Json poked = folder.result("poke");
        REQUIRE(poked.is_array());
        CHECK(contains(poked[0], why));
        CHECK(contains(poked[1], why));
        CHECK(contains(poked[2], why));
        CHECK(poked[3] == "normal");
    };
    Json slept, mine;
    CHECK(startedIn(folder, "sleeper", slept) == nullptr);
    refusesAll("belongs to a call");
    asked.at(0).succeed("answer");  // which its own call gets all the same
    while (folder.script().work(1ms)) {
    }
    CHECK(slept == "answer");
    CHECK(folder.result("poke")[3] == "dead");

    // So too when its call has been cut off.
    startedIn(folder, "sleeper", slept);
    startedIn(folder, "me", mine);
    CHECK(contains(folder.result("pokeMe")[0], "is a call of the worker"));
    CHECK(folder.result("pokeMe")[2] == "normal");
    folder.script().expire(Clock::now() + 60s);
    CHECK(contains(mine, "cut off"));
    refusesAll("belongs to a call");
    const Json poked = folder.result("pokeMe");
    CHECK(contains(poked[0], "which has ended"));
    CHECK(contains(poked[1], "which has ended"));
    CHECK(poked[2] == "dead");
    for (const auto& answer : asked) answer.succeed(1);
    CHECK_FALSE(folder.script().work(1ms));
}

TEST_CASE("a coroutine whose call has used up its slice belongs to it, too") {
    Limits limits;
    limits.slice = 200us;
    Folder folder(R"(
function long()
  co = coroutine.create(function() for i = 1, 3000000 do end return 'through' end)
  return select(2, coroutine.resume(co))
end
function poke() return {select(2, coroutine.resume(co, 'x')), coroutine.status(co)} end)",
                  limits);
    folder.loaded();
    Json through;
    folder.script().start({.function = "long"},
                          [&](Script::Outcome&& outcome) { through = outcome.result; });
    folder.script().work(0us);
    REQUIRE(through == nullptr);
    const Json poked = folder.result("poke");
    CHECK(contains(poked[0], "belongs to a call"));
    CHECK(poked[1] == "normal");
    while (folder.script().work(1ms)) {
    }
    CHECK(through == "through");
}

TEST_CASE("a generator that yields by itself is for all calls") {
    Folder folder(R"(
numbers = coroutine.wrap(function() local n = 0 while true do n = n + 1 coroutine.yield(n) end end)
other = coroutine.create(function() while true do coroutine.yield(ask()) end end)
function number() return numbers() end
function asks() return select(2, coroutine.resume(other)) end)");
    std::vector<Script::Answer> asked;
    folder.script().defineWaiting(
        "ask", [&](const Json&, Script::Answer answer) { asked.push_back(std::move(answer)); });
    folder.loaded();
    CHECK(folder.result("number") == 1);
    CHECK(folder.result("number") == 2);
    // One that waits on its way is its call's meanwhile, and anybody's again when it has yielded.
    Json first, second;
    startedIn(folder, "asks", first);
    CHECK(contains(startedIn(folder, "asks", second), "belongs to a call"));
    asked.at(0).succeed("a");
    while (folder.script().work(1ms)) {
    }
    CHECK(first == "a");
    startedIn(folder, "asks", second);
    asked.at(1).succeed("b");
    while (folder.script().work(1ms)) {
    }
    CHECK(second == "b");
}
