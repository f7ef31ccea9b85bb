#include "notify_socket.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <sstream>

namespace netcluster::service {
namespace {

bool hasLine(const std::string& datagram, const std::string& line) {
    std::istringstream lines(datagram);
    for (std::string one; std::getline(lines, one);) {
        if (one == line) return true;
    }
    return false;
}

}  // namespace

NotifySocket::NotifySocket(const std::string& name)
    : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(name.size() < sizeof address.sun_path);
    std::copy(name.begin(), name.end(), address.sun_path);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) == 0);
}

NotifySocket::~NotifySocket() {
    close(descriptor_);
}

std::optional<std::string> NotifySocket::next(std::chrono::milliseconds patience) {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(patience.count())) != 1) return {};
    char buffer[4096];
    const ssize_t count = recv(descriptor_, buffer, sizeof buffer, 0);
    return std::string(buffer, count > 0 ? static_cast<std::size_t>(count) : 0);
}

std::string NotifySocket::await(const std::string& line) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
        const auto datagram = next();
        if (!datagram) break;
        if (hasLine(*datagram, line)) return *datagram;
    }
    return "";
}

void NotifySocket::drain() {
    while (next(std::chrono::milliseconds(0))) {
    }
}

std::string valueOf(const std::string& name, const std::string& datagram) {
    std::istringstream lines(datagram);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
    }
    return "";
}

}  // namespace netcluster::service
