// What a script finds around it, and what is found in a script.
#include <algorithm>
#include <cmath>

#include "libraries.hpp"
#include "prelude.hpp"
#include "script_impl.hpp"

namespace netcluster::lua {
namespace {

constexpr std::size_t longestLine = 4096;
/// Instructions a line of the log costs. Reason: 10,000 lines are enough of one call.
constexpr std::uint64_t priceOfLine = 10'000;
/// Instructions that asking the program costs.
constexpr std::uint64_t priceOfAsking = 1000;

constexpr std::size_t mostSchedules = 1000;
constexpr double shortestPeriod = 10;              // ms: a loop is not a schedule
constexpr double longestPeriod = 366.0 * 86400e3;  // ms

/// One line: what a terminal or a reader of logs would take for something else is shown as `?`.
std::string oneLine(std::string_view text) {
    std::string line(text.substr(0, longestLine));
    std::replace_if(
        line.begin(), line.end(),
        [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127; }, '?');
    if (text.size() > longestLine) line += " …";
    return line;
}

bool rawField(lua_State* state, const char* name) {
    if (!lua_istable(state, -1)) return false;
    lua_pushstring(state, name);
    lua_rawget(state, -2);
    return lua_istable(state, -1);
}

}  // namespace

Script::Impl::Impl(Setup setup) : setup_(std::move(setup)), machine_(setup_.limits) {
    machine_.owner = this;
    open(setup_.config);
}

void Script::Impl::write(int level, std::string_view text) {
    if (setup_.log) setup_.log(static_cast<Level>(level), oneLine(text));
}

void Script::Impl::open(const Json& config) {
    const auto write = [](lua_State* state) -> int {
        Machine::of(state).charge(state, priceOfLine);
        const auto level = static_cast<int>(luaL_checkinteger(state, 1));
        std::size_t size = 0;
        const char* text = luaL_checklstring(state, 2, &size);
        static_cast<Impl*>(Machine::of(state).owner)->write(level, {text, size});
        return 0;
    };
    machine_.protect([&](lua_State* state) {
        openStandard(state, setup_.unsafe);
        openGuards(state, setup_.unsafe);
        openCoroutines(state);
        if (!setup_.unsafe) openCharged(state);
        openJson(state);
        lua_setglobal(state, "json");
        if (setup_.unsafe) {
            openPaths(state, setup_.folder);
        } else {
            openModules(state, setup_.folder);
        }
        if (luaL_loadbufferx(state, prelude, sizeof prelude - 1, "=prelude", "t") != LUA_OK)
            lua_error(state);
        lua_pushcfunction(state, write);
        push(state, config);
        lua_call(state, 2, 0);
    });
}

// -- what the program defines

void Script::Impl::define(Defined defined) {
    defined_.push_back(std::move(defined));
    Defined& kept = defined_.back();
    machine_.protect([&kept](lua_State* state) {
        lua_pushlightuserdata(state, &kept);
        lua_pushcclosure(state, kept.function ? &guarded<callDefined> : &guarded<callWaiting>, 1);
        lua_setglobal(state, kept.name.c_str());
    });
}

int Script::Impl::callDefined(lua_State* state) {
    Machine::of(state).charge(state, priceOfAsking);
    const auto& defined = *static_cast<Defined*>(lua_touserdata(state, lua_upvalueindex(1)));
    push(state, defined.function(argumentsToJson(state)));
    return 1;
}

int Script::Impl::callWaiting(lua_State* state) {
    Machine& machine = Machine::of(state);
    machine.charge(state, priceOfAsking);
    const auto& defined = *static_cast<Defined*>(lua_touserdata(state, lua_upvalueindex(1)));
    Impl& script = *defined.script;
    if (script.running_ == nullptr || script.running_->loads)
        throw ScriptError(defined.name + " has to wait, and cannot while scripts are loaded");
    if (!machine.maySuspend(state))
        throw ScriptError(defined.name +
                          " has to wait, and cannot from within a function of Lua's library");
    const Json arguments = argumentsToJson(state);
    Running& running = *script.running_;
    Answer answer;
    answer.target_ = std::make_shared<Answer::Target>(
        Answer::Target{script.alive_, script.runningId_, ++running.wait});
    running.reply.reset();
    running.waiting = true;
    try {
        defined.waiting(arguments, answer);
    } catch (const std::exception&) {
        running.waiting = false;
        throw;
    }
    if (running.reply) return script.give(state);
    return machine.suspend(state, 0, &continueWaiting);
}

int Script::Impl::continueWaiting(lua_State* state, int, lua_KContext) {
    return static_cast<Impl*>(Machine::of(state).owner)->give(state);
}

/// What the call waited for.
int Script::Impl::give(lua_State* state) {
    Reply reply = std::move(*running_->reply);
    running_->reply.reset();
    running_->waiting = false;
    if (!reply.ok) return luaL_error(state, "%s", reply.error.c_str());
    push(state, reply.result);
    return 1;
}

void Script::Impl::answered(Id id, std::uint64_t wait, Reply reply) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    Running& running = found->second;
    if (!running.waiting || running.wait != wait || running.reply) return;
    running.reply = std::move(reply);
    if (running_ != &running) fresh_.push_back(id);
}

