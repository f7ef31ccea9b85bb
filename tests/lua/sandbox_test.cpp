#include "support.hpp"

using namespace netcluster::lua;
using namespace netcluster::lua::testing;

TEST_CASE("the sandbox has what computes, and nothing that reaches out") {
    for (const char* gone :
         {"io", "debug", "package", "os.execute", "os.exit", "os.remove", "os.rename", "os.tmpname",
          "os.getenv", "os.setlocale", "string.dump", "package.loadlib"}) {
        const std::string name = gone;
        const auto dot = name.find('.');
        CAPTURE(name);
        CHECK(eval("local lib = _G['" + name.substr(0, dot) + "'] return type(lib and " +
                   (dot == std::string::npos ? "lib" : "lib." + name.substr(dot + 1)) + ")") ==
              "nil");
    }
    for (const char* there : {"os.time", "os.clock", "os.date", "math.sin", "table.unpack",
                              "string.format", "utf8.char", "coroutine.close", "select", "rawset",
                              "pcall", "load", "require", "dofile"}) {
        CAPTURE(there);
        CHECK(eval(std::string("return type(") + there + ")") == "function");
    }
}

TEST_CASE("bytecode is not loaded, finalizers are not set, garbage is not stopped") {
    Folder maker("", {}, true);
    maker.loaded();
    CHECK(contains(eval("return load('\\27Lua')"), "") == false);
    CHECK(eval("local f, why = load('\\27LuaT') return why") ==
          "attempt to load a binary chunk (mode is 't')");
    CHECK(eval("local f, why = load('\\27LuaT', 'x', 'b') return why") ==
          "attempt to load a binary chunk (mode is 't')");
    CHECK(eval("return load('return x', 'x', 't', {x = 3})()") == 3);
    CHECK(eval("x = 4 return load('return x')()") == 4);
    CHECK(contains(eval("setmetatable({}, {__gc = function() while true do end end})"),
                   "no finalizers"));
    CHECK(eval("local m = {} local t = setmetatable({}, m) m.__gc = function() hit = 1 end t = nil "
               "for i = 1, 20000 do local x = {} end collectgarbage() return hit == nil") == true);
    // Nor into the metatable that arrays get from us.
    for (const std::string array : {"json.array()", "json.decode('[]')", "..."}) {
        CAPTURE(array);
        Folder folder("function f(...) local m = getmetatable(" + array +
                      ") if m then m.__gc = function() hit = 1 end end "
                      "for i = 1, 3000 do json.array() json.decode('[]') end collectgarbage() "
                      "return {hit == nil, m} end");
        folder.loaded();
        CHECK(folder.result("f", Json::array({Json::array()})) == Json{true, false});
    }
    CHECK(contains(eval("collectgarbage('stop')"), "invalid option"));
    CHECK(eval("return collectgarbage('count') > 1") == true);
}

TEST_CASE("scripts load files of their folder, and no others") {
    Folder folder(R"(
utils = require("utils")
again = require("utils")
deep = require("a.b")
function f() return utils.x, end_ end
function g() return {utils.x, again == utils, deep == require("a/b"), dofile("utils.lua").x} end
function name(n) return select(2, pcall(require, n)) end
function path(n) return select(2, pcall(dofile, n)) end)");
    folder.write("utils.lua", "return {x = 5}");
    folder.write("a/b.lua", "return {}");
    folder.write("wrong.lua", "\n\nlocal = 3");
    folder.write("fails.lua", "error('so')");
    folder.write("circle.lua", "return require('circle')");
    folder.loaded();
    CHECK(folder.result("g") == Json({5, true, true, 5}));
    for (const char* bad : {"../x", "a..b", "/etc/passwd", "", ".a", "a/", "a/../../x", "a\\b"}) {
        CAPTURE(bad);
        CHECK(contains(folder.result("name", {bad}), "is not the name of a module"));
        CHECK(contains(folder.result("path", {std::string(bad) + ".lua"}), "is not the name"));
    }
    CHECK(contains(folder.result("path", {"utils"}), "does not end with .lua"));
    CHECK(contains(folder.result("name", {"missing"}), "missing.lua: No such file"));
    CHECK(contains(folder.result("name", {"wrong"}), "wrong.lua:3: "));
    CHECK(contains(folder.result("name", {"fails"}), "fails.lua:1: so"));
    CHECK(contains(folder.result("name", {"fails"}), "fails.lua:1: so"));
    CHECK(contains(folder.result("name", {"circle"}), "requires itself"));

    const netcluster::testing::TemporaryDirectory elsewhere;
    std::ofstream(elsewhere.file("secret.lua")) << "return 'secret'";
    std::filesystem::create_symlink(elsewhere.file("secret.lua"), folder.path() / "link.lua");
    std::filesystem::create_directory_symlink(elsewhere.path(), folder.path() / "there");
    CHECK(contains(folder.result("name", {"link"}), "leads out of"));
    CHECK(contains(folder.result("name", {"there.secret"}), "leads out of"));
}

TEST_CASE("unsafe is all of Lua, with limits all the same") {
    Folder folder(R"(
function f() return type(io.open) .. type(os.execute) .. type(debug.sethook) .. require("m") end
function g() while true do pcall(function() while true do end end) end end)",
                  tight(), true);
    folder.write("m.lua", "return require('json').encode({1})");
    folder.loaded();
    CHECK(folder.result("f") == "functionfunctionfunction[1]");
    CHECK(folder.call("g").cut != Cut::none);
}

TEST_CASE("a script cannot touch the coroutine of a call") {
    Folder folder(R"(
function keep() kept = coroutine.running() coroutine.yield() return 'ended' end
function touch()
  local ok, why = coroutine.resume(kept)
  return {ok, why, select(2, pcall(coroutine.close, kept))}
end)");
    folder.loaded();
    Json ended;
    folder.script().start({.function = "keep"},
                          [&](Script::Outcome&& outcome) { ended = outcome.result; });
    const Json touched = folder.result("touch");
    CHECK(touched[0] == false);
    CHECK(contains(touched[1], "a call of the worker"));
    CHECK(contains(touched[2], "a call of the worker"));
    while (folder.script().work(1ms)) {
    }
    CHECK(ended == "ended");
}
