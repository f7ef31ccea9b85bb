#include "data_folder.hpp"

#include "win32.hpp"
// After windows.h.
#include <aclapi.h>
#include <sddl.h>

#include <cstdlib>

#include "access_windows.hpp"
#include "handle_windows.hpp"
#include "service_names.hpp"

namespace netcluster::service {
namespace {

// Owner: administrators. D:P protected: nothing of %ProgramData%'s own rights comes through.
// OICI: for what is made in it too. FA everything, SY Windows itself, BA administrators.
const std::wstring common = L"O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
constexpr const wchar_t* readAndEnter = L"0x1200a9";
constexpr const wchar_t* readAndChange = L"0x1301bf";

std::wstring rights(const wchar_t* ofService) {
    return common + L"(A;OICI;" + ofService + L";;;" + serviceSid + L")";
}

LocalMemory<void> descriptorOf(const std::wstring& text) {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1,
                                                              &descriptor, nullptr)) {
        throw SystemError("the rights " + narrow(text) + " cannot be read", GetLastError());
    }
    return LocalMemory<void>(descriptor);
}

bool isOurUser(PSID sid) {
    HANDLE token = nullptr;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    alignas(TOKEN_USER) BYTE memory[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    DWORD size = 0;
    const bool known = GetTokenInformation(token, TokenUser, memory, sizeof memory, &size);
    CloseHandle(token);
    return known && EqualSid(sid, reinterpret_cast<TOKEN_USER*>(memory)->User.Sid);
}

// Of the folder itself: a junction that somebody has put in its place leads to another, which must
// not get our rights. Its owner and its rights are asked and set by this handle alone.
config::Handle openFolder(const std::wstring& folder) {
    return config::Handle(
        CreateFileW(folder.c_str(), READ_CONTROL | WRITE_DAC | WRITE_OWNER | FILE_READ_ATTRIBUTES,
                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING,
                    FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, nullptr));
}

void requireFolder(const std::wstring& folder, HANDLE opened) {
    BY_HANDLE_FILE_INFORMATION about{};
    if (!GetFileInformationByHandle(opened, &about)) {
        throw SystemError(narrow(folder), GetLastError());
    }
    if ((about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ||
        (about.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
        throw Error(narrow(folder) + ": is no folder, or one that leads elsewhere; remove it");
    }
}

void requireTrustedOwner(const std::wstring& folder, HANDLE opened) {
    PSID owner = nullptr;
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    const DWORD error = GetSecurityInfo(opened, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner,
                                        nullptr, nullptr, nullptr, &descriptor);
    const LocalMemory<void> memory(descriptor);
    if (error != ERROR_SUCCESS) throw SystemError(narrow(folder), error);
    if (IsWellKnownSid(owner, WinBuiltinAdministratorsSid) ||
        IsWellKnownSid(owner, WinLocalSystemSid) || isOurUser(owner)) {
        return;
    }
    throw Error(narrow(folder) +
                ": the folder belongs to somebody who is no administrator, and so may what is in "
                "it; look at it, then remove it or take it over (takeown /a /r /f FOLDER)");
}

void give(const std::wstring& folder, HANDLE opened, SECURITY_DESCRIPTOR* descriptor) {
    BOOL present = FALSE;
    BOOL defaulted = FALSE;
    PACL list = nullptr;
    PSID owner = nullptr;
    GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted);
    GetSecurityDescriptorOwner(descriptor, &owner, &defaulted);
    const DWORD error = SetSecurityInfo(opened, SE_FILE_OBJECT,
                                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION |
                                            PROTECTED_DACL_SECURITY_INFORMATION,
                                        owner, nullptr, list, nullptr);
    if (error != ERROR_SUCCESS) throw SystemError(narrow(folder) + ": its rights", error);
}

void makeFolder(const std::wstring& folder, const std::wstring& rights) {
    const auto descriptor = descriptorOf(rights);
    SECURITY_ATTRIBUTES attributes{sizeof attributes, descriptor.get(), FALSE};
    if (CreateDirectoryW(folder.c_str(), &attributes)) return;
    if (const DWORD error = GetLastError(); error != ERROR_ALREADY_EXISTS) {
        throw SystemError(narrow(folder) + " cannot be made", error);
    }
    const config::Handle opened = openFolder(folder);
    if (!opened) throw SystemError(narrow(folder) + " cannot be taken hold of", GetLastError());
    requireFolder(folder, opened.get());
    requireTrustedOwner(folder, opened.get());
    give(folder, opened.get(), static_cast<SECURITY_DESCRIPTOR*>(descriptor.get()));
}

}  // namespace

std::wstring dataFolder() {
    const wchar_t* all = _wgetenv(L"ProgramData");
    return std::wstring(all && *all ? all : L"C:\\ProgramData") + L"\\netcluster";
}

std::wstring dataConfig() {
    return dataFolder() + L"\\config.json";
}

std::wstring folderRights() {
    return rights(readAndEnter);
}

std::wstring writableFolderRights() {
    return rights(readAndChange);
}

std::wstring runFolderRights() {
    // Of the folder alone: who may open the lock's file in it could hold it, and no daemon would
    // start.
    return rights(readAndChange) + L"(A;;" + readAndEnter + L";;;BU)";
}

void requireTrustedFile(const std::wstring& file) {
    const config::Handle opened(
        CreateFileW(file.c_str(), READ_CONTROL | FILE_READ_ATTRIBUTES,
                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING,
                    FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    if (!opened) {
        const DWORD error = GetLastError();
        if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return;
        throw SystemError(narrow(file) + " cannot be opened", error);
    }
    const std::string owner = config::foreignOwner(opened.get());
    if (owner.empty()) return;
    throw Error(narrow(file) + ": belongs to " + owner +
                ", who is no administrator; look at it, then remove it or take it over (takeown /a "
                "/f FILE)");
}

void makeDataFolder() {
    makeFolder(dataFolder(), folderRights());
    makeFolder(dataFolder() + L"\\log", writableFolderRights());
    makeFolder(dataFolder() + L"\\keys", writableFolderRights());
    makeFolder(dataFolder() + L"\\run", runFolderRights());
}

}  // namespace netcluster::service
