#include "completion.hpp"

#include <algorithm>
#include <utility>

#include "arguments.hpp"
#include "call_form.hpp"
#include "commands.hpp"

namespace netcluster::ctl {
namespace {

constexpr std::string_view separators = " \t(),'\"";

struct Typed {
    std::vector<std::string> before;  ///< whole words before the one at the cursor
    std::string partial;
    char opening = ' ';  ///< the separator in front of `partial`
};

Typed typedWords(std::string_view line) {
    Typed typed;
    for (const char c : line) {
        if (separators.find(c) == std::string_view::npos) {
            typed.partial += c;
            continue;
        }
        if (!typed.partial.empty()) typed.before.push_back(std::exchange(typed.partial, {}));
        typed.opening = c;
    }
    return typed;
}

/// "UUID" of "CHANNEL UUID" for index 1; the last one again when it may be repeated.
std::string argumentName(std::string_view arguments, std::size_t index) {
    std::string name;
    for (std::size_t i = 0; i <= index && !arguments.empty(); ++i) {
        name = arguments.substr(0, arguments.find(' '));
        arguments.remove_prefix(std::min(name.size() + 1, arguments.size()));
        if (i < index && arguments.empty()) return {};
    }
    std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
    return name;
}

/// "list|add" is a choice of words; other names stand for something.
bool isChoice(std::string_view name) {
    const auto fixed = [](char c) { return (c >= 'a' && c <= 'z') || c == '|'; };
    return std::all_of(name.begin(), name.end(), fixed);
}

std::vector<std::string> wordsIn(std::string_view choice) {
    std::vector<std::string> words;
    while (!choice.empty()) {
        words.emplace_back(choice.substr(0, choice.find('|')));
        choice.remove_prefix(std::min(words.back().size() + 1, choice.size()));
    }
    return words;
}

std::vector<std::string> commandNames() {
    std::vector<std::string> names;
    for (const auto& command : commands()) names.emplace_back(command.name);
    return names;
}

std::vector<std::string> optionNames(const Command& command) {
    std::vector<std::string> names{"--help", "--json", "--timeout"};
    for (const auto& option : command.options) names.emplace_back(option.name);
    return names;
}

/// What stands for something by its name.
std::vector<std::string> live(std::string_view name, const std::string& before,
                              const LiveNames& names) {
    if (name == "COMMAND") return commandNames();
    if (name == "CHANNEL") return names.channels();
    if (name == "UUID") return names.clients(before);
    if (name == "NODE") return names.nodes();
    if (name == "TARGET") return names.targets();
    return {};
}

/// The whole words without options and their values.
struct Place {
    const Command* command = nullptr;
    std::vector<std::string> arguments;
    const Option* wants = nullptr;  ///< whose value comes next
};

Place placeOf(const std::vector<std::string>& words) {
    Place place;
    for (const auto& word : words) {
        if (place.wants != nullptr) {
            place.wants = nullptr;
        } else if (word.starts_with('-') && word.size() > 1) {
            const auto* option = findOption(place.command, word);
            if (option != nullptr && !option->argument.empty()) place.wants = option;
        } else if (place.command == nullptr) {
            place.command = findCommand(word);
            if (place.command == nullptr) break;
        } else {
            place.arguments.push_back(word);
        }
    }
    return place;
}

std::vector<std::string> valuesOf(const Option& option, const LiveNames& names) {
    return option.choices.empty() ? live(option.argument, {}, names) : wordsIn(option.choices);
}

std::vector<std::string> allCandidates(const Typed& typed, const LiveNames& names) {
    if (typed.before.empty()) return commandNames();
    const auto place = placeOf(typed.before);
    if (place.command == nullptr) return {};
    if (place.wants != nullptr) return valuesOf(*place.wants, names);
    if (typed.partial.starts_with('-')) return optionNames(*place.command);
    const auto name = argumentName(place.command->arguments, place.arguments.size());
    if (isChoice(name)) return wordsIn(name);
    return live(name, place.arguments.empty() ? std::string() : place.arguments.back(), names);
}

}  // namespace

Completion complete(std::string_view line, const LiveNames& names) {
    const auto typed = typedWords(line);
    Completion completion{typed.partial, allCandidates(typed, names), " "};
    std::erase_if(completion.candidates,
                  [&](const std::string& word) { return !word.starts_with(typed.partial); });
    std::sort(completion.candidates.begin(), completion.candidates.end());
    if (typed.opening == '"' || typed.opening == '\'')
        completion.closing = typed.opening;
    else if (isCallForm(line))
        completion.closing.clear();
    return completion;
}

std::string commonBeginning(const std::vector<std::string>& words) {
    if (words.empty()) return {};
    std::string beginning = words.front();
    for (const auto& word : words) {
        const auto [end, other] =
            std::mismatch(beginning.begin(), beginning.end(), word.begin(), word.end());
        beginning.erase(end, beginning.end());
    }
    return beginning;
}

}  // namespace netcluster::ctl
