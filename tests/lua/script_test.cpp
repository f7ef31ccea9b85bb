#include "support.hpp"

using namespace netcluster::lua;
using namespace netcluster::lua::testing;
using Kind = Script::Outcome::Kind;

TEST_CASE("functions by dotted name: anybody's and the script's own") {
    Folder folder(R"(
tasks = {test1 = function(x) return x * 2 end, db = {clean = function() return 'cleaned' end}, n = 3}
utils = {id = function() return 'me' end, other = function() end}
config.Tasks = {["utils.id"] = {}, ["utils.other"] = false}
function init() return 'hook' end
setmetatable(tasks, {__index = function() error('not looked at') end}))");
    folder.loaded();
    const auto asked = [&](const std::string& name, const Json& arguments = Json::array()) {
        return folder.call(name, arguments, Script::Names::task);
    };
    CHECK(asked("tasks.test1", {21}).result == 42);
    CHECK(asked("tasks.db.clean").result == "cleaned");
    CHECK(asked("utils.id").result == "me");
    for (const char* none :
         {"utils.other", "init", "print", "os.time", "string.rep", "tasks", "tasks.", "tasks.none",
          "tasks.n", "tasks.db", "tasks.db.", ".", "", "tasks.test1.", "tasks.test1.more",
          "tasks.db.clean.x", "tasks..test1", "_G.tasks.test1", "config.Tasks"}) {
        CAPTURE(none);
        CHECK(asked(none).kind == Kind::unknownFunction);
    }
    CHECK(folder.call("utils.other").kind == Kind::success);
    CHECK(folder.call("init").result == "hook");
    CHECK(folder.script().has("init"));
    CHECK_FALSE(folder.script().has("afterInit"));
}

TEST_CASE("another function takes the place of one that is not there") {
    Folder folder("function onDefaultMessage(data, task) return {data, task.name} end");
    folder.loaded();
    Json result;
    folder.script().start({.function = "tasks.none",
                           .arguments = {1, {{"name", "tasks.none"}}},
                           .names = Script::Names::task,
                           .instead = "onDefaultMessage"},
                          [&](Script::Outcome&& outcome) { result = outcome.result; });
    while (folder.script().work(1ms)) {
    }
    CHECK(result == Json({1, "tasks.none"}));
}

