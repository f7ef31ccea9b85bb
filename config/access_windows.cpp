#include "access_windows.hpp"

#include <aclapi.h>
#include <sddl.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <netcluster/error.hpp>
#include <vector>

#include "handle_windows.hpp"
#include "path_text.hpp"

namespace netcluster::config {
namespace {

struct LocalFreed {
    void operator()(void* memory) const { ::LocalFree(memory); }
};
template <typename Type>
using Local = std::unique_ptr<Type, LocalFreed>;

[[noreturn]] void fail(const char* what, DWORD error) {
    throw Error(std::string(what) + ": " + systemMessage(error));
}

std::string narrow(const std::wstring& text) {
    return textOfPath(text);
}

// -- who we are

std::vector<char> tokenInformation(TOKEN_INFORMATION_CLASS what) {
    HANDLE opened = nullptr;
    if (!::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &opened)) {
        fail("the system does not say who runs this", ::GetLastError());
    }
    const Handle token(opened);
    DWORD size = 0;
    ::GetTokenInformation(token.get(), what, nullptr, 0, &size);
    std::vector<char> bytes(size);
    if (!::GetTokenInformation(token.get(), what, bytes.data(), size, &size)) {
        fail("the system does not say who runs this", ::GetLastError());
    }
    return bytes;
}

// Each service may have an identity of its own (S-1-5-80-…), a group of its process.
bool isService(PSID sid) {
    constexpr SID_IDENTIFIER_AUTHORITY authority = SECURITY_NT_AUTHORITY;
    const SID_IDENTIFIER_AUTHORITY* const its = ::GetSidIdentifierAuthority(sid);
    return std::equal(std::begin(its->Value), std::end(its->Value), std::begin(authority.Value)) &&
           *::GetSidSubAuthorityCount(sid) > 1 &&
           *::GetSidSubAuthority(sid, 0) == SECURITY_SERVICE_ID_BASE_RID;
}

class Ourselves {
  public:
    bool includes(PSID sid) const {
        if (::EqualSid(sid, user())) return true;
        const auto* groups = reinterpret_cast<const TOKEN_GROUPS*>(groups_.data());
        const auto* const end = groups->Groups + groups->GroupCount;
        return isService(sid) && std::any_of(groups->Groups, end, [&](const auto& group) {
                   return (group.Attributes & SE_GROUP_ENABLED) && ::EqualSid(group.Sid, sid);
               });
    }
    PSID user() const { return reinterpret_cast<const TOKEN_USER*>(user_.data())->User.Sid; }

  private:
    std::vector<char> user_ = tokenInformation(TokenUser);
    std::vector<char> groups_ = tokenInformation(TokenGroups);
};

std::wstring sidText(PSID sid) {
    wchar_t* text = nullptr;
    if (!::ConvertSidToStringSidW(sid, &text)) fail("an identity has no text", ::GetLastError());
    const Local<wchar_t> owner(text);
    return text;
}

bool isDaemon(PSID sid) {
    return isService(sid) && sidText(sid) == daemonIdentity;
}

// The host's own: whoever these are, the host is theirs.
bool isHosts(PSID sid) {
    return ::IsWellKnownSid(sid, WinLocalSystemSid) ||
           ::IsWellKnownSid(sid, WinBuiltinAdministratorsSid) || isDaemon(sid);
}

bool isTrusted(PSID sid, const Ourselves& us) {
    // "Owner rights" are those of the owner, who is looked at by himself.
    return isHosts(sid) || ::IsWellKnownSid(sid, WinCreatorOwnerRightsSid) || us.includes(sid);
}

bool isEverybody(PSID sid) {
    return ::IsWellKnownSid(sid, WinWorldSid) || ::IsWellKnownSid(sid, WinBuiltinUsersSid) ||
           ::IsWellKnownSid(sid, WinAuthenticatedUserSid) ||
           ::IsWellKnownSid(sid, WinInteractiveSid);
}

// "BUILTIN\Users", or the identity's number where nobody knows its name.
std::string nameOf(PSID sid) {
    wchar_t name[256];
    wchar_t domain[256];
    DWORD nameSize = 256;
    DWORD domainSize = 256;
    SID_NAME_USE use{};
    if (!::LookupAccountSidW(nullptr, sid, name, &nameSize, domain, &domainSize, &use)) {
        return narrow(sidText(sid));
    }
    return domainSize == 0 ? narrow(name) : narrow(std::wstring(domain) + L'\\' + name);
}

// -- what the file says

struct Access {
    Local<void> descriptor;
    PSID owner = nullptr;
    PACL list = nullptr;  ///< none: everything for everybody
};

Access accessOf(HANDLE file) {
    Access access;
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    const DWORD error = ::GetSecurityInfo(
        file, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &access.owner,
        nullptr, &access.list, nullptr, &descriptor);
    if (error != ERROR_SUCCESS) fail("its access list cannot be read", error);
    access.descriptor.reset(descriptor);
    return access;
}

constexpr ACCESS_MASK writing = FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE | WRITE_DAC |
                                WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;
constexpr ACCESS_MASK reading = FILE_READ_DATA | GENERIC_READ;

// Calls for each identity that an entry lets have any of `rights`. What denies is not counted: who
// is let in here and refused there is a question we do not have to answer.
template <typename Visit>
void forEachAllowed(PACL list, ACCESS_MASK rights, Visit visit) {
    for (DWORD i = 0; i < list->AceCount; ++i) {
        void* entry = nullptr;
        if (!::GetAce(list, i, &entry)) continue;
        const auto* const header = static_cast<const ACE_HEADER*>(entry);
        if (header->AceFlags & INHERIT_ONLY_ACE) continue;
        // Those with a condition begin alike; the others are of kinds that files do not have.
        if (header->AceType != ACCESS_ALLOWED_ACE_TYPE &&
            header->AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE) {
            continue;
        }
        auto* const allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
        if (allowed->Mask & rights) visit(static_cast<PSID>(&allowed->SidStart));
    }
}

}  // namespace

