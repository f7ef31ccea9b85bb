// Tables as the lists of a manual page, in the man macros that both groff and mandoc read. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "program.hpp"

namespace netcluster::manual {

/// Text that stands for itself, wherever in a line; with `…` spelled out and hyphens that can be
/// copied.
std::string roffText(std::string_view text);
std::string bold(std::string_view text);
std::string italic(std::string_view text);

/// One tagged paragraph: `tag` is roff already, `text` is not.
std::string entry(const std::string& tag, std::string_view text);

std::string optionsRoff(std::span<const Option> options);
std::string commandsRoff(std::span<const Command> commands);

}  // namespace netcluster::manual
