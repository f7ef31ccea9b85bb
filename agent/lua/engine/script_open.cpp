// What a script finds around it.
#include "libraries.hpp"
#include "prelude.hpp"
#include "script_impl.hpp"
#include "texts.hpp"

namespace netcluster::lua {
namespace {

constexpr std::size_t longestLine = 4096;
/// Instructions a line of the log costs. Reason: 10,000 lines are enough of one call.
constexpr std::uint64_t priceOfLine = 10'000;
/// Instructions that asking the program costs.
constexpr std::uint64_t priceOfAsking = 1000;

}  // namespace

Script::Impl::Impl(Setup setup) : setup_(std::move(setup)), machine_(setup_.limits) {
    machine_.owner = this;
    open(setup_.config);
}

void Script::Impl::write(int level, std::string_view text) {
    if (setup_.log) setup_.log(static_cast<Level>(level), oneLine(shortened(text, longestLine)));
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
    push(state, defined.function(toJsonAtPrice(state, 1, lua_gettop(state))));
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
    const Json arguments = toJsonAtPrice(state, 1, lua_gettop(state));
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
    if (running_ == nullptr || !running_->reply)
        return luaL_error(state, "resumed, and not by what it waits for");
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

}  // namespace netcluster::lua
