// Local byte streams on Windows: named pipes. The POSIX half is another directory with the same
// header names, chosen by CMake; callers do not know which one they have.
//
// A Stream is used in reactor style: wait until it is readable or writable, then read or write
// what can be moved without blocking. So an idle connection owns no buffer (a daemon has
// thousands), and one shared buffer serves all reads. Not thread safe; the waits complete on the
// io_context. One thread may write while another reads.
#pragma once

#include <boost/asio/io_context.hpp>
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

class Pipe;

/// Who is at the other end, as the kernel knows it.
struct Peer {
    std::int64_t pid = 0;
    std::optional<std::uint32_t> uid;  ///< none: users have no such number on Windows
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
    using Ready = std::function<void(const boost::system::error_code&)>;

    explicit Stream(std::shared_ptr<Pipe> pipe);
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;

    /// `handler(const boost::system::error_code&)`, on the io_context. One wait of each kind at a
    /// time. `close` ends them with operation_aborted. While one for reading is under way, `read`
    /// says that it would block.
    void waitReadable(Ready handler);
    void waitWritable(Ready handler);

    IoResult read(std::span<char> into);
    /// The same: nothing comes beside the bytes here.
    IoResult read(std::span<char> into, Descriptor&) { return read(into); }
    /// Gathers, in order. At most 64 KiB are taken at once; what the pipe has no room for is kept
    /// until it has, and nothing more is taken before that.
    IoResult write(std::span<const std::string_view> pieces);

    /// Never called: see SharedCounter::supported.
    IoResult writeWith(std::string_view bytes, const Descriptor&) { return write({&bytes, 1}); }

    /// Bytes written here that the other end has not read yet, as far as can be known: good to see
    /// whether the other end reads.
    std::size_t unread();

    std::optional<Peer> peer() const;
    /// What `write` has taken is still given to the other end, if it reads it within 2 s of that.
    void close();
    bool isOpen() const;

  private:
    std::shared_ptr<Pipe> pipe_;  // shared with what the system still does for it
};

/// A stream, or why there is none ("\\.\pipe\netcluster-A: the system cannot find the file
/// specified"). While all instances of the pipe are taken it waits, for 250 ms at most.
struct Connected {
    std::optional<Stream> stream;
    std::string error;
};
Connected connectTo(boost::asio::io_context& io, const std::string& endpoint);

}  // namespace netcluster::local
