// ncworker's command line. For main, and for its manual page and shell completions, which are made
// from what `describe` tells (service/packaging/manual).
//
// Long options may be written with one dash, as Gleam's were: `-id web -script=scripts`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "settings.hpp"

namespace netcluster::worker {

struct Arguments {
    std::string id, region, channel, dir, script;
    std::vector<std::string> tags, commands, eventCommands;
    bool unsafe = false;
    bool test = false;
    std::string pidFile, logFile, logLevel = "info";
    std::uint64_t instructions = 100;  ///< millions
    double runTime = 1, wallTime = 30;
    std::size_t memory = 16, totalMemory = 64;  ///< MiB
    std::size_t queue = 1024;
    double grace = 10;
    double execTime = 60;
    std::size_t execOutput = 256;  ///< KiB
    std::size_t execJobs = 8;
};

/// `arguments` is filled when `app` parses.
void describe(CLI::App& app, Arguments& arguments);

/// The words of a command line, last first, as CLI11 parses them; `-name` made `--name` where that
/// is a long option of `app`.
std::vector<std::string> wordsFor(const CLI::App& app, int count, const char* const* words);

/// Throws CLI::ValidationError saying what is wrong.
Settings settingsOf(const Arguments& arguments);

}  // namespace netcluster::worker
