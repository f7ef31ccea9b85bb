#include "support.hpp"

using namespace netcluster::lua;
using namespace netcluster::lua::testing;

TEST_CASE("JSON comes back from Lua as it went in") {
    Folder folder("function same(...) return ... end");
    folder.loaded();
    for (const char* text :
         {"true", "0", "-3", "9223372036854775807", "1.5", "1.0", "\"\"", "\"ä\\u0000\"", "[]",
          "{}", "[1,[2,[]],{}]", R"({"a":{"b":[null,true]},"":1})", R"([null])", "null"}) {
        CAPTURE(text);
        const Json value = Json::parse(text);
        const Json back = folder.result("same", Json::array({value}));
        CHECK(back == value);
        CHECK(back.type() ==
              (value.is_number_unsigned() ? Json::value_t::number_integer : value.type()));
    }
    CHECK(folder.result("same", Json::array({18446744073709551615u})) == 18446744073709551615.0);
}

TEST_CASE("what Lua has and JSON has not is refused, with the place") {
    CHECK(contains(eval("return 0/0"), "NaN"));
    CHECK(contains(eval("return {a = {1, math.huge}}"), "at .a[2]: a number that JSON does not"));
    CHECK(contains(eval("return print"), "a function is not JSON"));
    CHECK(contains(eval("return {1, nil, 3}"), "holes"));
    CHECK(contains(eval("return {1, x = 2}"), "both names and numbers"));
    CHECK(contains(eval("return {[1.5] = 2}"), "neither names nor"));
    CHECK(contains(eval("return '\\xff'"), "not UTF-8"));
    CHECK(contains(eval("local t = {} t.t = t return t"), "levels"));
    // One table, held 2^32 times.
    CHECK(contains(eval("local t = {} for i = 1, 31 do t = {t, t} end return t"), "bytes of JSON"));
}

TEST_CASE("json.encode, decode, null and array") {
    CHECK(eval("return json.encode({b = {1, 2.5, 'x'}})") == R"({"b":[1,2.5,"x"]})");
    CHECK(eval("return json.encode({}) .. json.encode(json.array()) .. json.encode(json.null)") ==
          "{}[]null");
    CHECK(eval("return json.encode({1}, true)") == "[\n  1\n]");
    CHECK(eval("local t = json.decode('[]') return json.encode(t)") == "[]");
    CHECK(eval("return json.decode('{\"a\":[1,null]}').a[2] == json.null") == true);
    CHECK(eval("return json.decode('null') == nil") == true);
    CHECK(eval("return math.type(json.decode('3')) .. math.type(json.decode('3.0'))") ==
          "integerfloat");
    CHECK(contains(eval("return json.decode('{\"a\":')"), "parse error at line 1, column 6"));
    CHECK(contains(eval("return json.decode(('['):rep(33) .. (']'):rep(33))"), "32 levels"));
    CHECK(contains(eval("return json.encode(print)"), "bootstrap.lua:2: a function is not JSON"));
}

TEST_CASE("json.array marks tables that have no metatable of their own") {
    CHECK(eval("return json.encode(json.array(json.array()))") == "[]");
    CHECK(eval("return json.encode(json.array(json.decode('[]')))") == "[]");
    CHECK(contains(eval("json.array(setmetatable({}, {}))"), "a metatable of its own"));
    CHECK(eval("return pcall(json.array, config)") == false);
    CHECK(eval("pcall(json.array, config) return config.id") == "w1");
    CHECK(contains(eval("setmetatable(json.array(), {})"), "protected metatable"));
}

TEST_CASE("lines of their own are bounded before they are written") {
    Folder folder(R"(
function f(count)
  local list = {} for i = 1, count do list[i] = 1 end
  for level = 1, 29 do list = {list} end
  return #json.encode(list) .. " " .. #json.encode(list, true)
end)");
    folder.loaded();
    CHECK(folder.result("f", {1}) == "61 1921");
    CHECK(contains(folder.result("f", {100000}), "bytes of JSON, for its lines"));
}
