// Texts of scripts, made fit for people, logs and JSON. Pure.
#pragma once

#include <string>
#include <string_view>

namespace netcluster::lua {

bool isUtf8(std::string_view text);
/// What is not UTF-8 is replaced by U+FFFD.
std::string asUtf8(std::string_view text);
/// As UTF-8; what is beyond `most` bytes is left out, no half characters, and said by " …".
std::string shortened(std::string_view text, std::size_t most);
/// What a terminal or a reader of logs would take for something else (control characters) becomes
/// `?`.
std::string oneLine(std::string_view text);

}  // namespace netcluster::lua
