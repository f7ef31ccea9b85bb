#include "rule_pattern.hpp"

#include "pattern.hpp"
#include "spelling.hpp"

namespace netcluster::config {

std::optional<std::string> patternProblem(const std::string& pattern) {
    const Pattern::Compiled compiled = Pattern::compile(pattern);
    if (compiled.pattern) return std::nullopt;
    // RE2 repeats the faulty part at the end of its message; `inQuotes` shows it, cut if it is
    // long.
    std::string why = compiled.error;
    const std::string repeated = ": " + compiled.faulty;
    if (compiled.faulty.empty() || !why.ends_with(repeated)) return "bad regular expression: " + why;
    why.resize(why.size() - repeated.size());
    return "bad regular expression: " + why + " in " + inQuotes(compiled.faulty);
}

}  // namespace netcluster::config
