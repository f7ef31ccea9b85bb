// A bus whose links are all served by one epoll loop, and the link of those among them that speak
// over a stream socket of their own.
#pragma once

#include <algorithm>
#include <iostream>

#include "bus.hpp"
#include "unix_socket.hpp"

namespace netcluster::bench {

/// A link that epoll says something about.
class ReadableLink : public Link {
  public:
    virtual void readable() = 0;
};

class StreamLink;

/// What is read into. One for all links of a bus: ten thousand idle ones need none, and what is
/// read by many is read where the cache is warm.
struct ReadBuffer {
    std::string bytes;
    std::size_t filled = 0;
    StreamLink* user = nullptr;  // whose bytes they are
};

class EpollBus : public Bus {
  public:
    void poll(int milliseconds) final {
        epoll_.wait(milliseconds, [](void* link) { static_cast<ReadableLink*>(link)->readable(); });
    }
    void serve(int descriptor, ReadableLink& link) { epoll_.add(descriptor, &link); }
    void leave(int descriptor) { epoll_.remove(descriptor); }
    ReadBuffer& buffer() { return buffer_; }

  private:
    Epoll epoll_;
    ReadBuffer buffer_;
};

/// Writes when 64 KiB are gathered or when told to, and reads 256 KiB at a time.
class StreamLink : public ReadableLink {
  public:
    StreamLink(EpollBus& bus, const std::string& path) : bus_(bus), socket_(unixConnect(path)) {
        bus_.serve(socket_.get(), *this);
    }
    ~StreamLink() override {
        if (bus_.buffer().user == this) bus_.buffer().user = nullptr;
    }
    StreamLink(const StreamLink&) = delete;
    StreamLink& operator=(const StreamLink&) = delete;

    void flush() final {
        if (!writeAll(socket_.get(), pending_)) fail("write");
        pending_.clear();
    }

    void readable() final {
        if (!readSome()) {
            std::cerr << "the connection has ended" << std::endl;
            bus_.leave(socket_.get());
        }
    }

  protected:
    /// Takes what is whole at the beginning of `bytes`; returns how much that was.
    virtual std::size_t consume(std::string_view bytes) = 0;

    /// What is published is appended to this.
    std::string& pending() { return pending_; }
    void flushWhenMuch() {
        if (pending_.size() >= writeSize) flush();
    }
    /// Reads until `done()`, outside of the loop.
    template <typename Done>
    void readUntil(Done done) {
        while (!done()) {
            if (!readSome()) throw std::runtime_error("the connection has ended");
        }
    }

  private:
    static constexpr std::size_t writeSize = std::size_t{64} << 10;
    static constexpr std::size_t readSize = std::size_t{256} << 10;

    bool readSome() {
        ReadBuffer& buffer = bus_.buffer();
        if (buffer.user != this) take(buffer);
        buffer.bytes.resize(std::max(buffer.bytes.size(), buffer.filled + readSize));
        const ssize_t count = recv(socket_.get(), buffer.bytes.data() + buffer.filled, readSize, 0);
        if (count <= 0) return false;
        buffer.filled += static_cast<std::size_t>(count);
        const std::size_t consumed = consume({buffer.bytes.data(), buffer.filled});
        buffer.filled -= consumed;
        std::memmove(buffer.bytes.data(), buffer.bytes.data() + consumed, buffer.filled);
        return true;
    }
    /// From another link, which keeps what it has not consumed.
    void take(ReadBuffer& buffer) {
        if (buffer.user) buffer.user->rest_.assign(buffer.bytes, 0, buffer.filled);
        buffer.bytes.resize(std::max(buffer.bytes.size(), rest_.size()));
        rest_.copy(buffer.bytes.data(), rest_.size());
        buffer.filled = rest_.size();
        buffer.user = this;
    }

    EpollBus& bus_;
    Descriptor socket_;
    std::string pending_;
    std::string rest_;  // what was read and not consumed, while another link uses the buffer
};

}  // namespace netcluster::bench
