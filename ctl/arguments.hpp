// Words -> a command and its arguments, by the table of commands. Pure. Any thread.
//
// Not CLI11, which the other programs use: it takes an argument of the form [a,b] apart, and here
// `[1,2]` is data and `[ab]` is a pattern.
//
// Options may stand anywhere before `--`: `--name`, `--name VALUE`, `--name=VALUE`, `-X VALUE`,
// `-XVALUE`, and Go's `-name VALUE` for a long name. A lone `-` and a negative number are
// arguments.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"

namespace netcluster::ctl {

/// Understood before and after every command.
std::span<const Option> commonOptions();

/// The option that `word` names, of the command (if it is known) or of all: "--count", "-C",
/// "-count", without a value. Null when there is none.
const Option* findOption(const Command* command, std::string_view word);

struct Parsed {
    const Command* command = nullptr;  ///< null when no command was given
    Call call;
    std::string error;  ///< what is wrong; `command` may be set even so
};

Parsed parseWords(const std::vector<std::string>& words);

/// How many arguments a command takes, read from its `arguments`.
struct Arity {
    std::size_t least = 0;
    std::optional<std::size_t> most;  ///< nullopt: any number

    bool operator==(const Arity&) const = default;
};
Arity arityOf(std::string_view arguments);

/// What parseSeconds takes, as the end of a sentence.
inline constexpr std::string_view secondsTaken = " above 0, and at most 31622400, a year";
/// Seconds as people write them ("2", "0.5"), more than 0 and at most a year, as milliseconds.
std::optional<std::chrono::milliseconds> parseSeconds(std::string_view text);
/// A whole number of at least 1.
std::optional<std::size_t> parseCount(std::string_view text);

}  // namespace netcluster::ctl
