#include "handed_over.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <netcluster/error.hpp>

namespace netcluster::local {
namespace {

struct Entry {
    Descriptor socket;
    bool used = false;
};

struct Table {
    std::mutex mutex;
    std::map<std::string, Entry> byPath;
};

Table& table() {
    static Table one;
    return one;
}

int option(int descriptor, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// Empty for what has no path: no Unix socket, an abstract or no name.
std::string pathOf(int descriptor) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        address.sun_family != AF_UNIX || size <= offsetof(sockaddr_un, sun_path)) {
        return {};
    }
    return {address.sun_path, strnlen(address.sun_path, size - offsetof(sockaddr_un, sun_path))};
}

}  // namespace

void adopt(int descriptor, const std::string& name) {
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
        throw Error("the socket handed over as \"" + name + "\" (descriptor " +
                    std::to_string(descriptor) + ") is not open");
    }
    Descriptor socket(descriptor);
    std::string path = pathOf(descriptor);
    if (path.empty() || option(descriptor, SO_TYPE) != SOCK_STREAM ||
        option(descriptor, SO_ACCEPTCONN) != 1) {
        throw Error("the socket handed over as \"" + name + "\" (descriptor " +
                    std::to_string(descriptor) +
                    ") is not a Unix stream socket that listens at a path (ListenStream=/…)");
    }
    const std::lock_guard lock(table().mutex);
    if (!table().byPath.try_emplace(path, Entry{std::move(socket)}).second) {
        throw Error(path + ": was handed over twice");
    }
}

Descriptor handedOver(const std::string& endpoint) {
    const std::lock_guard lock(table().mutex);
    const auto found = table().byPath.find(endpoint);
    if (found == table().byPath.end()) return {};
    Descriptor copy(fcntl(found->second.socket.number(), F_DUPFD_CLOEXEC, 0));
    if (!copy) throw Error(endpoint + ": " + std::strerror(errno));
    found->second.used = true;
    return copy;
}

std::vector<std::string> unusedHandedOver() {
    const std::lock_guard lock(table().mutex);
    std::vector<std::string> paths;
    for (const auto& [path, entry] : table().byPath) {
        if (!entry.used) paths.push_back(path);
    }
    return paths;
}

}  // namespace netcluster::local
