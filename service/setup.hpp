// How the service is set up on this system, as far as ncserver has a part in it. One half per
// system.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace netcluster::service {

/// The configuration of the host's own daemon; empty: there is none. Throws Error when it cannot be
/// trusted. Any thread.
std::string systemConfigFile();

/// Adds the program's commands for setting up the service. None where the system has tools for it:
/// systemd's are systemctl and the unit's file.
void describeCommands(CLI::App& app);
/// After parsing: carries out the command that was given, and returns the exit status. Nothing when
/// there was none.
std::optional<int> runCommand(const CLI::App& app);

}  // namespace netcluster::service