// -- what is found in a script

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
    bool found = false;
    if (rawField(state, "config") && rawField(state, "Tasks")) {
        lua_pushlstring(state, name.data(), name.size());
        found = lua_rawget(state, -2) != LUA_TNIL;
    }
    lua_settop(state, top);
    return found;
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

std::vector<std::pair<std::string, std::string>> Script::Impl::texts(const std::string& name) {
    std::vector<std::pair<std::string, std::string>> result;
    machine_.protect([&](lua_State* state) {
        lua_pushglobaltable(state);
        if (!rawField(state, name.c_str())) return;
        for (lua_pushnil(state); lua_next(state, -2) != 0; lua_pop(state, 1)) {
            if (lua_type(state, -2) != LUA_TSTRING || lua_type(state, -1) != LUA_TSTRING)
                throw ScriptError(name + ": not text by text");
            result.emplace_back(lua_tostring(state, -2), lua_tostring(state, -1));
        }
    });
    std::sort(result.begin(), result.end());
    return result;
}

/// Of the table on top of the stack, or none.
void Script::Impl::readSchedules(lua_State* state, double toMilliseconds,
                                 std::vector<Schedule>& result) {
    if (!lua_istable(state, -1)) return;
    for (lua_pushnil(state); lua_next(state, -2) != 0; lua_pop(state, 1)) {
        if (lua_type(state, -2) != LUA_TSTRING)
            throw ScriptError("schedules: a key that is not the name of a function");
        const std::string function = lua_tostring(state, -2);
        if (lua_type(state, -1) != LUA_TNUMBER)
            throw ScriptError("schedules: " + function + ": its period is not a number");
        const double period = lua_tonumber(state, -1) * toMilliseconds;
        if (!(period >= shortestPeriod && period <= longestPeriod))
            throw ScriptError("schedules: " + function +
                              ": its period is not between 10 ms and a year");
        if (result.size() == mostSchedules)
            throw ScriptError("schedules: more than " + std::to_string(mostSchedules));
        result.push_back({function, std::chrono::milliseconds(std::llround(period))});
    }
}

std::vector<Script::Schedule> Script::Impl::schedules() {
    std::vector<Schedule> result;
    machine_.protect([&](lua_State* state) {
        lua_pushglobaltable(state);
        rawField(state, "schedules");
        readSchedules(state, 1000, result);
        lua_settop(state, 1);
        if (rawField(state, "config") && rawField(state, "Schedule")) {
            rawField(state, "Tasks");
            readSchedules(state, 1, result);
        }
    });
    std::sort(result.begin(), result.end(),
              [](const auto& a, const auto& b) { return a.function < b.function; });
    return result;
}

}  // namespace netcluster::lua
