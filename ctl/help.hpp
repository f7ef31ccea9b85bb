// Help texts, made from the table of commands. Pure. Any thread.
#pragma once

#include <string>

#include "commands.hpp"

namespace netcluster::ctl {

/// The one-line usage of a command: name, options, arguments.
std::string usageLine(const Command& command);
/// What `help COMMAND` says.
std::string helpText(const Command& command);
/// What `ncctl --help` says, and, for the prompt, `help`.
std::string helpText(bool atPrompt);

}  // namespace netcluster::ctl
