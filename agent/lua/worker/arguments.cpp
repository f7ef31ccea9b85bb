#include "arguments.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>

#include "commands.hpp"

namespace netcluster::worker {
namespace {

void describeNode(CLI::App& app, Arguments& arguments) {
    app.add_option("--id", arguments.id, "id of the node (default: HOST-PID)")->type_name("ID");
    app.add_option("--region", arguments.region, "regions of the node, as a:b")
        ->type_name("REGIONS");
    app.add_option("--tag", arguments.tags, "what the node says of itself; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    app.add_option("--channel", arguments.channel,
                   "channel of the daemon (also $NETCLUSTER_CHANNEL; default A)")
        ->type_name("NAME");
    app.add_option("--dir", arguments.dir, "the daemon's run directory (also $NETCLUSTER_DIR)")
        ->type_name("DIR");
}

void describeWork(CLI::App& app, Arguments& arguments) {
    app.add_option("--script", arguments.script, "folder of scripts, with bootstrap.lua")
        ->type_name("DIR");
    app.add_flag("--unsafe", arguments.unsafe,
                 "give scripts all of Lua: files, commands, native modules");
    app.add_option("--exec", arguments.commands,
                   "a command of the shell that does the task NAME; may be repeated")
        ->type_name("NAME=COMMAND")
        ->allow_extra_args(false);
    app.add_option("--on", arguments.eventCommands,
                   "a command for each event whose name matches; may be repeated")
        ->type_name("PATTERN=COMMAND")
        ->allow_extra_args(false);
    app.add_flag("-t,--test", arguments.test,
                 "load the scripts, check what they declare, and exit: 0 or 2");
}

void describeProgram(CLI::App& app, Arguments& arguments) {
    app.add_option("--pid", arguments.pidFile, "write the pid here")->type_name("FILE");
    app.add_option("--log", arguments.logFile, "log to this file, not to standard error")
        ->type_name("FILE");
    app.add_option("--log-level,--log_level", arguments.logLevel,
                   "how much is logged (default info)")
        ->type_name("LEVEL")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
    app.add_option("--grace", arguments.grace,
                   "time for what is under way when it stops (default 10)")
        ->type_name("SECONDS");
}

void describeLimits(CLI::App& app, Arguments& arguments) {
    app.add_option("--instructions", arguments.instructions,
                   "millions of Lua instructions in one call (default 100)")
        ->type_name("MILLIONS");
    app.add_option("--run-time", arguments.runTime, "how long Lua may run in one call (default 1)")
        ->type_name("SECONDS");
    app.add_option("--wall-time", arguments.wallTime,
                   "how long one call may take, waiting included (default 30)")
        ->type_name("SECONDS");
    app.add_option("--memory", arguments.memory, "memory that one call may add (default 16)")
        ->type_name("MIB");
    app.add_option("--total-memory", arguments.totalMemory, "memory of all scripts (default 64)")
        ->type_name("MIB");
    app.add_option("--queue", arguments.queue,
                   "calls of scripts under way; more are refused (default 1024)")
        ->type_name("COUNT");
    app.add_option("--exec-time", arguments.execTime, "how long a command may take (default 60)")
        ->type_name("SECONDS");
    app.add_option("--exec-output", arguments.execOutput,
                   "output that is kept, of stdout and of stderr each (default 256)")
        ->type_name("KIB");
    app.add_option("--exec-jobs", arguments.execJobs, "commands at once (default 8)")
        ->type_name("COUNT");
}

[[noreturn]] void refuse(const std::string& option, const std::string& why) {
    throw CLI::ValidationError(option, why);
}

std::chrono::milliseconds secondsOf(const char* option, double value) {
    constexpr double most = 86400;
    if (!(value >= 0.001 && value <= most)) refuse(option, "is not between 0.001 and 86400");
    return std::chrono::milliseconds(std::llround(value * 1000));
}

template <typename Number>
Number between(const char* option, Number value, Number least, Number most) {
    if (value < least || value > most)
        refuse(option, "is not between " + std::to_string(least) + " and " + std::to_string(most));
    return value;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from < text.size();) {
        const auto to = std::min(text.find(separator, from), text.size());
        if (to > from) parts.push_back(text.substr(from, to - from));
        from = to + 1;
    }
    return parts;
}

std::vector<Handler> handlersOf(const char* option, const char* form,
                                const std::vector<std::string>& texts) {
    std::vector<Handler> handlers;
    for (const std::string& text : texts) {
        try {
            handlers.push_back(parseHandler(text, form));
        } catch (const std::invalid_argument& error) {
            refuse(option, error.what());
        }
    }
    return handlers;
}

void checkName(const char* option, const std::string& name) {
    if (isNodeName(name)) return;
    refuse(option, "\"" + name +
                       "\" is not a name: 1 to 128 bytes of UTF-8 without blanks and any of " +
                       "| , : & ! ( ) = *");
}

/// One task has one command.
void refuseTwice(const char* option, const std::vector<Handler>& handlers) {
    std::set<std::string> names;
    for (const auto& [name, command] : handlers) {
        if (!names.insert(name).second) refuse(option, "\"" + name + "\" is given twice");
    }
}

/// A key's last value is the one that holds. Commands must be able to tell the keys apart.
void takeTags(const Arguments& arguments, Settings& settings) {
    std::map<std::string, std::string> keys;
    for (const auto& [key, value] : handlersOf("--tag", "KEY=VALUE", arguments.tags)) {
        checkName("--tag", key);
        if (!isTagName(key))
            refuse("--tag",
                   "\"" + key + "\" is what the system says of a node; no tag has that name");
        const std::string variable = variableName(key);
        const std::string& first = keys.emplace(variable, key).first->second;
        if (first != key)
            refuse("--tag", "\"" + first + "\" and \"" + key + "\" would both be NETCLUSTER_TAG_" +
                                variable + " for commands");
        settings.tags[key] = value;
    }
}

void takeLimits(const Arguments& arguments, Settings& settings) {
    constexpr std::size_t mebi = std::size_t{1} << 20;
    settings.limits.instructions =
        between<std::uint64_t>("--instructions", arguments.instructions, 1, 1'000'000'000) *
        1'000'000;
    settings.limits.run = secondsOf("--run-time", arguments.runTime);
    settings.limits.wall = secondsOf("--wall-time", arguments.wallTime);
    settings.limits.memory = between<std::size_t>("--memory", arguments.memory, 1, 65536) * mebi;
    settings.limits.total =
        between<std::size_t>("--total-memory", arguments.totalMemory, 1, 65536) * mebi;
    if (settings.limits.total < settings.limits.memory)
        refuse("--total-memory", "is less than --memory");
    settings.queue = between<std::size_t>("--queue", arguments.queue, 1, 1'000'000);
    settings.grace = secondsOf("--grace", arguments.grace);
    settings.exec.time = secondsOf("--exec-time", arguments.execTime);
    settings.exec.output =
        between<std::size_t>("--exec-output", arguments.execOutput, 1, 65536) * 1024;
    settings.exec.atOnce = between<std::size_t>("--exec-jobs", arguments.execJobs, 1, 1000);
}

std::string environmentOr(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

}  // namespace

void describe(CLI::App& app, Arguments& arguments) {
    app.name("ncworker");
    app.description("a netcluster node that does tasks by Lua scripts and by commands");
    app.set_help_flag("-h,--help", "show help and exit");
    app.set_version_flag("--version", "ncworker " NETCLUSTER_VERSION, "show the version and exit");
    describeNode(app, arguments);
    describeWork(app, arguments);
    describeProgram(app, arguments);
    describeLimits(app, arguments);
}

std::vector<std::string> wordsFor(const CLI::App& app, int count, const char* const* words) {
    std::vector<std::string> result;
    for (int place = count - 1; place > 0; --place) {
        std::string word = words[place];
        if (word.size() > 2 && word[0] == '-' && word[1] != '-') {
            const std::string name = "-" + word.substr(0, word.find('='));
            if (app.get_option_no_throw(name) != nullptr) word.insert(0, "-");
        }
        result.push_back(std::move(word));
    }
    return result;
}

Settings settingsOf(const Arguments& arguments) {
    Settings settings;
    settings.id = arguments.id;
    settings.regions = split(arguments.region, ':');
    takeTags(arguments, settings);
    settings.channel =
        arguments.channel.empty() ? environmentOr("NETCLUSTER_CHANNEL", "A") : arguments.channel;
    settings.dir = arguments.dir;
    settings.script = arguments.script;
    settings.unsafe = arguments.unsafe;
    settings.commands = handlersOf("--exec", "NAME=COMMAND", arguments.commands);
    refuseTwice("--exec", settings.commands);
    settings.eventCommands = handlersOf("--on", "PATTERN=COMMAND", arguments.eventCommands);
    if (!settings.id.empty()) checkName("--id", settings.id);
    for (const std::string& region : settings.regions) checkName("--region", region);
    takeLimits(arguments, settings);
    if (settings.script.empty() && settings.commands.empty() && settings.eventCommands.empty())
        throw CLI::ValidationError("There is nothing to do: give --script, --exec or --on.");
    return settings;
}

}  // namespace netcluster::worker
