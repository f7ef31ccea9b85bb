// What a worker is told to be, by its command line. Values only.
#pragma once

#include <chrono>
#include <cstddef>
#include <netcluster/node.hpp>
#include <string>
#include <utility>
#include <vector>

#include "exec_runner.hpp"
#include "limits.hpp"

namespace netcluster::worker {

/// "deploy=./deploy.sh": what it is for, and the command.
using Handler = std::pair<std::string, std::string>;

struct Settings {
    // These are names (isNodeName), and so are the keys of tags (isTagName).
    std::string id{};  ///< empty: `<host>-<process id>`
    std::vector<std::string> regions{};
    Json tags = Json::object();
    std::string channel{};
    std::string dir{};     ///< the daemon's run directory; empty: as any agent finds it
    std::string script{};  ///< folder of scripts; empty: none
    bool unsafe = false;
    lua::Limits limits{};
    std::vector<Handler> commands{};       ///< by name of the task
    std::vector<Handler> eventCommands{};  ///< by pattern of the event
    ExecLimits exec{};
    /// Tasks, events and scheduled calls of scripts that have not ended; more are refused. Reason:
    /// what cannot be done soon had better be said so.
    std::size_t queue = 1024;
    std::size_t queueBytes = std::size_t{64} << 20;  ///< of their data, roughly
    std::chrono::milliseconds grace{10'000};         ///< for tasks under way, when it is to stop
};

}  // namespace netcluster::worker
