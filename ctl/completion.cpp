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
std::vector<std::string> choices(std::string_view name) {
    const auto fixed = [](char c) { return (c >= 'a' && c <= 'z') || c == '|'; };
    if (!std::all_of(name.begin(), name.end(), fixed)) return {};
    std::vector<std::string> words;
    while (!name.empty()) {
        words.emplace_back(name.substr(0, name.find('|')));
        name.remove_prefix(std::min(words.back().size() + 1, name.size()));
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

std::vector<std::string> allCandidates(const Typed& typed, const LiveNames& names) {
    if (typed.before.empty()) return commandNames();
    const auto* command = findCommand(typed.before.front());
    if (command == nullptr) return {};
    if (typed.partial.starts_with('-')) return optionNames(*command);
    const auto name = argumentName(command->arguments, typed.before.size() - 1);
    if (name == "COMMAND") return commandNames();
    if (name == "CHANNEL") return names.channels();
    if (name == "UUID") return names.clients(typed.before.back());
    if (name == "NODE") return names.nodes();
    if (name == "TARGET") return names.targets();
    return choices(name);
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
