#include "machine.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace netcluster::lua {
namespace {

/// Most instructions between two looks at the meter. Reason: some 2 µs, and the look costs a
/// twentieth of that. One instruction may take a millisecond (joining texts of megabytes, passing
/// on 100,000 arguments): this many of them are the longest that others wait before we notice.
constexpr int lookEvery = 200;
/// What is paid for at once and costs this much is looked at when it is done.
constexpr std::uint64_t muchAtOnce = 1000;

constexpr std::uintptr_t ownerBits = 3;
static_assert(alignof(Machine) > ownerBits && LUA_EXTRASPACE >= sizeof(std::uintptr_t));

std::uintptr_t& wordOf(lua_State* thread) {
    return *static_cast<std::uintptr_t*>(lua_getextraspace(thread));
}

struct Work {
    const std::function<void(lua_State*)>* function;
    std::exception_ptr thrown;
};

int carryOut(lua_State* state) {
    auto& work = *static_cast<Work*>(lua_touserdata(state, 1));
    lua_settop(state, 0);
    try {
        (*work.function)(state);
    } catch (const std::exception&) {  // not Lua's own, which are no std::exception
        work.thrown = std::current_exception();
    }
    return 0;
}

}  // namespace

/// While it lives, what is used is charged to one call.
class Machine::Metered {
  public:
    Metered(Machine& machine, Usage& usage) : machine_(machine) {
        machine_.usage_ = &usage;
        machine_.resumed_ = machine_.lookedAt_ = Clock::now();
        machine_.memory_.charge(&usage.growth, machine_.limits_.memory);
    }
    ~Metered() {
        machine_.usage_->ran = machine_.ran(Clock::now());
        machine_.usage_ = nullptr;
        machine_.memory_.charge(nullptr, 0);
        machine_.suspending_ = false;
    }
    Metered(const Metered&) = delete;
    Metered& operator=(const Metered&) = delete;

  private:
    Machine& machine_;
};

Machine::Machine(const Limits& limits) : limits_(limits), memory_(limits.total) {
    state_ = lua_newstate(&Memory::allocate, &memory_);
    if (state_ == nullptr) throw ScriptError("no memory for Lua");
    wordOf(state_) = reinterpret_cast<std::uintptr_t>(this);
    lua_sethook(state_, &Machine::onCount, LUA_MASKCOUNT, lookEvery);
}

Machine::~Machine() {
    lua_close(state_);
}

// The word that Lua keeps for us beside each coroutine: where the machine is, and in the two lowest
// bits the coroutine's owner. A new coroutine has a copy of the main one's, so is a script's.

Machine& Machine::of(lua_State* state) {
    return *reinterpret_cast<Machine*>(wordOf(state) & ~ownerBits);
}

Machine::Owner Machine::ownerOf(lua_State* thread) const {
    return thread == state_ ? Owner::call : static_cast<Owner>(wordOf(thread) & ownerBits);
}

void Machine::setOwner(lua_State* thread, Owner owner) {
    std::uintptr_t& word = wordOf(thread);
    word = (word & ~ownerBits) | static_cast<std::uintptr_t>(owner);
}

void Machine::protect(const std::function<void(lua_State*)>& work) {
    Work carried{&work, nullptr};
    lua_settop(state_, 0);
    lua_pushcfunction(state_, &carryOut);
    lua_pushlightuserdata(state_, &carried);
    const int status = lua_pcall(state_, 1, 0, 0);
    if (status == LUA_ERRMEM) {
        lua_settop(state_, 0);
        outOfMemory(state_);
        throw ScriptError(reasonOf(memory_.lastRefusal()));
    }
    if (status != LUA_OK) {
        const char* text = lua_type(state_, -1) == LUA_TSTRING ? lua_tostring(state_, -1) : nullptr;
        const std::string what = text != nullptr ? text : "an error that is no text";
        lua_settop(state_, 0);
        throw ScriptError(what);
    }
    if (carried.thrown) std::rethrow_exception(carried.thrown);
}

void Machine::protect(Usage& usage, const std::function<void(lua_State*)>& work) {
    const Metered metered(*this, usage);
    protect(work);
}

lua_State* Machine::newCall(lua_State* within) {
    lua_State* call = lua_newthread(within);
    setOwner(call, Owner::call);
    lua_rawsetp(within, LUA_REGISTRYINDEX, call);  // keeps it alive
    return call;
}

