// Coroutines of scripts, as Lua's own but for two things: when the call is being suspended, each
// coroutine between it and the point where that happens is suspended too, and resumed without the
// script noticing; and what cuts the call off is not an error that the resumer may look at and go
// on.
#include "libraries.hpp"
#include "machine.hpp"

namespace netcluster::lua {
namespace {

/// A coroutine may be used up in fewer instructions than the meter is looked at.
constexpr std::uint64_t priceOfResume = 100;

enum class Form { resume, wrap };

int run(lua_State* state, lua_State* coroutine, int arguments, Form form);

lua_State* coroutineOf(lua_State* state, Form form) {
    return lua_tothread(state, form == Form::wrap ? lua_upvalueindex(1) : 1);
}

int runAgain(lua_State* state, int, lua_KContext form) {
    const auto as = static_cast<Form>(form);
    return run(state, coroutineOf(state, as), 0, as);
}

/// The coroutine has failed; its error is on its stack.
int failed(lua_State* state, lua_State* coroutine, Form form) {
    if (form == Form::wrap) {
        // As Lua's own: its variables to be closed are, and a text says where we were called.
        const int status = lua_resetthread(coroutine);
        if (status == LUA_ERRMEM) Machine::of(state).outOfMemory(state);
        lua_xmove(coroutine, state, 1);
        if (!Machine::of(state).isCut() && lua_type(state, -1) == LUA_TSTRING) {
            luaL_where(state, 1);
            lua_insert(state, -2);
            lua_concat(state, 2);
        }
        return lua_error(state);
    }
    lua_xmove(coroutine, state, 1);
    if (Machine::of(state).isCut()) return lua_error(state);
    lua_pushboolean(state, 0);
    lua_insert(state, -2);
    return 2;
}

int refused(lua_State* state, const char* why, Form form) {
    if (form == Form::wrap) return luaL_error(state, "%s", why);
    lua_pushboolean(state, 0);
    lua_pushstring(state, why);
    return 2;
}

int run(lua_State* state, lua_State* coroutine, int arguments, Form form) {
    Machine& machine = Machine::of(state);
    int results = 0;
    int status = LUA_OK;
    {
        const Machine::Block block(machine, lua_isyieldable(state) == 0);
        status = lua_resume(coroutine, state, arguments, &results);
    }
    if (status == LUA_YIELD && machine.suspending())
        return machine.suspend(state, static_cast<lua_KContext>(form), &runAgain);
    if (status == LUA_ERRMEM) machine.outOfMemory(coroutine);
    if (status != LUA_OK && status != LUA_YIELD) return failed(state, coroutine, form);
    if (lua_checkstack(state, results + 1) == 0) {
        lua_pop(coroutine, results);
        return refused(state, "too many results to resume", form);
    }
    if (form == Form::resume) lua_pushboolean(state, 1);
    lua_xmove(coroutine, state, results);
    return results + (form == Form::resume ? 1 : 0);
}

int begin(lua_State* state, lua_State* coroutine, int arguments, Form form) {
    Machine& machine = Machine::of(state);
    machine.charge(state, priceOfResume);
    if (machine.isCall(coroutine))
        return refused(state, "this coroutine is a call of the worker", form);
    if (lua_checkstack(coroutine, arguments) == 0)
        return refused(state, "too many arguments to resume", form);
    if (lua_status(coroutine) == LUA_OK && lua_gettop(coroutine) == 0)
        return refused(state, "cannot resume dead coroutine", form);
    lua_xmove(state, coroutine, arguments);
    return run(state, coroutine, arguments, form);
}

int resume(lua_State* state) {
    lua_State* coroutine = lua_tothread(state, 1);
    luaL_argexpected(state, coroutine != nullptr, 1, "coroutine");
    return begin(state, coroutine, lua_gettop(state) - 1, Form::resume);
}

int resumeWrapped(lua_State* state) {
    return begin(state, coroutineOf(state, Form::wrap), lua_gettop(state), Form::wrap);
}

int wrap(lua_State* state) {
    luaL_checktype(state, 1, LUA_TFUNCTION);
    lua_State* coroutine = lua_newthread(state);
    lua_pushvalue(state, 1);
    lua_xmove(state, coroutine, 1);
    lua_pushcclosure(state, &resumeWrapped, 1);
    return 1;
}

/// Upvalue 1 is Lua's own.
int close(lua_State* state) {
    Machine& machine = Machine::of(state);
    machine.charge(state, priceOfResume);
    if (const lua_State* coroutine = lua_tothread(state, 1);
        coroutine != nullptr && machine.isCall(coroutine))
        return luaL_error(state, "this coroutine is a call of the worker");
    const int results = lua_tocfunction(state, lua_upvalueindex(1))(state);
    if (machine.isCut()) machine.raiseCut(state);
    return results;
}

}  // namespace

void openCoroutines(lua_State* state) {
    lua_getglobal(state, "coroutine");
    lua_pushcfunction(state, &resume);
    lua_setfield(state, -2, "resume");
    lua_pushcfunction(state, &wrap);
    lua_setfield(state, -2, "wrap");
    lua_getfield(state, -1, "close");
    lua_pushcclosure(state, &close, 1);
    lua_setfield(state, -2, "close");
    lua_pop(state, 1);
}

}  // namespace netcluster::lua
