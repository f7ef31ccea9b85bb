// Stream sockets of the Unix domain, and epoll.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace netcluster::bench {

[[noreturn]] inline void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// Owns a descriptor.
class Descriptor {
  public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    int get() const { return number_; }

  private:
    int number_;
};

/// A new socket, and `call` (connect or bind) made on it with the address of `path`.
template <typename Call>
Descriptor unixSocket(const std::string& path, Call call) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
    path.copy(address.sun_path, path.size());
    Descriptor made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (made.get() < 0) fail("socket");
    if (call(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        fail(path);
    }
    return made;
}

inline Descriptor unixConnect(const std::string& path) {
    return unixSocket(path, connect);
}

inline Descriptor unixListen(const std::string& path) {
    Descriptor made = unixSocket(path, bind);
    if (listen(made.get(), 4096) < 0) fail("listen");
    return made;
}

/// Waits for room where the socket does not. False when the other side is gone.
inline bool writeAll(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            pollfd room{descriptor, POLLOUT, 0};
            if (poll(&room, 1, 10'000) <= 0) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

class Epoll {
  public:
    Epoll() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {
        if (descriptor_.get() < 0) fail("epoll_create1");
    }
    void add(int descriptor, void* tag) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = tag;
        if (epoll_ctl(descriptor_.get(), EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
    }
    void remove(int descriptor) {
        epoll_ctl(descriptor_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
    }
    /// Calls `ready(tag)` for each descriptor that is.
    template <typename Ready>
    void wait(int milliseconds, Ready ready) {
        epoll_event events[64];
        const int count = epoll_wait(descriptor_.get(), events, 64, milliseconds);
        for (int i = 0; i < count; ++i) ready(events[i].data.ptr);
    }

  private:
    Descriptor descriptor_;
};

}  // namespace netcluster::bench
