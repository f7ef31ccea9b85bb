// What a service tells systemd: datagrams of `NAME=value` lines to $NOTIFY_SOCKET, as sd_notify(3)
// documents and promises to keep. docs/decisions/0011 says why not libsystemd. Any thread.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <string>

namespace netcluster::service {

class Notifier {
  public:
    /// Finds $NOTIFY_SOCKET, a path or (with `@`) an abstract name. Without it nothing is sent.
    Notifier();
    ~Notifier();
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;

    bool connected() const { return socket_ >= 0; }

    /// Waits for room, for systemd acts on it: at most 5 s, when systemd itself is in trouble.
    void tell(const std::string& lines) const;
    /// Never waits; false when there is no room for it, and it is lost.
    bool hint(const std::string& lines) const;

    /// How long systemd waits for `WATCHDOG=1` before it ends us; zero: it does not watch this
    /// process ($WATCHDOG_USEC, $WATCHDOG_PID).
    static std::chrono::microseconds watchdog();

  private:
    bool send(const std::string& lines, int flags) const;

    int socket_ = -1;
    sockaddr_un address_{};
    socklen_t size_ = 0;
};

}  // namespace netcluster::service
