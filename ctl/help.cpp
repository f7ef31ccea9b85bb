#include "help.hpp"

#include <algorithm>

#include "arguments.hpp"
#include "table.hpp"

namespace netcluster::ctl {
namespace {

constexpr std::size_t textWidth = 78;

/// Breaks at blanks.
std::string wrapped(std::string_view text) {
    std::string result;
    std::size_t column = 0;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        if (column > 0 && column + 1 + word.size() > textWidth) {
            result += '\n';
            column = 0;
        }
        if (column > 0) result += ' ';
        result += word;
        column += word.size() + (column > 0 ? 1 : 0);
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return result + '\n';
}

std::string optionUsage(const Option& option) {
    std::string text(option.brief.empty() ? option.name : option.brief);
    if (!option.argument.empty()) text += ' ' + std::string(option.argument);
    return text;
}

std::string optionsText(std::span<const Option> options) {
    std::vector<Field> fields;
    for (const auto& option : options) {
        std::string name(option.brief);
        if (!name.empty()) name += ", ";
        name += option.name;
        if (!option.argument.empty()) name += ' ' + std::string(option.argument);
        fields.emplace_back(name, option.summary);
    }
    return fieldsText(fields, "  ");
}

}  // namespace

std::string usageLine(const Command& command) {
    std::string text(command.name);
    for (const auto& option : command.options) {
        if (option.required) text += ' ' + optionUsage(option);
    }
    if (command.options.size() > 3) {  // they would not fit in a line
        text += " [OPTION…]";
    } else {
        for (const auto& option : command.options) {
            if (!option.required) text += " [" + optionUsage(option) + ']';
        }
    }
    if (!command.arguments.empty()) text += ' ' + std::string(command.arguments);
    return text;
}

std::string helpText(const Command& command) {
    auto text = usageLine(command) + "\n\n" + wrapped(command.help);
    if (!command.aliases.empty()) {
        text += "\nalso:";
        for (const auto alias : command.aliases) text += ' ' + std::string(alias);
        text += '\n';
    }
    if (!command.options.empty()) text += '\n' + optionsText(command.options);
    return text;
}

std::string helpText(bool atPrompt) {
    std::vector<Field> fields;
    for (const auto& command : commands()) {
        if (command.promptOnly && !atPrompt) continue;
        std::string name(command.name);
        if (!command.arguments.empty()) name += ' ' + std::string(command.arguments);
        fields.emplace_back(name, command.summary);
    }
    const auto list = fieldsText(fields, "  ");
    if (atPrompt) return list + "\nhelp COMMAND explains one. showchannel(\"A\") works too.\n";
    return "ncctl [OPTION…] COMMAND …   run one command\n"
           "ncctl [OPTION…]             a prompt; commands from stdin when it is no terminal\n\n"
           "Operates netcluster's daemon, ncserver.\n\ncommands\n" +
           list + "\noptions\n" + optionsText(commonOptions()) +
           "\nncctl help COMMAND explains one.\n\n"
           "exit status: 0 done, 1 failed, 2 usage, 124 deadline passed\n";
}

}  // namespace netcluster::ctl
