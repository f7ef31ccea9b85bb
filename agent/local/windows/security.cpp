#include "security.hpp"

#include <windows.h>

#include <sddl.h>

#include <cstddef>
#include <vector>

#include "wide.hpp"

namespace netcluster::local {
namespace {

std::string textOf(PSID identifier) {
    wchar_t* text = nullptr;
    if (!ConvertSidToStringSidW(identifier, &text)) return {};
    std::string result = narrow(text);
    LocalFree(text);
    return result;
}

// What the process's token says; empty when it does not.
std::vector<std::byte> ofToken(TOKEN_INFORMATION_CLASS what) {
    HANDLE token = nullptr;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return {};
    DWORD size = 0;
    GetTokenInformation(token, what, nullptr, 0, &size);
    std::vector<std::byte> bytes(size);
    const bool known = GetTokenInformation(token, what, bytes.data(), size, &size);
    CloseHandle(token);
    if (!known) bytes.clear();
    return bytes;
}

// LocalSystem, LocalService, NetworkService, and the accounts that services have of their own.
bool isServiceAccount(const std::string& account) {
    return account == "S-1-5-18" || account == "S-1-5-19" || account == "S-1-5-20" ||
           account.starts_with("S-1-5-80-");
}

}  // namespace

std::string ownAccount() {
    const auto bytes = ofToken(TokenUser);
    if (bytes.empty()) return {};
    return textOf(reinterpret_cast<const TOKEN_USER*>(bytes.data())->User.Sid);
}

std::string accountNamed(const std::string& name) {
    const std::wstring wideName = wide(name);
    alignas(SID) std::byte identifier[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof identifier;
    wchar_t domain[256];
    DWORD domainSize = 256;
    SID_NAME_USE use{};
    const bool found =
        LookupAccountNameW(nullptr, wideName.c_str(), identifier, &size, domain, &domainSize, &use);
    return found && use != SidTypeDomain ? textOf(identifier) : "";
}

bool servesMachine() {
    const auto bytes = ofToken(TokenElevation);
    const bool elevated =
        !bytes.empty() &&
        reinterpret_cast<const TOKEN_ELEVATION*>(bytes.data())->TokenIsElevated != 0;
    return elevated || isServiceAccount(ownAccount());
}

bool isTrustedOwner(const std::string& owner, const std::string& self) {
    return !owner.empty() && (owner == self || owner == "S-1-5-18" || owner == "S-1-5-32-544");
}

std::string descriptorText(std::uint32_t mode, const std::string& owner, const std::string& group) {
    std::string text = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + owner + ")";
    if ((mode & 0020) != 0 && !group.empty()) text += "(A;;GRGW;;;" + group + ")";
    if ((mode & 0002) != 0) text += "(A;;GRGW;;;AU)";
    return text;
}

}  // namespace netcluster::local
