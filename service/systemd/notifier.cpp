#include "notifier.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "environment.hpp"

namespace netcluster::service {
namespace {

constexpr timeval patience{5, 0};

}  // namespace

Notifier::Notifier() {
    const std::string_view name = variable("NOTIFY_SOCKET");
    const bool known = name.starts_with('/') || name.starts_with('@');
    if (!known || name.size() >= sizeof address_.sun_path) return;
    address_.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address_.sun_path);
    if (name.front() == '@') address_.sun_path[0] = '\0';
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ >= 0) setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Notifier::~Notifier() {
    if (socket_ >= 0) close(socket_);
}

void Notifier::tell(const std::string& lines) const {
    send(lines, 0);
}

bool Notifier::hint(const std::string& lines) const {
    return send(lines, MSG_DONTWAIT);
}

// An error has nobody to be told to: systemd finds out by what does not come.
bool Notifier::send(const std::string& lines, int flags) const {
    if (!connected()) return false;
    const auto* to = reinterpret_cast<const sockaddr*>(&address_);
    return ::sendto(socket_, lines.data(), lines.size(), flags | MSG_NOSIGNAL, to, size_) >= 0;
}

std::chrono::microseconds Notifier::watchdog() {
    const auto period = variableNumber("WATCHDOG_USEC");
    const bool ours = variable("WATCHDOG_PID").empty() ||
                      variableNumber("WATCHDOG_PID") == static_cast<unsigned long long>(getpid());
    if (!period || !ours) return {};
    return std::chrono::microseconds(*period);
}

}  // namespace netcluster::service
