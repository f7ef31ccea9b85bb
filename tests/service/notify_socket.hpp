// systemd's end of $NOTIFY_SOCKET, played by a test.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace netcluster::service {

class NotifySocket {
  public:
    /// Bound at `name`: a path, or an abstract name that begins with `@`.
    explicit NotifySocket(const std::string& name);
    ~NotifySocket();
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    /// The next datagram, if there is one in this time.
    std::optional<std::string> next(std::chrono::milliseconds patience = std::chrono::seconds(20));
    /// The next one with a line `line` in it, leaving out those before it; "" when none comes.
    std::string await(const std::string& line);
    /// Lets go of all that has arrived.
    void drain();

  private:
    int descriptor_ = -1;
};

/// The value of the line `NAME=…` of a datagram; "" when there is none.
std::string valueOf(const std::string& name, const std::string& datagram);

}  // namespace netcluster::service
