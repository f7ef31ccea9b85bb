#include "secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <netcluster/error.hpp>
#include <system_error>

#include "descriptor_posix.hpp"

namespace netcluster::config {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Error(path + ": " + why);
}

[[noreturn]] void refuseBySystem(const std::string& path, const std::string& what) {
    refuse(path, what + ": " + std::error_code(errno, std::generic_category()).message());
}

std::string octal(mode_t mode) {
    char text[8];
    std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
    return text;
}

void checkPrivate(const std::string& path, const struct stat& status) {
    if (!S_ISREG(status.st_mode)) refuse(path, "is no regular file");
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        refuse(path, "belongs to user " + std::to_string(status.st_uid) +
                         ", not to root or to the user who runs this");
    }
    if ((status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
        refuse(path,
               "others may read or write it (mode " + octal(status.st_mode) + "); it must be 0600");
    }
}

// One buffer of one byte more than the file has: a text that grew would leave pieces behind.
std::string readAll(const std::string& path, int descriptor, std::size_t size) {
    std::string text(size + 1, '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        const auto count = ::read(descriptor, text.data() + have, text.size() - have);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) refuseBySystem(path, "cannot be read");
        if (count == 0) break;
        have += static_cast<std::size_t>(count);
    }
    if (have > size) refuse(path, "changes while it is read");
    text.resize(have);
    return text;
}

bool writeAll(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto count = ::write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return ::fsync(descriptor) == 0;
}

// So that the new name is on disk now. Where the directory cannot be synced it gets there later:
// nothing to refuse the change for, which is done.
void syncDirectory(const std::string& path) {
    const fs::path directory = fs::path(path).parent_path();
    const Descriptor open(
        ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (open.number() >= 0) ::fsync(open.number());
}

}  // namespace

// Looks before it opens, since opening a device can set it to work, and again at what it opened.
std::string readSecretFile(const std::string& path, std::size_t most) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) refuseBySystem(path, "cannot be opened");
    checkPrivate(path, status);
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (file.number() < 0) refuseBySystem(path, "cannot be opened");
    if (::fstat(file.number(), &status) != 0) refuseBySystem(path, "cannot be read");
    checkPrivate(path, status);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > most) refuse(path, "is larger than " + std::to_string(most >> 10) + " KiB");
    return readAll(path, file.number(), size);
}

void replaceSecretFile(const std::string& path, std::string_view text) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    const std::string target = error ? path : real.string();
    std::string fresh = target + ".XXXXXX";
    const Descriptor file(::mkostemp(fresh.data(), O_CLOEXEC));  // mode 0600
    if (file.number() < 0) refuseBySystem(path, "cannot be replaced");
    if (!writeAll(file.number(), text) || ::rename(fresh.c_str(), target.c_str()) != 0) {
        const int why = errno;
        ::unlink(fresh.c_str());
        errno = why;
        refuseBySystem(path, "cannot be replaced");
    }
    syncDirectory(target);
}

void createSecretFile(const std::string& path, std::string_view text) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.number() < 0) refuseBySystem(path, "cannot be made");
    if (!writeAll(file.number(), text)) {
        const int why = errno;
        ::unlink(path.c_str());
        errno = why;
        refuseBySystem(path, "cannot be written");
    }
    syncDirectory(path);
}

}  // namespace netcluster::config
