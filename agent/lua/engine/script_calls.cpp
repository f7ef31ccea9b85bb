// Calls and their turns.
#include <utility>

#include "error_text.hpp"
#include "libraries.hpp"
#include "script_impl.hpp"

namespace netcluster::lua {
namespace {

/// Calls that have used up a slice have one turn after the others have had this many slices' time.
/// Reason: they go on, at a fifth of the time at least, and what is short hardly notices them.
constexpr int freshSlices = 4;

}  // namespace

void Script::Impl::load() {
    Running running;
    running.loads = true;
    machine_.protect(running.usage, [&](lua_State* state) {
        loadFile(state, setup_.folder, "bootstrap.lua");
        lua_State* thread = machine_.newCall(state);
        lua_xmove(state, thread, 1);
        running.thread = thread;
    });
    running_ = &running;
    auto how = Machine::Resumed::suspended;
    int results = 0;
    while (how == Machine::Resumed::suspended) {
        how = machine_.resume(running.thread, running.usage, 0, results);
        if (how == Machine::Resumed::suspended) lua_pop(running.thread, results);
    }
    running_ = nullptr;
    std::string error;
    if (how == Machine::Resumed::failed) error = failed(running).error;
    machine_.release(running.thread);
    if (!error.empty()) throw ScriptError(error);
}

Script::Id Script::Impl::start(Call call, Done done) {
    const Id id = ++last_;
    Running running;
    running.call = std::move(call);
    running.done = std::move(done);
    calls_.emplace(id, std::move(running));
    fresh_.push_back(id);
    return id;
}

/// Whose turn it is.
std::optional<Script::Id> Script::Impl::next() {
    const bool enough = freshRan_ >= setup_.limits.slice * freshSlices;
    const bool longOnes = fresh_.empty() || (enough && !long_.empty());
    auto& queue = longOnes ? long_ : fresh_;
    if (queue.empty()) return {};
    if (longOnes) freshRan_ = {};
    const Id id = queue.front();
    queue.pop_front();
    return id;
}

bool Script::Impl::work(std::chrono::microseconds budget) {
    const auto until = Clock::now() + budget;
    while (const auto id = next()) {
        run(*id);
        if (Clock::now() >= until) break;
    }
    return runnable();
}

void Script::Impl::run(Id id) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;  // has ended since
    Running& running = found->second;
    const auto before = running.usage.ran;
    int arguments = 0;
    if (running.thread == nullptr) {
        try {
            arguments = begin(running);
        } catch (const std::exception& error) {
            const Cut why = running.usage.cut;
            return finish(id, {.kind = Outcome::Kind::failed,
                               .error = why == Cut::none ? error.what() : cutText(running, why),
                               .cut = why});
        }
        if (running.thread == nullptr)
            return finish(id, {.kind = Outcome::Kind::unknownFunction,
                               .error = "there is no function " + running.call.function});
    }
    running_ = &running;
    runningId_ = id;
    int results = 0;
    const auto how = machine_.resume(running.thread, running.usage, arguments, results);
    running_ = nullptr;
    freshRan_ += running.usage.ran - before;
    if (how != Machine::Resumed::suspended) return ended(id, running, how, results);
    lua_pop(running.thread, results);
    // It waits; or has been answered while it still ran; or has used up its slice, or yielded.
    if (!running.waiting)
        long_.push_back(id);
    else if (running.reply)
        fresh_.push_back(id);
}

/// Puts function and arguments onto a coroutine of their own; how many. No coroutine: no function.
int Script::Impl::begin(Running& running) {
    int arguments = 0;
    lua_State* thread = nullptr;
    running.begun = Clock::now();
    const auto prepare = [&](lua_State* state) {
        if (!pushFunction(state, running.call)) return;
        thread = machine_.newCall(state);
        for (const Json& argument : running.call.arguments) push(state, argument);
        arguments = lua_gettop(state) - 1;
        luaL_checkstack(thread, arguments + 1, "too many arguments");
        lua_xmove(state, thread, arguments + 1);
    };
    try {
        machine_.protect(running.usage, prepare);
    } catch (...) {
        if (thread != nullptr) machine_.release(thread);
        throw;
    }
    running.thread = thread;
    running.call.arguments = nullptr;
    return arguments;
}

