// RunDirectory and LegacyLink: what a daemon owns in the file system beside its endpoints.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <netcluster/error.hpp>

#include "acceptor.hpp"

namespace netcluster::local {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Error(path + ": " + why);
}

// Every directory that is missing, the innermost with `mode`.
void makeDirectories(const std::string& path, mode_t mode) {
    std::error_code error;
    const auto parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    if (error) refuse(parent.string(), "cannot be made: " + error.message());
    if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
        refuse(path, std::string("cannot be made: ") + std::strerror(errno));
    }
}

// Whoever can write here could put a socket of his own in our place.
void checkOwner(const std::string& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) refuse(path, std::strerror(errno));
    if (!S_ISDIR(status.st_mode)) refuse(path, "is not a directory");
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        refuse(path, "belongs to another user (uid " + std::to_string(status.st_uid) + ")");
    }
    if (status.st_mode & (S_IWGRP | S_IWOTH)) {
        refuse(path, "others may write to it (chmod go-w " + path + ")");
    }
}

std::string lockHolder(int lock) {
    char text[32] = {};
    const ssize_t count = pread(lock, text, sizeof text - 1, 0);
    std::string pid(text, count > 0 ? static_cast<std::size_t>(count) : 0);
    while (!pid.empty() && pid.back() == '\n') pid.pop_back();
    return pid.empty() ? "unknown" : pid;
}

int takeLock(const std::string& directory) {
    const std::string path = directory + "/.lock";
    const int lock = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) refuse(path, std::strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        const std::string holder = lockHolder(lock);
        close(lock);
        refuse(directory, "another ncserver runs here (pid " + holder + ")");
    }
    const std::string pid = std::to_string(getpid()) + "\n";
    if (ftruncate(lock, 0) != 0 ||
        pwrite(lock, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        const std::string why = std::strerror(errno);
        close(lock);
        refuse(path, why);
    }
    return lock;
}

std::string linkTarget(const std::string& path) {
    std::error_code error;
    return std::filesystem::read_symlink(path, error).string();
}

}  // namespace

RunDirectory::RunDirectory(std::string path) : path_(std::move(path)) {
    makeDirectories(path_, geteuid() == 0 ? 0755 : 0700);
    checkOwner(path_);
    lock_ = takeLock(path_);
}

RunDirectory::~RunDirectory() {
    // The file stays: removing it could hand one lock to two daemons that start at this moment.
    close(lock_);
}

LegacyLink::LegacyLink(std::string path, std::string endpoint, bool systemDaemon)
    : path_(std::move(path)), endpoint_(std::move(endpoint)) {
    std::error_code error;
    const bool isLink = std::filesystem::is_symlink(path_, error);
    const bool dangling = isLink && !std::filesystem::exists(path_, error);
    if (isLink && (dangling || systemDaemon || linkTarget(path_) == endpoint_)) {
        unlink(path_.c_str());
    }
    held_ = symlink(endpoint_.c_str(), path_.c_str()) == 0;
}

LegacyLink::~LegacyLink() {
    if (held_ && linkTarget(path_) == endpoint_) unlink(path_.c_str());
}

}  // namespace netcluster::local
