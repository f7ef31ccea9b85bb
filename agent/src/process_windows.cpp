#include <windows.h>

#include "process.hpp"
#include "text.hpp"
#include "wide.hpp"

namespace netcluster {

std::string programName() {
    wchar_t path[MAX_PATH];
    const DWORD length = GetModuleFileNameW(nullptr, path, MAX_PATH);
    std::wstring_view file(path, length);
    file.remove_prefix(file.find_last_of(L"\\/") + 1);  // npos + 1 is 0
    if (const auto dot = file.rfind(L'.'); dot != std::wstring_view::npos)
        file = file.substr(0, dot);
    const std::string name = local::narrow(file);
    return !name.empty() && name.size() <= 255 && wire::validUtf8(name) ? name : "?";
}

long processId() {
    return static_cast<long>(GetCurrentProcessId());
}

}  // namespace netcluster