void Machine::release(lua_State* call) {
    setOwner(call, Owner::ended);  // a script may hold it still
    protect([call](lua_State* state) {
        lua_pushnil(state);
        lua_rawsetp(state, LUA_REGISTRYINDEX, call);
    });
}

Machine::Resumed Machine::resume(lua_State* call, Usage& usage, int arguments, int& results) {
    const Metered metered(*this, usage);
    const int status = lua_resume(call, nullptr, arguments, &results);
    if (status == LUA_ERRMEM) outOfMemory(call);
    if (status == LUA_OK) return Resumed::finished;
    return status == LUA_YIELD ? Resumed::suspended : Resumed::failed;
}

std::chrono::nanoseconds Machine::ran(Clock::time_point now) const {
    return usage_->ran + (now - resumed_);
}

void Machine::look(Clock::time_point now) {
    if (usage_->cut != Cut::none) return;
    if (usage_->instructions > limits_.instructions)
        usage_->cut = Cut::instructions;
    else if (ran(now) > limits_.run)
        usage_->cut = Cut::run;
}

void Machine::charge(lua_State* running, std::uint64_t amount) {
    if (usage_ == nullptr) return;
    usage_->instructions += amount;
    const auto now = Clock::now();
    look(now);
    if (isCut()) raiseCut(running);
    const bool ours = lua_gethook(running) == &Machine::onCount;  // unsafe scripts have their own
    if (ours && (amount >= muchAtOnce || now - resumed_ > limits_.slice))
        lua_sethook(running, &Machine::onCount, LUA_MASKCOUNT, 1);
}

void Machine::outOfMemory(lua_State* at) {
    if (usage_ == nullptr || usage_->cut != Cut::none) return;
    usage_->cut = memory_.lastRefusal();
    noteWhere(at);
}

void Machine::noteWhere(lua_State* at) {
    if (std::string place = placeOf(at); !place.empty()) usage_->where = std::move(place);
}

std::string Machine::placeOf(lua_State* thread) {
    lua_Debug at{};
    for (int level = 0; lua_getstack(thread, level, &at) != 0; ++level) {
        lua_getinfo(thread, "Sl", &at);
        if (at.currentline > 0)
            return std::string(at.short_src) + ":" + std::to_string(at.currentline);
    }
    return {};
}

void Machine::raiseCut(lua_State* running) {
    luaL_error(running, "cut off: %s", reasonOf(usage_->cut).c_str());
    throw std::logic_error("luaL_error returned");
}

int Machine::suspend(lua_State* running, lua_KContext context, lua_KFunction then) {
    // From within to without: the innermost coroutine is where it happens.
    if (!suspending_) noteWhere(running);
    suspending_ = true;
    return lua_yieldk(running, 0, context, then);
}

// Fewer instructions than now when these took long, and more again when they did not.
void Machine::adapt(lua_State* running, int every, Clock::time_point now) {
    const auto took = now - std::exchange(lookedAt_, now);
    const auto bearable = limits_.slice / 4;
    int next = std::min(every * 2, lookEvery);
    if (took > bearable) next = std::max<int>(1, static_cast<int>(every * (bearable / 2) / took));
    if (next != every) lua_sethook(running, &Machine::onCount, LUA_MASKCOUNT, next);
}

void Machine::onCount(lua_State* running, lua_Debug* where) {
    Machine& machine = of(running);
    Usage* usage = machine.usage_;
    if (usage == nullptr) return;
    const int every = lua_gethookcount(running);
    usage->instructions += static_cast<std::uint64_t>(every);
    const auto now = Clock::now();
    machine.look(now);
    if (usage->cut != Cut::none) {
        lua_getinfo(running, "Sl", where);
        lua_pushfstring(running, "%s:%d: cut off: %s", where->short_src, where->currentline,
                        machine.reasonOf(usage->cut).c_str());
        lua_error(running);
    }
    machine.adapt(running, every, now);
    if (now - machine.resumed_ > machine.limits_.slice && machine.maySuspend(running)) {
        machine.noteWhere(running);
        machine.suspending_ = true;
        lua_yield(running, 0);
    }
}

}  // namespace netcluster::lua
