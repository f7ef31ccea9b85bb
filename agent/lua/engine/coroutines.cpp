// Coroutines of scripts, as Lua's own but for two things: when the call is being suspended, each
// coroutine between it and the point where that happens is suspended too, and resumed without the
// script noticing; and what cuts the call off is not an error that the resumer may look at and go
// on. What is suspended so, and the coroutines of calls, scripts may neither resume nor close.
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
    lua_State* coroutine = coroutineOf(state, as);
    Machine::setOwner(coroutine, Machine::Owner::script);
    return run(state, coroutine, 0, as);
}

/// Whether it has ended by an error. What cannot be resumed now, for want of C's stack, lives on,
/// and lua_resetthread would take its stack from under it.
bool isBroken(lua_State* coroutine) {
    const int status = lua_status(coroutine);
    return status != LUA_OK && status != LUA_YIELD;
}

/// The coroutine has failed, or could not be resumed; the error is on its stack.
int failed(lua_State* state, lua_State* coroutine, Form form) {
    if (form == Form::wrap) {
        // As Lua's own: its variables to be closed are, and a text says where we were called.
        if (isBroken(coroutine) && lua_resetthread(coroutine) == LUA_ERRMEM)
            Machine::of(state).outOfMemory(state);
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
    if (status == LUA_YIELD && machine.suspending()) {
        Machine::setOwner(coroutine, Machine::Owner::suspended);
        return machine.suspend(state, static_cast<lua_KContext>(form), &runAgain);
    }
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

/// Why a script may neither resume nor close it; null if it may.
const char* notTheirs(lua_State* state, lua_State* coroutine) {
    switch (Machine::of(state).ownerOf(coroutine)) {
        case Machine::Owner::script:
            return nullptr;
        case Machine::Owner::suspended:
            return "this coroutine belongs to a call that is under way or was cut off";
        case Machine::Owner::call:
            return "this coroutine is a call of the worker";
        case Machine::Owner::ended:
            return "this coroutine is a call of the worker, which has ended";
    }
    return nullptr;
}

enum class State { running, normal, suspended, dead };

/// As coroutine.status has it.
State stateOf(lua_State* state, lua_State* coroutine) {
    if (coroutine == state) return State::running;
    if (lua_status(coroutine) == LUA_YIELD) return State::suspended;
    if (isBroken(coroutine)) return State::dead;
    lua_Debug at{};
    if (lua_getstack(coroutine, 0, &at) != 0) return State::normal;
    return lua_gettop(coroutine) == 0 ? State::dead : State::suspended;  // has not begun
}

int begin(lua_State* state, lua_State* coroutine, int arguments, Form form) {
    Machine& machine = Machine::of(state);
    machine.charge(state, priceOfResume);
    if (const char* why = notTheirs(state, coroutine)) return refused(state, why, form);
    const State now = stateOf(state, coroutine);
    if (now == State::dead) return refused(state, "cannot resume dead coroutine", form);
    // Nothing may be put on the stack of one that is in the middle of something.
    if (now != State::suspended)
        return refused(state, "cannot resume non-suspended coroutine", form);
    if (lua_checkstack(coroutine, arguments) == 0)
        return refused(state, "too many arguments to resume", form);
    lua_xmove(state, coroutine, arguments);
    return run(state, coroutine, arguments, form);
}

lua_State* checkCoroutine(lua_State* state) {
    lua_State* coroutine = lua_tothread(state, 1);
    luaL_argexpected(state, coroutine != nullptr, 1, "coroutine");
    return coroutine;
}

int resume(lua_State* state) {
    lua_State* coroutine = checkCoroutine(state);
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

int close(lua_State* state) {
    Machine& machine = Machine::of(state);
    machine.charge(state, priceOfResume);
    lua_State* coroutine = checkCoroutine(state);
    if (const char* why = notTheirs(state, coroutine)) return luaL_error(state, "%s", why);
    const State now = stateOf(state, coroutine);
    if (now == State::running || now == State::normal)
        return luaL_error(state, "cannot close a %s coroutine",
                          now == State::running ? "running" : "normal");
    const int status = lua_resetthread(coroutine);
    if (status == LUA_ERRMEM) machine.outOfMemory(state);
    if (machine.isCut()) machine.raiseCut(state);
    lua_pushboolean(state, status == LUA_OK ? 1 : 0);
    if (status == LUA_OK) return 1;
    lua_xmove(coroutine, state, 1);
    return 2;
}

int status(lua_State* state) {
    static const char* const names[] = {"running", "normal", "suspended", "dead"};
    lua_State* coroutine = checkCoroutine(state);
    State now = stateOf(state, coroutine);
    const Machine::Owner owner = Machine::of(state).ownerOf(coroutine);
    if (owner == Machine::Owner::ended) now = State::dead;
    // Nobody but its call can go on with it, as with one that has resumed another.
    if (owner != Machine::Owner::script && now == State::suspended) now = State::normal;
    lua_pushstring(state, names[static_cast<int>(now)]);
    return 1;
}

}  // namespace

void openCoroutines(lua_State* state) {
    lua_getglobal(state, "coroutine");
    lua_pushcfunction(state, &resume);
    lua_setfield(state, -2, "resume");
    lua_pushcfunction(state, &wrap);
    lua_setfield(state, -2, "wrap");
    lua_pushcfunction(state, &close);
    lua_setfield(state, -2, "close");
    lua_pushcfunction(state, &status);
    lua_setfield(state, -2, "status");
    lua_pop(state, 1);
}

}  // namespace netcluster::lua
