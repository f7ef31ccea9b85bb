// A state of Lua and the meter on it: who runs, what it has used, whether it must stop. Owned by a
// Script; one thread. Everything else of the engine talks to Lua through this.
//
// We link Lua as it is built for C++ (Debian's lua5.4-c++): its errors are exceptions, which run
// our destructors on their way. They are never caught here but by Lua.
//
// A LIMIT CANNOT BE SWALLOWED. A call that has gone over one is marked (Usage::cut), and from then
// on each time it is looked at it raises the error again. What catches errors in a script (pcall,
// xpcall, coroutine.resume and wrap: guard.cpp, coroutines.cpp) passes on the error of a marked
// call. Finalizers (__gc) run with hooks off, so scripts cannot set any (guard.cpp).
//
// SUSPENDING. Each call is a coroutine. It is suspended when its slice is over (from the count
// hook), or when it waits for a host function. If that happens within coroutines of the script's
// own, each of these is suspended as well, down to the call's, and resumed in reverse
// (coroutines.cpp): scripts do not notice. Until then no other call may resume or close these: what
// is suspended there would be given what the other one runs with. Where Lua cannot suspend (in the
// comparison of table.sort, in the replacement of string.gsub, in a __tostring) a call runs on,
// within its limits.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "limits.hpp"
#include "memory.hpp"

namespace netcluster::lua {

/// What went wrong in a script, as Lua says it: "tasks.lua:3: …".
struct ScriptError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Machine {
  public:
    /// Throws ScriptError when there is no memory for a state.
    explicit Machine(const Limits& limits);
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    static Machine& of(lua_State* state);
    /// "tasks.lua:34", the innermost line of Lua; empty when there is none.
    static std::string placeOf(lua_State* thread);

    lua_State* state() const { return state_; }
    const Limits& limits() const { return limits_; }
    std::size_t memoryUsed() const { return memory_.used(); }

    /// Runs `work` where Lua may raise errors, on the main state with an empty stack. Throws
    /// ScriptError for an error of Lua, and what `work` throws. Not while a call runs.
    void protect(const std::function<void(lua_State*)>& work);
    /// The same, with what it uses charged to a call: it may run a script's metamethods.
    void protect(Usage& usage, const std::function<void(lua_State*)>& work);

    // -- calls

    /// A new coroutine, kept until `release`. Within `protect`.
    lua_State* newCall(lua_State* within);
    void release(lua_State* call);

    /// Whose a coroutine is: scripts may resume and close their own alone.
    enum class Owner : std::uintptr_t {
        script,
        suspended,  ///< a script's, and suspended along with a call: by us, to be resumed by us
        call,       ///< it is one
        ended,      ///< it was one
    };
    Owner ownerOf(lua_State* thread) const;
    static void setOwner(lua_State* thread, Owner owner);

    enum class Resumed { finished, suspended, failed };
    /// Runs the call until it ends, is suspended, or fails; results or the error are on its stack.
    Resumed resume(lua_State* call, Usage& usage, int arguments, int& results);

    // -- within a call

    /// Counts `amount` instructions for what a function of ours does in one go. Raises an error of
    /// Lua when a limit is reached.
    void charge(lua_State* running, std::uint64_t amount);
    bool isCut() const { return usage_ != nullptr && usage_->cut != Cut::none; }
    /// Lua has failed for want of memory, in that coroutine: marks the call.
    void outOfMemory(lua_State* at);
    [[noreturn]] void raiseCut(lua_State* running);
    std::string reasonOf(Cut cut) const { return lua::reasonOf(cut, limits_); }

    /// Whether the call can be suspended at this point.
    bool maySuspend(lua_State* running) const {
        return usage_ != nullptr && blocked_ == 0 && lua_isyieldable(running) != 0;
    }
    /// Suspends the call, from a C function of Lua's: `return machine.suspend(…)`.
    int suspend(lua_State* running, lua_KContext context, lua_KFunction then);
    /// The call is being suspended, rather than a coroutine of the script's yields.
    bool suspending() const { return suspending_; }

    /// While it lives the call cannot be suspended.
    class Block {
      public:
        Block(Machine& machine, bool blocks) : machine_(machine), blocks_(blocks) {
            machine_.blocked_ += blocks_ ? 1 : 0;
        }
        ~Block() { machine_.blocked_ -= blocks_ ? 1 : 0; }
        Block(const Block&) = delete;
        Block& operator=(const Block&) = delete;

      private:
        Machine& machine_;
        bool blocks_;
    };

    /// For the Script that owns this.
    void* owner = nullptr;

  private:
    class Metered;
    static void onCount(lua_State* running, lua_Debug* where);
    void look(Clock::time_point now);
    void adapt(lua_State* running, int every, Clock::time_point now);
    std::chrono::nanoseconds ran(Clock::time_point now) const;
    void noteWhere(lua_State* at);

    Limits limits_;
    Memory memory_;
    lua_State* state_ = nullptr;
    Usage* usage_ = nullptr;  ///< of the call that runs
    Clock::time_point resumed_{};
    Clock::time_point lookedAt_{};
    int blocked_ = 0;
    bool suspending_ = false;
};

/// A C function of Lua's made of one of ours that may throw std::exception.
template <int (*function)(lua_State*)>
int guarded(lua_State* state) {
    std::string what;
    try {
        return function(state);
    } catch (const std::exception& error) {
        what = error.what();
    }
    return luaL_error(state, "%s", what.c_str());
}

}  // namespace netcluster::lua
