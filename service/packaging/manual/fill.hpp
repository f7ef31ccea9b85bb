// Templates: what people write, with lines `@NAME@` where the tables go. Pure.
#pragma once

#include <map>
#include <string>

namespace netcluster::manual {

/// By name, without the `@`. A piece ends with a newline, or is empty.
using Pieces = std::map<std::string, std::string>;

/// `text` with each line `@NAME@` replaced by that piece and each `@NAME@` within a line by the
/// piece without its newline. Throws std::runtime_error when there is no such piece, or when a
/// piece is not used: something of the tables would be missing.
std::string filled(const std::string& text, const Pieces& pieces);

}  // namespace netcluster::manual
