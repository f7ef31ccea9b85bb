// Local byte streams on POSIX: Unix sockets. The Windows half is another directory with the same
// header names, chosen by CMake; callers do not know which one they have.
//
// A Stream is used in reactor style: wait until it is readable or writable, then read or write
// what can be moved without blocking. So an idle connection owns no buffer (a daemon has
// thousands), and one shared buffer serves all reads. Not thread safe; the waits complete on the
// io_context. One thread may write while another reads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "shared_counter.hpp"

namespace netcluster::local {

/// Who is at the other end, as the kernel knows it.
struct Peer {
    std::int64_t pid = 0;
    std::optional<std::uint32_t> uid;  ///< none where users have no such number
    std::optional<std::uint32_t> gid;
    bool operator==(const Peer&) const = default;
};

enum class Io {
    done,        ///< `count` bytes were moved
    wouldBlock,  ///< nothing can be moved now: wait
    closed,      ///< the other end is gone
    failed,      ///< IoResult::reason says why
};
struct IoResult {
    Io outcome = Io::done;
    std::size_t count = 0;
    int code = 0;  ///< the system's number for what went wrong

    std::string reason() const;
};

class Stream {
  public:
    using Socket = boost::asio::local::stream_protocol::socket;

    explicit Stream(Socket socket);
    Stream(Stream&&) = default;
    Stream& operator=(Stream&&) = default;

    /// `handler(const boost::system::error_code&)`, on the io_context. One wait of each kind at a
    /// time. `close` ends them with operation_aborted.
    template <typename Handler>
    void waitReadable(Handler&& handler) {
        socket_.async_wait(Socket::wait_read, std::forward<Handler>(handler));
    }
    template <typename Handler>
    void waitWritable(Handler&& handler) {
        socket_.async_wait(Socket::wait_write, std::forward<Handler>(handler));
    }

    IoResult read(std::span<char> into);
    /// The same, and keeps a descriptor that came with the bytes (`read` lets it go).
    IoResult read(std::span<char> into, Descriptor& with);
    /// Gathers: one system call, in order. At most 1024 pieces are looked at.
    IoResult write(std::span<const std::string_view> pieces);

    /// As `write`, with a descriptor of this process that the other end gets a copy of.
    IoResult writeWith(std::string_view bytes, const Descriptor& descriptor);

    /// Bytes written here that the other end has not read yet, as the kernel counts them (with its
    /// own overhead): good to see whether the other end reads.
    std::size_t unread();

    std::optional<Peer> peer() const;
    void close();
    bool isOpen() const { return socket_.is_open(); }

  private:
    Socket socket_;
};

/// A stream, or why there is none ("/run/netcluster/A.sock: no such file or directory").
struct Connected {
    std::optional<Stream> stream;
    std::string error;
};
Connected connectTo(boost::asio::io_context& io, const std::string& endpoint);

}  // namespace netcluster::local
