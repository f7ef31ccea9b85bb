#include "roff.hpp"

namespace netcluster::manual {
namespace {

std::string optionTag(const Option& option) {
    std::string tag = option.brief.empty() ? "" : bold(option.brief) + ", ";
    tag += bold(option.name);
    if (!option.argument.empty()) tag += " " + italic(option.argument);
    return tag;
}

std::string optionText(const Option& option) {
    std::string text = option.summary;
    for (std::size_t i = 0; i < option.choices.size(); ++i) {
        text += i == 0 ? ": " : i + 1 < option.choices.size() ? ", " : " or ";
        text += option.choices[i];
    }
    return text;
}

/// Names in bold, what stands for something in italics: "listen [-C COUNT] CHANNEL".
std::string usageTag(const Command& command) {
    std::string tag = bold(command.name);
    for (const Option& option : command.options) {
        tag += " [" + bold(option.brief.empty() ? option.name : option.brief);
        if (!option.argument.empty()) tag += " " + italic(option.argument);
        tag += "]";
    }
    for (const Argument& argument : command.arguments) {
        const std::string name =
            argument.choices.empty() ? italic(argument.name) : bold(argument.name);
        const std::string whole = name + (argument.repeated ? " ..." : "");
        tag += argument.optional ? " [" + whole + "]" : " " + whole;
    }
    return tag;
}

}  // namespace

std::string roffText(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        constexpr std::string_view dots = "…";
        if (text.substr(i).starts_with(dots)) {
            result += "...";
            i += dots.size() - 1;
        } else if (text[i] == '\\') {
            result += "\\e";
        } else if (text[i] == '-') {
            result += "\\-";
        } else if (text[i] == '\'') {
            result += "\\(aq";
        } else if (text[i] == '^') {
            result += "\\(ha";
        } else if (text[i] == '`') {
            result += "\\(ga";
        } else if (text[i] == '~') {
            result += "\\(ti";
        } else {
            if (i == 0 && text[i] == '.') result += "\\&";
            result += text[i];
        }
    }
    return result;
}

std::string bold(std::string_view text) {
    return "\\fB" + roffText(text) + "\\fR";
}

std::string italic(std::string_view text) {
    return "\\fI" + roffText(text) + "\\fR";
}

std::string entry(const std::string& tag, std::string_view text) {
    return ".TP\n" + tag + "\n" + roffText(text) + "\n";
}

std::string optionsRoff(std::span<const Option> options) {
    std::string text;
    for (const Option& option : options) text += entry(optionTag(option), optionText(option));
    return text;
}

std::string commandsRoff(std::span<const Command> commands) {
    std::string text;
    for (const Command& command : commands) {
        text += entry(usageTag(command), command.help);
        if (!command.aliases.empty()) {
            text += ".br\nAlso:";
            for (const auto& alias : command.aliases) text += " " + bold(alias);
            text += "\n";
        }
        if (!command.options.empty()) text += ".RS\n" + optionsRoff(command.options) + ".RE\n";
    }
    return text;
}

}  // namespace netcluster::manual