void Script::Impl::ended(Id id, Running& running, Machine::Resumed how, int results) {
    Outcome outcome =
        how == Machine::Resumed::finished ? succeeded(running, results) : failed(running);
    finish(id, std::move(outcome));
}

Script::Outcome Script::Impl::succeeded(Running& running, int results) {
    Outcome outcome;
    if (results == 0) return outcome;
    try {
        machine_.protect([&](lua_State*) { outcome.result = toJson(running.thread, -results); });
    } catch (const std::exception& error) {
        outcome.kind = Outcome::Kind::failed;
        outcome.error = "the result cannot be given as JSON: " + std::string(error.what());
    }
    return outcome;
}

Script::Outcome Script::Impl::failed(Running& running) {
    Outcome outcome{.kind = Outcome::Kind::failed};
    lua_State* thread = running.thread;
    int type = LUA_TNONE;
    try {
        machine_.protect(running.usage, [&](lua_State* state) {
            type = lua_type(thread, -1);
            lua_xmove(thread, state, 1);
            outcome.error = errorText(state);
        });
        if (type == LUA_TNIL) {  // Lua puts the place into texts alone
            const std::string place = Machine::placeOf(thread);
            outcome.error.insert(0, (place.empty() ? running.call.function : place) + ": ");
        }
        outcome.traceback = tracebackOf(thread);
        // Its variables that are to be closed are, unless it has had its share.
        if (running.usage.cut == Cut::none)
            machine_.protect(running.usage, [&](lua_State*) { lua_resetthread(thread); });
    } catch (const std::exception& error) {
        if (outcome.error.empty()) outcome.error = error.what();
    }
    outcome.cut = running.usage.cut;  // a __tostring may have gone over a limit too
    // Lua's own words for want of memory do not say where, nor which bound it is.
    const bool ofMemory =
        outcome.cut == Cut::memory || outcome.cut == Cut::allMemory || outcome.cut == Cut::noMemory;
    if (ofMemory || (outcome.cut != Cut::none && type != LUA_TSTRING))
        outcome.error = cutText(running, outcome.cut);
    return outcome;
}

/// "tasks.lua:34: cut off: …"; the function's name when no line is known.
std::string Script::Impl::cutText(const Running& running, Cut cut) const {
    const std::string& function = running.loads ? "bootstrap.lua" : running.call.function;
    const std::string& where = running.usage.where.empty() ? function : running.usage.where;
    return where + ": cut off: " + machine_.reasonOf(cut);
}

/// Not while a call runs.
std::string Script::Impl::tracebackOf(lua_State* thread) {
    std::string text;
    machine_.protect([&](lua_State* state) {
        luaL_traceback(state, thread, nullptr, 0);
        text = lua_tostring(state, -1);
    });
    return text;
}

void Script::Impl::finish(Id id, Outcome outcome) {
    auto node = calls_.extract(id);
    if (node.empty()) return;
    Running& running = node.mapped();
    if (running.thread != nullptr) {
        try {
            machine_.release(running.thread);
        } catch (const ScriptError&) {  // no memory even for that: it goes with the state
        }
    }
    outcome.usage = running.usage;
    if (running.done) running.done(std::move(outcome));
}

void Script::Impl::cut(Id id, Cut why) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    const Running& running = found->second;
    Outcome outcome{.kind = Outcome::Kind::failed, .error = cutText(running, why), .cut = why};
    try {
        if (running.thread != nullptr) outcome.traceback = tracebackOf(running.thread);
    } catch (const ScriptError&) {  // no memory for it
    }
    finish(id, std::move(outcome));
}

void Script::Impl::expire(Clock::time_point now) {
    std::vector<Id> late;
    for (const auto& [id, running] : calls_) {
        if (running.thread != nullptr && now - running.begun > setup_.limits.wall)
            late.push_back(id);
    }
    for (const Id id : late) cut(id, Cut::wall);
}

void Script::Impl::stop() {
    while (!calls_.empty()) cut(calls_.begin()->first, Cut::stopped);
    fresh_.clear();
    long_.clear();
}

}  // namespace netcluster::lua
