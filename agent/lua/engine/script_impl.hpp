// How a Script does it; for script*.cpp alone.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "script.hpp"

namespace netcluster::lua {

/// What a waiting call is given.
struct Reply {
    bool ok = false;
    Json result{};
    std::string error{};
};

struct Script::Answer::Target {
    std::weak_ptr<Script::Impl*> script;
    Id call = 0;
    std::uint64_t wait = 0;  ///< which of the call's waits
    void give(Reply reply) const;
};

class Script::Impl {
  public:
    explicit Impl(Setup setup);

    struct Running {
        Call call{};
        Done done{};
        lua_State* thread = nullptr;  ///< null until it begins
        Clock::time_point begun{};
        Usage usage{};
        std::uint64_t wait = 0;
        bool waiting = false;
        std::optional<Reply> reply{};
        bool loads = false;  ///< it is bootstrap.lua itself
    };
    struct Defined {
        Impl* script;
        std::string name;
        Function function;
        WaitingFunction waiting;
    };

    void define(Defined defined);
    void load();
    std::vector<Schedule> schedules();
    std::vector<std::pair<std::string, std::string>> events();
    void check(const std::vector<std::string>& hooks);
    bool has(const std::string& name);

    Id start(Call call, Done done);
    bool work(std::chrono::microseconds budget);
    void expire(Clock::time_point now);
    void stop();
    void answered(Id id, std::uint64_t wait, Reply reply);

    std::size_t underWay() const { return calls_.size(); }
    std::size_t memoryUsed() const { return machine_.memoryUsed(); }
    void write(int level, std::string_view text);

  private:
    static int callDefined(lua_State* state);
    static int callWaiting(lua_State* state);
    static int continueWaiting(lua_State* state, int status, lua_KContext context);
    int give(lua_State* state);

    void open(const Json& config);
    bool pushOwn(lua_State* state, const std::string& name);
    bool isTask(lua_State* state, const std::string& name);
    bool pushFunction(lua_State* state, const Call& call);
    void wantFunction(lua_State* state, const std::string& entry, const std::string& name);
    void readSchedules(lua_State* state, const std::string& table, double toMilliseconds,
                       std::vector<Schedule>& result);

    bool runnable() const { return !fresh_.empty() || !long_.empty(); }
    std::optional<Id> next();
    void run(Id id);
    int begin(Running& running);
    void ended(Id id, Running& running, Machine::Resumed how, int results);
    Outcome succeeded(Running& running, int results);
    Outcome failed(Running& running);
    std::string cutText(const Running& running, Cut cut) const;
    std::string tracebackOf(lua_State* thread);
    void finish(Id id, Outcome outcome);
    void cut(Id id, Cut why);

    Setup setup_;
    Machine machine_;
    std::deque<Defined> defined_;  // where they lie is told to Lua
    std::map<Id, Running> calls_;
    std::deque<Id> fresh_;                  ///< have not used up a slice since they began or waited
    std::deque<Id> long_;                   ///< have
    std::chrono::nanoseconds freshRan_{0};  ///< since one of the long ones had its turn
    Id last_ = 0;
    Running* running_ = nullptr;  ///< whose code runs
    Id runningId_ = 0;
    std::shared_ptr<Impl*> alive_ = std::make_shared<Impl*>(this);
};

}  // namespace netcluster::lua
