#include "secret_file.hpp"

#include <windows.h>

#include <filesystem>
#include <netcluster/error.hpp>
#include <random>

#include "access_windows.hpp"
#include "handle_windows.hpp"
#include "path_text.hpp"

namespace netcluster::config {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Error(path + ": " + why);
}

[[noreturn]] void refuseBySystem(const std::string& path, const std::string& what, DWORD error) {
    refuse(path, what + ": " + systemMessage(error));
}

// What the access list's questions throw does not know the file's name.
template <typename Ask>
auto of(const std::string& path, Ask ask) {
    try {
        return ask();
    } catch (const Error& error) {
        refuse(path, error.what());
    }
}

void checkPrivate(const std::string& path, HANDLE file) {
    const std::string owner = of(path, [&] { return foreignOwner(file); });
    if (!owner.empty()) {
        refuse(path, "belongs to " + owner +
                         ", not to the administrators, the system or the user who runs this; as an "
                         "administrator: takeown /a /f \"" +
                         path + "\"");
    }
    const std::string others = of(path, [&] { return othersWithAccess(file); });
    if (!others.empty()) {
        refuse(path, "others may read or write it (" + others +
                         "); only administrators, the system and the daemon may: icacls \"" + path +
                         "\" /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F *" +
                         textOfPath(daemonIdentity) + ":F");
    }
}

// One buffer of one byte more than the file has: a text that grew would leave pieces behind.
std::string readAll(const std::string& path, HANDLE file, std::size_t size) {
    std::string text(size + 1, '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        DWORD count = 0;
        if (!::ReadFile(file, text.data() + have, static_cast<DWORD>(text.size() - have), &count,
                        nullptr)) {
            refuseBySystem(path, "cannot be read", ::GetLastError());
        }
        if (count == 0) break;
        have += count;
    }
    if (have > size) refuse(path, "changes while it is read");
    text.resize(have);
    return text;
}

bool writeAll(HANDLE file, std::string_view text) {
    while (!text.empty()) {
        DWORD count = 0;
        if (!::WriteFile(file, text.data(), static_cast<DWORD>(text.size()), &count, nullptr)) {
            return false;
        }
        text.remove_prefix(count);
    }
    return ::FlushFileBuffers(file);
}

// Where the path leads to in the end, if that is there.
fs::path linkedFile(const fs::path& path) {
    const Handle file(::CreateFileW(path.c_str(), FILE_READ_ATTRIBUTES,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    if (!file) return path;
    std::wstring name(32768, L'\0');  // the longest that the system has
    const DWORD size = ::GetFinalPathNameByHandleW(
        file.get(), name.data(), static_cast<DWORD>(name.size()), FILE_NAME_NORMALIZED);
    if (size == 0 || size >= name.size()) return path;
    name.resize(size);
    return name;
}

// A name beside the file that nobody has guessed and taken; one that is taken is refused.
fs::path nameBeside(const fs::path& path) {
    std::random_device random;
    return path.wstring() + L"." + std::to_wstring(random());
}

// Writes, and takes away again what was written in part.
void writeNew(const std::string& path, const fs::path& real, std::string_view text,
              const char* whyNotMade, const char* whyNotWritten) {
    Handle file(of(path, [&] { return createPrivateFile(real.c_str()); }));
    if (!file) refuseBySystem(path, whyNotMade, ::GetLastError());
    if (writeAll(file.get(), text)) return;
    const DWORD error = ::GetLastError();
    file.close();
    ::DeleteFileW(real.c_str());
    refuseBySystem(path, whyNotWritten, error);
}

}  // namespace

// A pipe that is opened gets to know nothing of who we are; a device is not looked at for long.
std::string readSecretFile(const std::string& path, std::size_t most) {
    const Handle file(::CreateFileW(
        pathFromText(path).c_str(), GENERIC_READ | READ_CONTROL,
        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING,
        FILE_FLAG_BACKUP_SEMANTICS | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, nullptr));
    if (!file) refuseBySystem(path, "cannot be opened", ::GetLastError());
    BY_HANDLE_FILE_INFORMATION about{};
    if (::GetFileType(file.get()) != FILE_TYPE_DISK ||
        !::GetFileInformationByHandle(file.get(), &about) ||
        (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)) {
        refuse(path, "is no regular file");
    }
    checkPrivate(path, file.get());
    if (about.nFileSizeHigh != 0 || about.nFileSizeLow > most) {
        refuse(path, "is larger than " + std::to_string(most >> 10) + " KiB");
    }
    return readAll(path, file.get(), about.nFileSizeLow);
}

void replaceSecretFile(const std::string& path, std::string_view text) {
    const fs::path target = linkedFile(pathFromText(path));
    const fs::path fresh = nameBeside(target);
    writeNew(path, fresh, text, "cannot be replaced", "cannot be replaced");
    // Either name is in place after a power cut: the system writes its journal through.
    if (!::MoveFileExW(fresh.c_str(), target.c_str(),
                       MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        const DWORD error = ::GetLastError();
        ::DeleteFileW(fresh.c_str());
        refuseBySystem(path, "cannot be replaced", error);
    }
}

void createSecretFile(const std::string& path, std::string_view text) {
    writeNew(path, pathFromText(path), text, "cannot be made", "cannot be written");
}

}  // namespace netcluster::config
