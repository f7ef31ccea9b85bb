#include "libraries.hpp"
#include "machine.hpp"

namespace netcluster::lua {
namespace {

// -- pcall, xpcall: as Lua's own, but what cuts a call off goes through

/// Instructions that an error costs which a script catches, so that the meter is looked at. Reason:
/// a function of C may have worked for long before it failed.
constexpr std::uint64_t priceOfError = 100;

/// Below the results are `skipped` values of ours.
int afterCall(lua_State* state, int status, lua_KContext skipped) {
    Machine& machine = Machine::of(state);
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(state) - static_cast<int>(skipped);
    if (status == LUA_ERRMEM) machine.outOfMemory(state);
    if (machine.isCut()) return lua_error(state);
    machine.charge(state, priceOfError);
    lua_pushboolean(state, 0);
    lua_pushvalue(state, -2);
    return 2;
}

int protectedCall(lua_State* state) {
    luaL_checkany(state, 1);
    lua_pushboolean(state, 1);
    lua_insert(state, 1);
    const int status = lua_pcallk(state, lua_gettop(state) - 2, LUA_MULTRET, 0, 0, &afterCall);
    return afterCall(state, status, 0);
}

/// The script's own handler does not hear what cuts a call off: it would run.
int handleError(lua_State* state) {
    if (Machine::of(state).isCut()) return 1;
    lua_pushvalue(state, lua_upvalueindex(1));
    lua_insert(state, 1);
    lua_call(state, 1, 1);
    return 1;
}

int protectedCallHandled(lua_State* state) {
    const int arguments = lua_gettop(state) - 2;
    luaL_checktype(state, 2, LUA_TFUNCTION);
    lua_pushvalue(state, 2);
    lua_pushcclosure(state, &handleError, 1);
    lua_replace(state, 2);
    lua_pushboolean(state, 1);
    lua_pushvalue(state, 1);
    lua_rotate(state, 3, 2);
    const int status = lua_pcallk(state, arguments, LUA_MULTRET, 2, 2, &afterCall);
    return afterCall(state, status, 2);
}

/// Runs a function without letting others in between; its limits hold.
int atomic(lua_State* state) {
    luaL_checkany(state, 1);
    const Machine::Block block(Machine::of(state), true);
    lua_call(state, lua_gettop(state) - 1, LUA_MULTRET);
    return lua_gettop(state);
}

// -- the sandbox

/// Upvalue 1 is Lua's own.
int original(lua_State* state) {
    return lua_tocfunction(state, lua_upvalueindex(1))(state);
}

int setMetatable(lua_State* state) {
    if (lua_istable(state, 2)) {
        lua_pushliteral(state, "__gc");
        if (lua_rawget(state, 2) != LUA_TNIL)
            return luaL_error(state, "no finalizers (__gc) in the sandbox: no limit holds in them");
        lua_pop(state, 1);
    }
    return original(state);
}

/// Lua's own catches what the function that brings the text raises.
int afterLoad(lua_State* state, int results) {
    Machine& machine = Machine::of(state);
    if (machine.isCut()) machine.raiseCut(state);
    return results;
}

int loadAny(lua_State* state) {
    return afterLoad(state, original(state));
}

int loadText(lua_State* state) {
    if (lua_gettop(state) < 3) lua_settop(state, 3);
    lua_pushliteral(state, "t");
    lua_replace(state, 3);
    std::size_t size = 0;
    if (lua_type(state, 1) == LUA_TSTRING) lua_tolstring(state, 1, &size);
    Machine::of(state).charge(state, size);
    return afterLoad(state, original(state));
}

int collectGarbage(lua_State* state) {
    const char* const names[] = {"collect", "step", "count", nullptr};
    const int what = luaL_checkoption(state, 1, "collect", names);
    if (what == 2) {
        lua_pushnumber(state, static_cast<double>(lua_gc(state, LUA_GCCOUNT)) +
                                  lua_gc(state, LUA_GCCOUNTB) / 1024.0);
        return 1;
    }
    Machine::of(state).charge(state, 10'000);
    lua_gc(state, LUA_GCSTEP, 0);
    lua_pushinteger(state, 0);
    return 1;
}

/// Puts `function` in the place of the global, which becomes its upvalue.
void wrapGlobal(lua_State* state, const char* name, lua_CFunction function) {
    lua_getglobal(state, name);
    lua_pushcclosure(state, function, 1);
    lua_setglobal(state, name);
}

void keepOnly(lua_State* state, const char* library, std::initializer_list<const char*> names) {
    lua_getglobal(state, library);
    lua_newtable(state);
    for (const char* name : names) {
        lua_getfield(state, -2, name);
        lua_setfield(state, -2, name);
    }
    lua_setglobal(state, library);
    lua_pop(state, 1);
}

}  // namespace

void openStandard(lua_State* state, bool unsafe) {
    if (unsafe) {
        luaL_openlibs(state);
        return;
    }
    const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},       {LUA_COLIBNAME, luaopen_coroutine},
        {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
        {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8},
        {LUA_OSLIBNAME, luaopen_os}};
    for (const luaL_Reg& library : libraries) {
        luaL_requiref(state, library.name, library.func, 1);
        lua_pop(state, 1);
    }
    keepOnly(state, "os", {"clock", "date", "difftime", "time"});
    for (const char* name : {"dofile", "loadfile"}) {
        lua_pushnil(state);
        lua_setglobal(state, name);
    }
    lua_getglobal(state, "string");
    lua_pushnil(state);
    lua_setfield(state, -2, "dump");  // makes bytecode
    lua_pop(state, 1);
}

void openGuards(lua_State* state, bool unsafe) {
    lua_register(state, "pcall", &protectedCall);
    lua_register(state, "xpcall", &protectedCallHandled);
    lua_register(state, "atomic", &atomic);
    wrapGlobal(state, "load", unsafe ? &loadAny : &loadText);
    if (unsafe) return;
    wrapGlobal(state, "setmetatable", &setMetatable);
    lua_register(state, "collectgarbage", &collectGarbage);
}

}  // namespace netcluster::lua
