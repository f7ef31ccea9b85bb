#include "win32.hpp"

namespace netcluster::service {

std::string errorText(unsigned long code) {
    return local::systemMessage(code) + " (" + std::to_string(code) + ")";
}

std::wstring programPath() {
    std::wstring path(MAX_PATH, L'\0');
    for (;;) {
        const DWORD length =
            GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
        if (length < path.size()) {
            path.resize(length);
            return path;
        }
        path.resize(path.size() * 2);  // it was cut
    }
}

}  // namespace netcluster::service
