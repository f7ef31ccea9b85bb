// One load of the scripts: their state, schedules and the events they hear. A reload makes another.
// Owned by the worker; lives until its last call has ended.
#pragma once

#include <netcluster/agent.hpp>
#include <string>
#include <vector>

#include "schedules.hpp"
#include "script.hpp"

namespace netcluster::worker {

struct Generation {
    Generation(lua::Script::Setup setup, int count) : script(std::move(setup)), number(count) {}

    lua::Script script;
    int number;  ///< which load it is, from 1
    std::vector<lua::Script::Schedule> wanted{};
    std::vector<std::pair<std::string, std::string>> events{};
    Schedules schedules{};
    std::vector<Listener> listeners{};
    bool ending = false;  ///< a newer one has taken its place
    bool finalizing = false;
};

}  // namespace netcluster::worker
