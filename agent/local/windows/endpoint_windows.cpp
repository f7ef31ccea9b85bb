#include <windows.h>

#include <cstdint>
#include <cstdio>

#include "endpoint.hpp"
#include "endpoint_system.hpp"
#include "security.hpp"
#include "wide.hpp"

namespace netcluster::local {
namespace {

const std::string pipePrefix = R"(\\.\pipe\netcluster)";

// The same for all ways of writing a directory's name: whole, with backslashes, in lower case.
std::string canonical(const std::string& directory) {
    const std::wstring given = wide(directory);
    std::wstring path(GetFullPathNameW(given.c_str(), 0, nullptr, nullptr), L'\0');
    path.resize(
        GetFullPathNameW(given.c_str(), static_cast<DWORD>(path.size()), path.data(), nullptr));
    while (path.size() > 3 && path.back() == L'\\') path.pop_back();
    std::wstring lower(path.size(), L'\0');
    LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_LOWERCASE, path.data(),
                  static_cast<int>(path.size()), lower.data(), static_cast<int>(lower.size()),
                  nullptr, nullptr, 0);
    return narrow(lower);
}

// 64-bit FNV-1a. Not secret: whoever may connect is the security descriptor's affair.
std::string fingerprint(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
    return digits;
}

}  // namespace

std::string chosenDirectory() {
    return environment(L"NETCLUSTER_DIR");
}

std::string systemDirectory() {
    const std::string data = environment(L"ProgramData");
    return (data.empty() ? R"(C:\ProgramData)" : data) + R"(\netcluster\run)";
}

std::string userDirectory() {
    return environment(L"LOCALAPPDATA") + R"(\netcluster\run)";
}

bool isSystem() {
    return servesMachine();
}

// "~" is in no channel's name, so the pipes of two daemons are never the same.
std::string endpointPath(const std::string& dir, std::string_view channel) {
    const std::string directory = canonical(dir);
    std::string daemon;
    if (directory != canonical(systemDirectory())) daemon = "~" + fingerprint(directory);
    return pipePrefix + daemon + "-" + std::string(channel);
}

std::string legacyPath(std::string_view channel) {
    return pipePrefix + "-" + std::string(channel);
}

}  // namespace netcluster::local
