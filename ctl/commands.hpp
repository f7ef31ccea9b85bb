// The table of commands: everything that ncctl can do, once. One-shot use, the prompt, help texts
// and completion are made from it. To add a command, add a row in commands.cpp.
//
// `arguments` is both what help shows and what is checked: words in capitals, `[…]` for those that
// may be left out, `…` at the end of one that may be repeated; small letters with `|` between them
// are the words themselves. Those, CHANNEL, UUID, NODE, TARGET and COMMAND are completed, also as
// the values of options.
#pragma once

#include <chrono>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "context.hpp"

namespace netcluster::ctl {

struct Option {
    std::string_view name;      ///< "--count"
    std::string_view brief;     ///< "-C", or empty
    std::string_view argument;  ///< "COUNT"; empty for a switch
    std::string_view summary;
    std::string_view choices{};  ///< "first|last": the words that its value may be; empty: any
    bool required = false;
};

/// A command line that fits its command's row.
struct Call {
    std::vector<std::string> arguments;
    std::map<std::string, std::string, std::less<>> options;  ///< by long name; switches are empty

    bool has(std::string_view option) const { return options.find(option) != options.end(); }
    const std::string& value(std::string_view option) const { return options.find(option)->second; }
};

struct Command {
    std::string_view name{};
    std::vector<std::string_view> aliases{};
    std::string_view arguments{};
    std::string_view summary{};  ///< one line, for lists
    std::string_view help{};     ///< whole sentences
    std::vector<Option> options{};
    Status (*run)(const Call&, Context&) = nullptr;
    bool promptOnly = false;
};

/// In the order of the help.
std::span<const Command> commands();
/// By name or alias; null when there is none.
const Command* findCommand(std::string_view name);

/// Runs one command line. `context` is a copy: --json and --timeout among the words hold for this
/// line only; `quit` tells that it was the last one. Throws nothing of netcluster's.
struct Ran {
    Status status = Status::done;
    bool quit = false;
};
Ran runWords(const std::vector<std::string>& words, Context context);

/// What --json, --dir and --timeout among the words change in `context`. Returns what is wrong with
/// them, or an empty text.
std::string applyOptions(const Call& call, Context& context);

}  // namespace netcluster::ctl
