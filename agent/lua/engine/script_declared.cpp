// What is found in a script: its functions, and what it declares in global tables (schedules,
// events, config). All of it is read raw: no code of the script runs.
#include <algorithm>
#include <cmath>

#include "script_impl.hpp"
#include "texts.hpp"

namespace netcluster::lua {
namespace {

constexpr std::size_t mostSchedules = 1000;
constexpr double shortestPeriod = 10;              // ms: a loop is not a schedule
constexpr double longestPeriod = 366.0 * 86400e3;  // ms

/// `what` is the global and the entry in it. Whichever file has set it: bootstrap.lua has had it
/// so.
[[noreturn]] void refuse(const std::string& what, const std::string& why) {
    throw ScriptError("bootstrap.lua: " + what + ": " + why);
}

/// A name as it can be shown: one line, and not too long.
std::string shown(std::string_view name) {
    return oneLine(shortened(name, 200));
}

std::string entryOf(const std::string& table, std::string_view key) {
    return table + "[\"" + shown(key) + "\"]";
}

std::string textAt(lua_State* state, int index) {
    std::size_t size = 0;
    const char* text = lua_tolstring(state, index, &size);
    return {text, size};
}

/// Pushes the global table of that dotted name; false when there is none. What is in its place and
/// no table is refused.
bool pushTable(lua_State* state, const std::string& name) {
    lua_pushglobaltable(state);
    for (std::size_t from = 0; from <= name.size();) {
        const auto to = std::min(name.find('.', from), name.size());
        lua_pushlstring(state, name.data() + from, to - from);
        const int type = lua_rawget(state, -2);
        if (type == LUA_TNIL) return false;
        if (type != LUA_TTABLE)
            refuse(name.substr(0, to),
                   std::string("a ") + lua_typename(state, type) + ", where a table is wanted");
        from = to + 1;
    }
    return true;
}

/// Calls `take(key)` with each value of that table on top of the stack. Keys that are no text are
/// refused.
template <typename Take>
void forEach(lua_State* state, const std::string& table, Take take) {
    if (!pushTable(state, table)) return;
    for (lua_pushnil(state); lua_next(state, -2) != 0; lua_pop(state, 1)) {
        if (lua_type(state, -2) != LUA_TSTRING) {
            const char* const where = lua_isinteger(state, -2) != 0 ? "[1], [2] …" : "its keys";
            refuse(table, std::string(where) + " are not names: the form is {[\"name\"] = …}");
        }
        take(textAt(state, -2));
    }
}

}  // namespace

// -- functions

/// Pushes the function of that dotted name, or nothing. Looks at tables alone: no code runs.
bool Script::Impl::pushOwn(lua_State* state, const std::string& name) {
    lua_pushglobaltable(state);
    for (std::size_t from = 0; from <= name.size();) {
        const auto to = std::min(name.find('.', from), name.size());
        if (!lua_istable(state, -1)) {
            lua_pop(state, 1);
            return false;  // a function has no functions
        }
        lua_pushlstring(state, name.data() + from, to - from);
        lua_rawget(state, -2);
        lua_remove(state, -2);
        from = to + 1;
    }
    if (lua_isfunction(state, -1)) return true;
    lua_pop(state, 1);
    return false;
}

/// Whether anybody may name that function.
bool Script::Impl::isTask(lua_State* state, const std::string& name) {
    if (name.starts_with("tasks.")) return true;
    const int top = lua_gettop(state);
    lua_pushglobaltable(state);
    for (const std::string_view key :
         {std::string_view("config"), std::string_view("Tasks"), std::string_view(name)}) {
        if (!lua_istable(state, -1)) {
            lua_settop(state, top);
            return false;
        }
        lua_pushlstring(state, key.data(), key.size());
        lua_rawget(state, -2);
    }
    const bool named = lua_toboolean(state, -1) != 0;
    lua_settop(state, top);
    return named;
}

bool Script::Impl::pushFunction(lua_State* state, const Call& call) {
    if ((call.names == Names::own || isTask(state, call.function)) && pushOwn(state, call.function))
        return true;
    return !call.instead.empty() && pushOwn(state, call.instead);
}

bool Script::Impl::has(const std::string& name) {
    bool found = false;
    machine_.protect([&](lua_State* state) { found = pushOwn(state, name); });
    return found;
}

/// For an entry that names it.
void Script::Impl::wantFunction(lua_State* state, const std::string& entry,
                                const std::string& name) {
    if (!pushOwn(state, name)) refuse(entry, "there is no function " + shown(name));
    lua_pop(state, 1);
}

// -- what it declares

void Script::Impl::check(const std::vector<std::string>& hooks) {
    machine_.protect([&](lua_State* state) {
        pushTable(state, "tasks");
        const std::string allowed = "config.Tasks";
        forEach(state, allowed, [&](const std::string& name) {
            if (lua_toboolean(state, -1) != 0) wantFunction(state, entryOf(allowed, name), name);
        });
        for (const std::string& hook : hooks) {
            lua_pushglobaltable(state);
            lua_pushlstring(state, hook.data(), hook.size());
            const int type = lua_rawget(state, -2);
            if (type != LUA_TNIL && type != LUA_TFUNCTION)
                refuse(hook, std::string("a ") + lua_typename(state, type) +
                                 ", where a function is wanted");
            lua_settop(state, 0);
        }
    });
}

std::vector<std::pair<std::string, std::string>> Script::Impl::events() {
    std::vector<std::pair<std::string, std::string>> result;
    const std::string table = "events";
    machine_.protect([&](lua_State* state) {
        forEach(state, table, [&](const std::string& pattern) {
            const std::string entry = entryOf(table, pattern);
            if (lua_type(state, -1) != LUA_TSTRING)
                refuse(entry, "a " + std::string(luaL_typename(state, -1)) +
                                  ", where the name of a function is wanted");
            result.emplace_back(pattern, textAt(state, -1));
            wantFunction(state, entry, result.back().second);
        });
    });
    std::sort(result.begin(), result.end());
    return result;
}

void Script::Impl::readSchedules(lua_State* state, const std::string& table, double toMilliseconds,
                                 std::vector<Schedule>& result) {
    forEach(state, table, [&](const std::string& function) {
        const std::string entry = entryOf(table, function);
        if (lua_type(state, -1) != LUA_TNUMBER) refuse(entry, "its period is not a number");
        const double period = lua_tonumber(state, -1) * toMilliseconds;
        if (!(period >= shortestPeriod && period <= longestPeriod))
            refuse(entry, "its period is not between 10 ms and a year");
        wantFunction(state, entry, function);
        if (result.size() == mostSchedules)
            refuse(table, "more than " + std::to_string(mostSchedules));
        result.push_back({function, std::chrono::milliseconds(std::llround(period))});
    });
}

std::vector<Script::Schedule> Script::Impl::schedules() {
    std::vector<Schedule> result;
    machine_.protect([&](lua_State* state) {
        readSchedules(state, "schedules", 1000, result);
        lua_settop(state, 0);
        readSchedules(state, "config.Schedule.Tasks", 1, result);
    });
    std::sort(result.begin(), result.end(),
              [](const auto& a, const auto& b) { return a.function < b.function; });
    return result;
}

}  // namespace netcluster::lua
