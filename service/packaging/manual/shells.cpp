#include "shells.hpp"

#include <string_view>

namespace netcluster::manual {
namespace {

std::string words(const std::vector<std::string>& list) {
    std::string text;
    for (const auto& word : list) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::vector<std::string> spellings(const std::vector<Option>& options) {
    std::vector<std::string> names;
    for (const Option& option : options) {
        names.push_back(option.name);
        if (!option.brief.empty()) names.push_back(option.brief);
    }
    return names;
}

std::vector<Option> allOptions(const Program& program) {
    std::vector<Option> options = program.options;
    for (const Command& command : program.commands) {
        options.insert(options.end(), command.options.begin(), command.options.end());
    }
    return options;
}

/// In single quotes, for each of the three shells: all of them take '\'' for a quote within.
std::string quoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'')
            result += "'\\''";
        else
            result += c;
    }
    return result + "'";
}

// -- bash
// ------------------------------------------------------------------------------------------

/// What completion.bash understands: the words themselves, or the name of what stands there.
std::string bashKind(const std::string& name, const std::vector<std::string>& choices) {
    return quoted(choices.empty() ? name : "words " + words(choices));
}

std::string bashCase(const std::string& pattern, const std::string& output) {
    return "    " + pattern + ") echo " + output + " ;;\n";
}

std::string bashArguments(const std::string& command, const std::vector<Argument>& arguments) {
    std::string text;
    for (std::size_t place = 0; place < arguments.size(); ++place) {
        const Argument& argument = arguments[place];
        const std::string pattern =
            command + ":" + (argument.repeated ? "*" : std::to_string(place));
        text += bashCase(pattern, bashKind(argument.name, argument.choices));
    }
    return text;
}

// -- zsh
// -------------------------------------------------------------------------------------------

/// How _arguments finds words for it; a blank: it says what is wanted and offers nothing.
std::string zshAction(const std::string& name, const std::vector<std::string>& choices) {
    if (!choices.empty()) return "(" + words(choices) + ")";
    if (name == "DIR") return "_directories";
    if (name == "FILE" || name == "PATH") return "_files";
    if (name == "CHANNEL") return "_ncctl_channels";
    if (name == "UUID") return "_ncctl_clients";
    if (name == "NODE") return "_ncctl_nodes";
    if (name == "TARGET") return "_ncctl_targets";
    if (name == "COMMAND") return "_ncctl_commands";
    return " ";
}

/// A summary between the brackets of a specification.
std::string zshSummary(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':') result += '\\';
        result += c;
    }
    return result;
}

/// One word of zsh: '(-C --count)'{-C+,--count=}'[end after …]:COUNT: '
std::string zshOption(const Option& option) {
    const bool valued = !option.argument.empty();
    std::string rest = "[" + zshSummary(option.summary) + "]";
    if (valued) rest += ":" + option.argument + ":" + zshAction(option.argument, option.choices);
    const std::string name = option.name + (valued ? "=" : "");
    if (option.brief.empty()) return quoted(name + rest);
    const std::string brief = option.brief + (valued ? "+" : "");
    return quoted("(" + option.brief + " " + option.name + ")") + "{" + brief + "," + name + "}" +
           quoted(rest);
}

std::string zshArgument(const Argument& argument, std::size_t place) {
    const std::string where = argument.repeated   ? "*:"
                              : argument.optional ? std::to_string(place + 1) + "::"
                                                  : std::to_string(place + 1) + ":";
    // A colon in a name would end it.
    const std::string name = argument.choices.empty() ? argument.name : "word";
    return quoted(where + name + ":" + zshAction(argument.name, argument.choices));
}

std::string zshSpecifications(const std::vector<Option>& options,
                              const std::vector<Argument>& arguments, const std::string& indent) {
    std::string text;
    for (const Option& option : options) text += indent + zshOption(option) + "\n";
    for (std::size_t place = 0; place < arguments.size(); ++place) {
        text += indent + zshArgument(arguments[place], place) + "\n";
    }
    return text;
}

// -- fish
// ------------------------------------------------------------------------------------------

