// The scripts of one folder, loaded: bootstrap.lua and what it requires, in a state of Lua of their
// own, and the calls of their functions. Knows nothing of netcluster: what scripts can ask of the
// program around them is defined by that program (`define`).
//
//     Script script({.folder = "scripts", .config = {{"id", "worker-1"}}});
//     script.define("now", [](const Json&) -> Json { return std::time(nullptr); });
//     script.load();                                     // throws ScriptError: file, line, reason
//     script.start({.function = "tasks.test1", .arguments = {41}}, [](Script::Outcome&& outcome)
//     {…}); while (script.work(std::chrono::milliseconds(5))) {}
//
// Each call is a coroutine. Calls take turns: one that has run for a slice goes behind the others
// (limits.hpp). Owned by the worker; one thread, which also calls what the program has defined.
// Nothing here waits. Errors of scripts are outcomes, never exceptions, but for `load`.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "json_values.hpp"
#include "limits.hpp"
#include "machine.hpp"

namespace netcluster::lua {

enum class Level { trace, debug, info, warn, error };

class Script {
  public:
    struct Setup {
        std::filesystem::path folder{};
        bool unsafe = false;  ///< all of Lua's libraries, files and commands included
        Limits limits{};
        Json config = Json::object();  ///< members of the global `config`, which scripts cannot set
        /// A line of the script's `log`, at most 4 KiB and without control characters.
        std::function<void(Level, const std::string&)> log{};
    };

    explicit Script(Setup setup);
    ~Script();
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    // -- what scripts can ask for; before `load`

    /// The arguments are an array. What it throws (std::exception) is an error in the script.
    using Function = std::function<Json(const Json& arguments)>;
    void define(const std::string& name, Function function);

    /// Gives what the script waits for; once, from the thread of the Script. Copies are the same.
    class Answer {
      public:
        void succeed(const Json& result) const;
        void fail(const std::string& why) const;

      private:
        friend class Script;
        struct Target;
        std::shared_ptr<Target> target_;
    };
    /// The call waits until it is answered; other calls go on.
    using WaitingFunction = std::function<void(const Json& arguments, Answer answer)>;
    void defineWaiting(const std::string& name, WaitingFunction function);

    // -- loading

    /// Runs bootstrap.lua, within the limits of a call. Throws ScriptError. Once.
    void load();

    // -- what the script declares, by the time it is loaded. What is not of the right kind, or
    // names a function that is not there, is thrown as ScriptError naming the entry:
    // `bootstrap.lua: schedules["tasks.beat"]: there is no function tasks.beat`.

    /// What the script wants to be called regularly: the global `schedules`, seconds by name of
    /// function, and Gleam's `config.Schedule.Tasks`, milliseconds.
    struct Schedule {
        std::string function;
        std::chrono::milliseconds period;
        bool operator==(const Schedule&) const = default;
    };
    std::vector<Schedule> schedules();

    /// Names of functions by pattern: the global `events`, `{["a.*"] = "tasks.f"}`.
    std::vector<std::pair<std::string, std::string>> events();

    /// `tasks`, if there, is a table; `config.Tasks` names functions; those of the global names
    /// `hooks` that are there are functions.
    void check(const std::vector<std::string>& hooks);

    bool has(const std::string& globalFunction);

    // -- calls

    /// Who may name the function.
    enum class Names {
        task,  ///< anybody: what the table `tasks` holds, and what `config.Tasks` names
        own,   ///< the script itself: any function, by dotted name
    };
    struct Call {
        std::string function{};
        Json arguments = Json::array();
        Names names = Names::own;
        /// Called instead when there is no `function`: a global function.
        std::string instead{};
    };
    struct Outcome {
        enum class Kind { success, failed, unknownFunction };
        Kind kind = Kind::success;
        Json result{};
        std::string error{};      ///< "tasks.lua:3: …"
        std::string traceback{};  ///< several lines; empty when Lua has none
        Cut cut = Cut::none;      ///< why it was cut off, if it was
        Usage usage{};
    };
    using Done = std::function<void(Outcome&& outcome)>;
    using Id = std::uint64_t;

    /// Queues a call; `done` is called from `work`, `stop` or `expire`, once, and may start calls.
    Id start(Call call, Done done);
    /// Runs what can run for about `budget`. True when something still can.
    bool work(std::chrono::microseconds budget);
    /// Calls that have begun and wait, or wait to begin, or run: all that have not ended.
    std::size_t underWay() const;
    bool idle() const { return underWay() == 0; }
    /// Ends calls that have taken longer than Limits::wall. To be called now and then.
    void expire(Clock::time_point now);
    /// Ends all calls.
    void stop();

    std::size_t memoryUsed() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace netcluster::lua