std::string othersWithAccess(HANDLE file) {
    const Access access = accessOf(file);
    if (!access.list) return "everybody";
    const Ourselves us;
    std::vector<std::string> others;
    forEachAllowed(access.list, reading | writing, [&](PSID sid) {
        if (isTrusted(sid, us)) return;
        std::string name = nameOf(sid);
        if (std::find(others.begin(), others.end(), name) == others.end()) {
            others.push_back(std::move(name));
        }
    });
    std::string text;
    for (const std::string& name : others) text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::string foreignOwner(HANDLE file) {
    const Access access = accessOf(file);
    if (!access.owner) return "nobody";
    return isTrusted(access.owner, Ourselves()) ? "" : nameOf(access.owner);
}

bool everybodyMayWrite(HANDLE file) {
    const Access access = accessOf(file);
    bool may = !access.list;
    if (!may) {
        forEachAllowed(access.list, writing, [&](PSID sid) { may = may || isEverybody(sid); });
    }
    return may;
}

// What we make belongs to the owner in our token: an administrator with his rights up makes files
// of all administrators, and so not of a user whom the daemon would refuse.
std::wstring privateAccess() {
    const auto everythingFor = [](const std::wstring& who) { return L"(A;;FA;;;" + who + L")"; };
    std::wstring list =
        L"D:P" + everythingFor(L"SY") + everythingFor(L"BA") + everythingFor(daemonIdentity);
    const std::vector<char> token = tokenInformation(TokenOwner);
    const PSID owner = reinterpret_cast<const TOKEN_OWNER*>(token.data())->Owner;
    if (!isHosts(owner)) list += everythingFor(sidText(owner));
    return list;
}

HANDLE createPrivateFile(const wchar_t* path) {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    if (!::ConvertStringSecurityDescriptorToSecurityDescriptorW(
            privateAccess().c_str(), SDDL_REVISION_1, &descriptor, nullptr)) {
        fail("its access list cannot be made", ::GetLastError());
    }
    const Local<void> owner(descriptor);
    SECURITY_ATTRIBUTES attributes{sizeof attributes, descriptor, FALSE};
    return ::CreateFileW(path, GENERIC_WRITE, 0, &attributes, CREATE_NEW, FILE_ATTRIBUTE_NORMAL,
                         nullptr);
}

std::string systemMessage(DWORD error) {
    wchar_t* text = nullptr;
    const DWORD size = ::FormatMessageW(
        FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
        nullptr, error, 0, reinterpret_cast<wchar_t*>(&text), 0, nullptr);
    if (size == 0) return "error " + std::to_string(error);
    const Local<wchar_t> owner(text);
    std::wstring message(text, size);
    message.erase(message.find_last_not_of(L"\r\n. ") + 1);
    return narrow(message);
}

}  // namespace netcluster::config