std::string fishAction(const std::string& name, const std::vector<std::string>& choices) {
    if (!choices.empty()) return " -xa " + quoted(words(choices));
    if (name == "DIR") return " -xa '(__fish_complete_directories)'";
    if (name == "FILE" || name == "PATH") return " -rF";
    if (name == "CHANNEL") return " -xa '(__ncctl_live \"showchannel \")'";
    if (name == "UUID") return " -xa '(__ncctl_live \"showclient \"(__ncctl_words)[-1]\" \")'";
    if (name == "NODE") return " -xa '(__ncctl_live \"node \")'";
    if (name == "TARGET") return " -xa '(__ncctl_live \"nodes \")'";
    if (name == "COMMAND") return " -xa '(__ncctl_live \"help \")'";
    return " -x";
}

std::string fishOption(const std::string& start, const Option& option) {
    std::string text = start + " -l " + option.name.substr(2);
    if (!option.brief.empty()) text += " -s " + option.brief.substr(1);
    if (!option.argument.empty()) text += fishAction(option.argument, option.choices);
    return text + " -d " + quoted(option.summary) + "\n";
}

/// Nothing for what has no words to offer.
std::string fishArgument(const std::string& start, const std::string& command, std::size_t place,
                         const Argument& argument) {
    const std::string action = fishAction(argument.name, argument.choices);
    if (action == " -x") return {};
    return start + " -n '__ncctl_at " + command + " " + std::to_string(place + 1) + "'" + action +
           "\n";
}

}  // namespace

Pieces bashPieces(const Program& program) {
    Pieces pieces{{"PROGRAM", program.name + "\n"},
                  {"COMMON", words(spellings(program.options)) + "\n"},
                  {"COMMANDS", ""},
                  {"VALUES", ""},
                  {"OPTIONS", ""},
                  {"ARGUMENTS", bashArguments("", program.arguments)}};
    for (const Option& option : allOptions(program)) {
        if (option.argument.empty()) continue;
        const std::string names =
            option.brief.empty() ? option.name : option.brief + " | " + option.name;
        pieces["VALUES"] += bashCase(names, bashKind(option.argument, option.choices));
    }
    for (const Command& command : program.commands) {
        pieces["COMMANDS"] += (pieces["COMMANDS"].empty() ? "" : " ") + command.name;
        pieces["ARGUMENTS"] += bashArguments(command.name, command.arguments);
        if (!command.options.empty()) {
            pieces["OPTIONS"] += bashCase(command.name, quoted(words(spellings(command.options))));
        }
    }
    return pieces;
}

Pieces zshPieces(const Program& program) {
    const std::string indent = "    ";
    Pieces pieces{{"COMMON", zshSpecifications(program.options, program.arguments, indent)}};
    if (program.commands.empty()) return pieces;
    for (const Command& command : program.commands) {
        pieces["COMMANDS"] +=
            indent + quoted(command.name + ":" + zshSummary(command.summary)) + "\n";
        pieces["ARGUMENTS"] += indent + command.name + ") of=(\n" +
                               zshSpecifications(command.options, command.arguments, "      ") +
                               "    ) ;;\n";
    }
    return pieces;
}

Pieces fishPieces(const Program& program) {
    const std::string start = "complete -c " + program.name;
    Pieces pieces{{"COMMON", ""}};
    for (const Option& option : program.options) pieces["COMMON"] += fishOption(start, option);
    if (program.commands.empty()) return pieces;
    std::vector<std::string> valued;
    for (const Option& option : allOptions(program)) {
        if (option.argument.empty()) continue;
        for (const auto& name : spellings({option})) valued.push_back(name);
    }
    pieces["VALUED"] = words(valued) + "\n";
    for (const Command& command : program.commands) {
        pieces["COMMANDS"] += start + " -n '__ncctl_at \"\" 0' -xa " + command.name + " -d " +
                              quoted(command.summary) + "\n";
        const std::string within = start + " -n '__ncctl_in " + command.name + "'";
        for (const Option& option : command.options) {
            pieces["OPTIONS"] += fishOption(within, option);
        }
        for (std::size_t place = 0; place < command.arguments.size(); ++place) {
            pieces["ARGUMENTS"] +=
                fishArgument(start, command.name, place, command.arguments[place]);
        }
    }
    return pieces;
}

}  // namespace netcluster::manual
