#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "descriptor_posix.hpp"
#include "read_file.hpp"

namespace netcluster::config {
namespace {

FileText refused(std::string why) {
    return {std::nullopt, std::move(why), false};
}

FileText refusedBySystem(const std::string& what) {
    return refused(what + ": " + std::error_code(errno, std::generic_category()).message());
}

// What it is instead of a regular file; "" when it is one.
std::string otherKind(mode_t mode) {
    if (S_ISREG(mode)) return {};
    if (S_ISDIR(mode)) return "is a directory, not a file";
    if (S_ISFIFO(mode)) return "is a named pipe, not a regular file";
    if (S_ISSOCK(mode)) return "is a socket, not a regular file";
    return "is a device, not a regular file";
}

FileText readAll(int descriptor, std::size_t most) {
    std::string text;
    std::array<char, 16384> chunk;
    for (;;) {
        const auto count = ::read(descriptor, chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return refusedBySystem("cannot be read");
        if (count == 0) return {std::move(text), {}, false};
        text.append(chunk.data(), static_cast<std::size_t>(count));
        if (text.size() > most) {
            return refused("is larger than " + std::to_string(most >> 20) + " MiB");
        }
    }
}

}  // namespace

// Looks before it opens, since opening a device can set it to work, and again at what it opened.
FileText readFile(const std::filesystem::path& path, std::size_t most) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return refusedBySystem("cannot be opened");
    if (auto kind = otherKind(status.st_mode); !kind.empty()) return refused(std::move(kind));

    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (file.number() < 0) return refusedBySystem("cannot be opened");
    if (::fstat(file.number(), &status) != 0) return refusedBySystem("cannot be read");
    if (auto kind = otherKind(status.st_mode); !kind.empty()) return refused(std::move(kind));

    FileText read = readAll(file.number(), most);
    read.openToAll = read.text && (status.st_mode & S_IWOTH) != 0;
    return read;
}

}  // namespace netcluster::config
