// The command `call`: has a task done by nodes and prints a line for each answer as it comes.
// Main's thread writes; answers come on the agent's thread.
#pragma once

#include <map>
#include <netcluster/tasks.hpp>
#include <string>
#include <string_view>

#include "commands.hpp"

namespace netcluster::ctl {

/// What --pick may be.
inline constexpr std::string_view pickChoices =
    "first|last|random|roundRobin|leastLoaded|leastMemory|sticky";

Status callCommand(const Call& call, Context& context);

/// `NODE RESULT`, or `NODE what went wrong`; one line.
std::string answerText(const netcluster::Answer& answer);
/// An object with node, host, outcome, milliseconds, and result or error; one line.
std::string answerJson(const netcluster::Answer& answer);

/// How many answers came of which kind.
class Tally {
  public:
    void add(const netcluster::Answer& answer);
    /// Done when there was an answer and all were good, deadline when any did not come in time.
    Status status() const;
    /// `3 of 4 nodes succeeded (1 lost) in 12 ms`
    std::string text(std::chrono::microseconds took) const;
    /// Every outcome has its count; `error` when nobody was asked.
    Json json(std::chrono::microseconds took) const;

  private:
    using Outcome = netcluster::Answer::Outcome;
    std::size_t count(Outcome outcome) const;

    std::map<Outcome, std::size_t> counts_;
    std::size_t all_ = 0;
};

}  // namespace netcluster::ctl