TEST_CASE("an error says where, with a traceback; the next call goes on") {
    Folder folder(R"(
function f()
  error("so")
end
function object() error({code = 3, why = {"a", "b"}}) end
function within() coroutine.wrap(function() error({code = 4}) end)() end
function cyclic() local t = {} t.t = t error(t) end
function large() error({("ä"):rep(5000)}) end
function none() error() end
function no() error(false) end
function number() error(42) end
function printed() error(print) end
function bytes() error("\xff", 0) end
function shown() error(setmetatable({}, {__tostring = function() return 'shown' end})) end
function closed()
  local c <close> = setmetatable({}, {__close = function() closing = 'closed' end})
  error('x')
end
function seen() return closing end)");
    folder.loaded();
    const auto outcome = folder.call("f");
    CHECK(outcome.kind == Kind::failed);
    CHECK(outcome.error == "bootstrap.lua:3: so");
    CHECK(outcome.cut == Cut::none);
    CHECK(contains(outcome.traceback, "bootstrap.lua:3: in function 'f'"));
    CHECK(folder.result("object") == R"({"code":3,"why":["a","b"]})");
    CHECK(folder.result("within") == R"({"code":4})");
    CHECK(contains(folder.result("cyclic"), "an error that is a table, but not JSON: at .t.t"));
    const auto large = folder.result("large").get<std::string>();
    CHECK(large.size() < 4200);
    CHECK(large.starts_with(R"(["ää)"));
    CHECK(large.ends_with("ä …"));
    CHECK(folder.result("none") == "bootstrap.lua:9: an error without a message");
    CHECK(folder.result("no") == "an error that is only false");
    CHECK(folder.result("number") == "42");
    CHECK(folder.result("bytes") == "\uFFFD");
    CHECK(folder.result("printed") == "an error that is a function");
    CHECK(folder.result("shown") == "shown");
    CHECK(folder.call("closed").kind == Kind::failed);
    CHECK(folder.result("seen") == "closed");
}

TEST_CASE("scripts that do not load say why") {
    CHECK(Folder("x = = 3").refusal() == "bootstrap.lua:1: unexpected symbol near '='");
    CHECK(Folder("\nerror('no')").refusal() == "bootstrap.lua:2: no");
    CHECK(Folder("while true do end", tight()).refusal() ==
          "bootstrap.lua:1: cut off: more than 5000000 instructions (--instructions 5)");
    Folder missing("");
    std::filesystem::remove(missing.path() / "bootstrap.lua");
    CHECK(contains(missing.refusal(), "bootstrap.lua: No such file"));
    CHECK(contains(Folder("require('tasks')").refusal(), "tasks.lua: No such file"));
    Folder waits("ask()");
    waits.script().defineWaiting("ask", [](const Json&, const Script::Answer&) {});
    CHECK(contains(waits.refusal(), "cannot while scripts are loaded"));
}

TEST_CASE("what the program defines: at once, or waited for while others go on") {
    Folder folder(R"(
function twice(x) return double(x) end
function wrong() return double('x') end
function asks(x) return ask(x) .. '!' end
function inner(x) return coroutine.wrap(function() return ask(x) .. coroutine.wrap(ask)('2') end)() end
function sorts() table.sort({1, 2}, function() ask('x') end) end
function catches(x) local ok, why = pcall(ask, x) return why end)");
    std::vector<std::pair<Json, Script::Answer>> asked;
    folder.script().define(
        "double", [](const Json& arguments) -> Json { return arguments.at(0).get<int>() * 2; });
    folder.script().defineWaiting("ask", [&](const Json& arguments, Script::Answer answer) {
        if (arguments.at(0) == "now") return answer.succeed("at once");
        asked.emplace_back(arguments, std::move(answer));
    });
    folder.loaded();
    CHECK(folder.result("twice", {4}) == 8);
    CHECK(contains(folder.result("wrong"), "bootstrap.lua:3: "));
    CHECK(folder.result("asks", {"now"}) == "at once!");
    CHECK(contains(folder.result("sorts"), "from within a function of Lua's library"));

    Json first, second, third;
    const auto into = [](Json& where) {
        return [&where](Script::Outcome&& outcome) {
            where = outcome.error.empty() ? outcome.result : Json(outcome.error);
        };
    };
    folder.script().start({.function = "asks", .arguments = {"a"}}, into(first));
    folder.script().start({.function = "inner", .arguments = {"b"}}, into(second));
    folder.script().start({.function = "catches", .arguments = {"c"}}, into(third));
    while (folder.script().work(1ms)) {
    }
    REQUIRE(asked.size() == 3);
    CHECK(folder.result("twice", {5}) == 10);  // the others wait, not this one
    asked[2].second.fail("no");
    asked[1].second.succeed("one ");
    while (folder.script().work(1ms)) {
    }
    CHECK(third == "no");
    REQUIRE(asked.size() == 4);
    CHECK(asked[3].first == Json({"2"}));
    asked[1].second.succeed("again");  // once is enough
    asked[3].second.succeed("two");
    asked[0].second.succeed("A");
    while (folder.script().work(1ms)) {
    }
    CHECK(first == "A!");
    CHECK(second == "one two");
    CHECK(folder.script().idle());
}

TEST_CASE("a call that waits too long, or is stopped, ends; a late answer does nothing") {
    Limits limits;
    limits.wall = 1000ms;
    Folder folder(
        "function f()\n  return coroutine.wrap(function()\n    return ask()\n  end)()\nend",
        limits);
    std::vector<Script::Answer> asked;
    folder.script().defineWaiting(
        "ask", [&](const Json&, Script::Answer answer) { asked.push_back(std::move(answer)); });
    folder.loaded();
    std::vector<Cut> cuts;
    Script::Outcome last;
    const auto note = [&](Script::Outcome&& outcome) {
        cuts.push_back(outcome.cut);
        last = std::move(outcome);
    };
    folder.script().start({.function = "f"}, note);
    while (folder.script().work(1ms)) {
    }
    folder.script().expire(Clock::now());
    CHECK(cuts.empty());
    folder.script().expire(Clock::now() + 2s);
    CHECK(cuts == std::vector<Cut>{Cut::wall});
    CHECK(last.error == "bootstrap.lua:3: cut off: not finished after 1000 ms (--wall-time 1)");
    CHECK(contains(last.traceback, "bootstrap.lua:2: in function 'f'"));
    folder.script().start({.function = "f"}, note);
    folder.script().start({.function = "f"}, note);
    folder.script().work(1ms);
    folder.script().stop();
    CHECK(cuts == std::vector<Cut>{Cut::wall, Cut::stopped, Cut::stopped});
    CHECK(last.error == "bootstrap.lua:3: cut off: the worker stops");
    for (const auto& answer : asked) answer.succeed(1);
    CHECK_FALSE(folder.script().work(1ms));
}

TEST_CASE("log, logf and print write lines, with levels") {
    Folder folder(R"(
log("a", 1, nil, true)
logf("%d of %s", 3, "x")
log.error("bad\nforged line \27[31m")
logf.debug("%5.1f", 2)
print("p")
log(("x"):rep(5000)))");
    folder.loaded();
    using Line = std::pair<Level, std::string>;
    REQUIRE(folder.lines.size() == 6);
    CHECK(folder.lines[0] == Line{Level::info, "a\t1\tnil\ttrue"});
    CHECK(folder.lines[1] == Line{Level::info, "3 of x"});
    CHECK(folder.lines[2] == Line{Level::error, "bad?forged line ?[31m"});
    CHECK(folder.lines[3] == Line{Level::debug, "  2.0"});
    CHECK(folder.lines[4] == Line{Level::info, "p"});
    CHECK(folder.lines[5].second.size() < 4200);
}

TEST_CASE("config: what is given stays, what the script adds is its own") {
    Folder folder(R"(
config.Prefix = config.id .. "-x"
function f() return {config.id, config.regions[2], config.Prefix, config.none} end
function set() config.id = 'other' end
function all() local n = {} for k in pairs(config) do n[#n + 1] = k end table.sort(n) return n end)");
    folder.loaded();
    CHECK(folder.result("f") == Json({"w1", "b", "w1-x"}));
    CHECK(folder.result("set") == "bootstrap.lua:4: config.id is given by the worker");
    CHECK(folder.result("all") == Json({"Prefix", "Schedule", "id", "regions"}));
}

TEST_CASE("schedules, in seconds or as Gleam has them; events by pattern") {
    Folder folder(R"(
tasks = {beat = print, gleam = print, seen = print}
sweep = print
schedules = {["tasks.beat"] = 0.25, sweep = 60}
config.Schedule.Tick = 1000
config.Schedule.Tasks = {}
config.Schedule.Tasks["tasks.gleam"] = 5000
events = {["sensor\\..*"] = "tasks.seen"})");
    folder.loaded();
    CHECK(folder.script().schedules() == std::vector<Script::Schedule>{{"sweep", 60s},
                                                                       {"tasks.beat", 250ms},
                                                                       {"tasks.gleam", 5s}});
    CHECK(folder.script().events() ==
          std::vector<std::pair<std::string, std::string>>{{"sensor\\..*", "tasks.seen"}});
    CHECK_NOTHROW(folder.script().check({"init"}));
    Folder silent("");
    CHECK(silent.loaded().events().empty());
    CHECK(silent.script().schedules().empty());
    CHECK_NOTHROW(silent.script().check({"init"}));
}

TEST_CASE("what is declared wrongly is refused, by its name") {
    const auto refusal = [](const std::string& bootstrap) -> std::string {
        Folder folder("tasks = {n = 3} function f() end " + bootstrap);
        folder.loaded();
        try {
            folder.script().check({"init", "onError"});
            folder.script().schedules();
            folder.script().events();
        } catch (const ScriptError& error) {
            return error.what();
        }
        return "nothing";
    };
    CHECK(refusal("") == "nothing");
    for (const auto& [bootstrap, why] : std::vector<std::pair<std::string, std::string>>{
             {"tasks = 3", "tasks: a number, where a table is wanted"},
             {"init = {}", "init: a table, where a function is wanted"},
             {"config.Tasks = 3", "config.Tasks: a number, where a table is wanted"},
             {"config.Tasks = {'f'}",
              "config.Tasks: [1], [2] … are not names: the form is "
              "{[\"name\"] = …}"},
             {"config.Tasks = {['u.f'] = {}}", "config.Tasks[\"u.f\"]: there is no function u.f"},
             {"config = 3", "config: a number, where a table is wanted"},
             {"schedules = 'f'", "schedules: a string, where a table is wanted"},
             {"schedules = {f = 'often'}", "schedules[\"f\"]: its period is not a number"},
             {"schedules = {f = 0}",
              "schedules[\"f\"]: its period is not between 10 ms and a year"},
             {"schedules = {f = 0/0}",
              "schedules[\"f\"]: its period is not between 10 ms and a year"},
             {"schedules = {f = 1e99}",
              "schedules[\"f\"]: its period is not between 10 ms and a year"},
             {"schedules = {['tasks.hartbeat'] = 1}",
              "schedules[\"tasks.hartbeat\"]: there is no function tasks.hartbeat"},
             {"schedules = {['tasks.n'] = 1}",
              "schedules[\"tasks.n\"]: there is no function tasks.n"},
             {"config.Schedule.Tasks = {g = 1000}",
              "config.Schedule.Tasks[\"g\"]: there is no function g"},
             {"config.Schedule = true", "config.Schedule: a boolean, where a table is wanted"},
             {"events = {a = f}",
              "events[\"a\"]: a function, where the name of a function is "
              "wanted"},
             {"events = {['a.*'] = 'tasks.onShop'}",
              "events[\"a.*\"]: there is no function tasks.onShop"}}) {
        CHECK(refusal(bootstrap) == "bootstrap.lua: " + why);
    }
    CHECK(refusal("schedules = {[('x\\n'):rep(5000)] = 1}").size() < 600);
}
