// The system's texts are UTF-16, ours UTF-8. Pure but for the environment. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace netcluster::local {

/// What is not UTF-8 becomes U+FFFD.
std::wstring wide(std::string_view text);
std::string narrow(std::wstring_view text);

/// In words, as the system puts it.
std::string systemMessage(unsigned long code);

/// Empty when it is not set.
std::string environment(const wchar_t* name);

}  // namespace netcluster::local
