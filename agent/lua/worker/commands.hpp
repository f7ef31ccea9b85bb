// What a command is told, and what is answered for it: Serf's convention. Pure.
#pragma once

#include <netcluster/event.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "settings.hpp"

namespace netcluster::worker {

/// What a command is called for.
struct Cause {
    std::string task{};    ///< empty: an event
    std::string event{};   ///< its name; of a task `task.<NAME>`
    std::string node{};    ///< this worker
    std::string id{};      ///< of the task or event
    std::string sender{};  ///< uuid of the caller's connection
    std::string host{};    ///< the caller's
};

/// What a tag's key is in the name of its variable: "disk-type" -> "DISK_TYPE".
std::string variableName(std::string_view key);
/// NETCLUSTER_EVENT and so on (docs/worker-guide.md). Control characters become `?`.
std::vector<std::string> environmentFor(const Cause& cause, const Settings& settings);
/// Text as it is, nothing for null, JSON for anything else.
std::string inputFor(const Json& data);

/// `{"status":0,"stdout":"…","stderr":"…"}`; what is not UTF-8 is replaced, what was cut is said.
/// What a signal has ended has no status, but `"signal":9`.
Json resultOf(const Finished& finished);
/// Why it failed, in words with the result as JSON behind them; empty when it did not. At most 4
/// KiB: of each output the beginning is in there, and the JSON is whole.
std::string failureOf(const Finished& finished, const ExecLimits& limits);

/// "NAME=COMMAND", or whatever `form` says. Throws std::invalid_argument when either is missing.
Handler parseHandler(std::string_view text, std::string_view form = "NAME=COMMAND");

}  // namespace netcluster::worker
