// RunDirectory: what a daemon owns in the file system.
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <filesystem>
#include <netcluster/error.hpp>

#include "acceptor.hpp"
#include "endpoint.hpp"
#include "endpoint_system.hpp"
#include "security.hpp"
#include "wide.hpp"

namespace netcluster::local {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Error(path + ": " + why);
}

// A service's directory may be looked into, a user's is his own. What is in it is closed to others:
// who may open the lock's file could hold it, and no daemon would start.
std::string rightsOfDirectory() {
    const std::string everything = "(A;OICI;GA;;;";
    const std::string own =
        "D:P" + everything + "SY)" + everything + "BA)" + everything + ownAccount() + ")";
    return servesMachine() ? own + "(A;;GRGX;;;BU)" : own;
}

// Every directory that is missing, each with the rights of ours: who could write to one above could
// put another in our place.
void makeDirectories(const std::string& path) {
    std::error_code error;
    const auto parent = std::filesystem::path(wide(path)).parent_path();
    if (!parent.empty() && parent != parent.root_path() &&
        !std::filesystem::exists(parent, error)) {
        makeDirectories(narrow(parent.native()));
    }
    SECURITY_ATTRIBUTES attributes{sizeof attributes, nullptr, FALSE};
    ConvertStringSecurityDescriptorToSecurityDescriptorW(wide(rightsOfDirectory()).c_str(),
                                                         SDDL_REVISION_1,
                                                         &attributes.lpSecurityDescriptor, nullptr);
    const bool made = CreateDirectoryW(wide(path).c_str(), &attributes);
    const DWORD code = made ? ERROR_SUCCESS : GetLastError();
    LocalFree(attributes.lpSecurityDescriptor);
    if (!made && code != ERROR_ALREADY_EXISTS) {
        refuse(path, "cannot be made: " + systemMessage(code));
    }
}

std::string ownerOf(const std::string& path) {
    PSID owner = nullptr;
    void* descriptor = nullptr;
    const DWORD code =
        GetNamedSecurityInfoW(wide(path).data(), SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner,
                              nullptr, nullptr, nullptr, &descriptor);
    if (code != ERROR_SUCCESS) refuse(path, systemMessage(code));
    wchar_t* text = nullptr;
    std::string result;
    if (ConvertSidToStringSidW(owner, &text)) result = narrow(text);
    LocalFree(text);
    LocalFree(descriptor);
    return result;
}

// Whoever owns the directory decides which daemon may run.
void checkOwner(const std::string& path) {
    const DWORD attributes = GetFileAttributesW(wide(path).c_str());
    if (attributes == INVALID_FILE_ATTRIBUTES) refuse(path, systemMessage(GetLastError()));
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ||
        (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
        refuse(path, "is not a directory");
    }
    const std::string owner = ownerOf(path);
    if (!isTrustedOwner(owner, ownAccount()))
        refuse(path, "belongs to another user (" + owner + ")");
}

// Every user may make folders beside the one that the system's run directory is in. Who names
// another run directory has chosen what it is in.
void checkParent(const std::string& path) {
    using Path = std::filesystem::path;
    const Path parent = Path(wide(path)).lexically_normal().parent_path();
    if (parent == Path(wide(systemDirectory())).parent_path()) checkOwner(narrow(parent.native()));
}

std::string lockHolder(const std::wstring& path) {
    const HANDLE file = CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                    nullptr, OPEN_EXISTING, 0, nullptr);
    if (file == INVALID_HANDLE_VALUE) return "unknown";
    char text[32];
    DWORD count = 0;
    if (!ReadFile(file, text, sizeof text, &count, nullptr)) count = 0;
    CloseHandle(file);
    std::string pid(text, count);
    while (!pid.empty() && (pid.back() == '\n' || pid.back() == '\r')) pid.pop_back();
    return pid.empty() ? "unknown" : pid;
}

// Nobody else may write to the file while it is open: that is the lock.
HANDLE takeLock(const std::string& directory) {
    const std::wstring path = wide(directory + "\\.lock");
    const HANDLE lock =
        CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, nullptr,
                    OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    if (lock == INVALID_HANDLE_VALUE) {
        const DWORD code = GetLastError();
        if (code != ERROR_SHARING_VIOLATION) refuse(narrow(path), systemMessage(code));
        refuse(directory, "another ncserver runs here (pid " + lockHolder(path) + ")");
    }
    const std::string pid = std::to_string(GetCurrentProcessId()) + "\n";
    DWORD count = 0;
    if (!SetEndOfFile(lock) ||
        !WriteFile(lock, pid.data(), static_cast<DWORD>(pid.size()), &count, nullptr)) {
        const DWORD code = GetLastError();
        CloseHandle(lock);
        refuse(narrow(path), systemMessage(code));
    }
    return lock;
}

}  // namespace

RunDirectory::RunDirectory(std::string path) : path_(std::move(path)) {
    makeDirectories(path_);
    checkParent(path_);
    checkOwner(path_);
    lock_ = takeLock(path_);
}

RunDirectory::~RunDirectory() {
    // The file stays, as it does on POSIX.
    CloseHandle(lock_);
}

}  // namespace netcluster::local
