// A Windows command line is one string, which each program takes apart itself; nearly all by the
// rules of CommandLineToArgvW. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace netcluster::service {

/// `word`, so that it is read as one word again. A path is quoted whatever it holds: an unquoted
/// `C:\Program Files\x.exe` would let `C:\Program.exe` be started in its place.
std::wstring quoted(std::wstring_view word);

/// The program and its arguments as one line.
std::wstring commandLine(const std::vector<std::wstring>& words);

}  // namespace netcluster::service
