#include <windows.h>

#include <netcluster/error.hpp>

#include "access_windows.hpp"
#include "handle_windows.hpp"
#include "read_file.hpp"

namespace netcluster::config {
namespace {

FileText refused(std::string why) {
    return {std::nullopt, std::move(why), false};
}

FileText refusedBySystem(const std::string& what) {
    return refused(what + ": " + systemMessage(::GetLastError()));
}

// What it is instead of a regular file; "" when it is one. The folder's handle says DISK as well.
std::string otherKind(HANDLE file) {
    switch (::GetFileType(file)) {
        case FILE_TYPE_DISK:
            break;
        case FILE_TYPE_PIPE:
            return "is a named pipe, not a regular file";
        default:
            return "is a device, not a regular file";
    }
    BY_HANDLE_FILE_INFORMATION about{};
    const bool known = ::GetFileInformationByHandle(file, &about);
    if (known && (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)) {
        return "is a directory, not a file";
    }
    return {};
}

FileText readAll(HANDLE file, std::size_t most) {
    std::string text;
    char chunk[16384];
    for (;;) {
        DWORD count = 0;
        if (!::ReadFile(file, chunk, sizeof chunk, &count, nullptr)) {
            return refusedBySystem("cannot be read");
        }
        if (count == 0) return {std::move(text), {}, false};
        text.append(chunk, count);
        if (text.size() > most) {
            return refused("is larger than " + std::to_string(most >> 20) + " MiB");
        }
    }
}

// What cannot be found out is no reason to refuse or to warn.
bool openToAll(HANDLE file) {
    try {
        return everybodyMayWrite(file);
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

// A pipe that is opened gets to know nothing of who we are.
FileText readFile(const std::filesystem::path& path, std::size_t most) {
    const Handle file(::CreateFileW(
        path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
        OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS,
        nullptr));
    if (!file) return refusedBySystem("cannot be opened");
    if (auto kind = otherKind(file.get()); !kind.empty()) return refused(std::move(kind));
    FileText read = readAll(file.get(), most);
    read.openToAll = read.text && openToAll(file.get());
    return read;
}

}  // namespace netcluster::config
