#include "cli_program.hpp"

#include <algorithm>

namespace netcluster::manual {
namespace {

/// CLI11 calls the type of a checked value "LEVEL:{trace,debug}".
std::vector<std::string> choicesIn(const std::string& type) {
    std::vector<std::string> choices;
    const auto begin = type.find(":{");
    if (begin == std::string::npos) return choices;
    for (std::size_t from = begin + 2, to = from; to < type.size(); from = to + 1) {
        to = std::min(type.find_first_of(",}", from), type.size());
        choices.push_back(type.substr(from, to - from));
        if (to < type.size() && type[to] == '}') break;
    }
    return choices;
}

Option optionOf(const CLI::Option& option) {
    const bool isSwitch = option.get_items_expected_max() == 0;
    const std::string type = option.get_type_name();
    return {.name = "--" + option.get_lnames().front(),
            .brief = option.get_snames().empty() ? "" : "-" + option.get_snames().front(),
            .argument = isSwitch ? "" : type.substr(0, type.find(':')),
            .summary = option.get_description(),
            .choices = isSwitch ? std::vector<std::string>{} : choicesIn(type)};
}

}  // namespace

Program programOf(const CLI::App& app) {
    Program program{.name = app.get_name(), .summary = app.get_description()};
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) {
            program.arguments.push_back({.name = "FILE", .optional = true});
        } else {
            program.options.push_back(optionOf(*option));
        }
    }
    return program;
}

}  // namespace netcluster::manual
