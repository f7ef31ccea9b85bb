#include <algorithm>
#include <sstream>

#include "arguments.hpp"
#include "commands.hpp"
#include "help.hpp"
#include "program.hpp"

namespace netcluster::manual {
namespace {

std::vector<std::string> wordsIn(const std::string& choice) {
    std::vector<std::string> words;
    std::istringstream text(choice);
    for (std::string word; std::getline(text, word, '|');) words.push_back(word);
    return words;
}

std::vector<Option> optionsOf(std::span<const ctl::Option> rows) {
    std::vector<Option> options;
    for (const auto& row : rows) {
        options.push_back({.name = std::string(row.name),
                           .brief = std::string(row.brief),
                           .argument = std::string(row.argument),
                           .summary = std::string(row.summary),
                           .choices = wordsIn(std::string(row.choices))});
    }
    return options;
}

/// Small letters with `|` between them are the words themselves (ctl/commands.hpp).
std::vector<std::string> choicesIn(const std::string& name) {
    if (name.find('|') == std::string::npos || std::islower(name.front()) == 0) return {};
    return wordsIn(name);
}

std::vector<Argument> argumentsOf(std::string_view text) {
    std::vector<Argument> arguments;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
        Argument argument;
        argument.optional = word.front() == '[';
        std::erase_if(word, [](char c) { return c == '[' || c == ']'; });
        if (const auto dots = word.find("…"); dots != std::string::npos) {
            argument.repeated = true;
            word.erase(dots);
        }
        argument.name = word;
        argument.choices = choicesIn(word);
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

Command commandOf(const ctl::Command& row) {
    return {.name = std::string(row.name),
            .aliases = {row.aliases.begin(), row.aliases.end()},
            .arguments = argumentsOf(row.arguments),
            .usage = ctl::usageLine(row),
            .summary = std::string(row.summary),
            .help = std::string(row.help),
            .options = optionsOf(row.options)};
}

}  // namespace

Program ncctl() {
    Program program{.name = "ncctl",
                    .summary = "operates netcluster's daemon, ncserver",
                    .options = optionsOf(ctl::commonOptions())};
    for (const auto& row : ctl::commands()) {
        if (!row.promptOnly) program.commands.push_back(commandOf(row));
    }
    return program;
}

}  // namespace netcluster::manual
