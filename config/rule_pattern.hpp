// The regular expressions of config.json, in the same dialect as listeners' patterns: what is accepted
// here compiles where routing uses it. Pure; any thread.
#pragma once

#include <optional>
#include <string>

namespace netcluster::config {

/// What is wrong with it, in RE2's words; nothing when it compiles.
std::optional<std::string> patternProblem(const std::string& pattern);

}  // namespace netcluster::config
