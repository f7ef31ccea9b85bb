// One end of a named pipe: what the system does for it, and what has to outlive that. Shared by the
// Stream (or Acceptor) that uses it and the operations under way. Any thread; handlers are called
// on the io_context, without locks held.
//
// Waiting for bytes is an overlapped read of one byte, kept until `read`: it costs an idle
// connection no buffer, and nothing here rests on what a read of no bytes does, which is not
// written down anywhere. A write is a copy handed to an overlapped WriteFile. Where the system does
// it at once, nothing is kept; else the copy is, and there is one at a time.
#pragma once

#include <windows.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/windows/overlapped_ptr.hpp>
#include <boost/asio/windows/stream_handle.hpp>
#include <chrono>
#include <memory>
#include <mutex>

#include "stream.hpp"

namespace netcluster::local {

class Pipes;

class Pipe final : public std::enable_shared_from_this<Pipe> {
  public:
    using Ready = Stream::Ready;

    enum class End { server, client };

    /// Takes the handle, which was opened for overlapped I/O, and closes it if it throws
    /// (boost::system::system_error).
    Pipe(boost::asio::io_context& io, HANDLE handle, End end);
    ~Pipe();
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    /// A server's end: waits for a client.
    void waitConnected(Ready handler);
    /// Kept for as long as this lives.
    void keep(std::shared_ptr<const void> what) { kept_ = std::move(what); }
    HANDLE handle() { return handle_.native_handle(); }

    // As in Stream
    void waitReadable(Ready handler);
    void waitWritable(Ready handler);
    IoResult read(std::span<char> into);
    IoResult write(std::span<const std::string_view> pieces);
    std::size_t unread();
    std::optional<Peer> peer();
    void close();
    bool isOpen();

    /// What one write takes. Reason: what the system is asked to hold for either end, so that a
    /// write waits only for bytes written before it.
    static constexpr std::size_t mostAtOnce = std::size_t{64} << 10;
    /// So long what a write has taken is offered to the other end, counted from then, even if this
    /// end is closed. Reason: as long as a daemon and an agent give their queues; so one that gives
    /// up a client which does not read has not to wait once more.
    static constexpr auto lingerTime = std::chrono::seconds(2);

  private:
    friend class Pipes;
    using Lock = std::lock_guard<std::mutex>;

    // pipe.cpp: its life
    void connected(const boost::system::error_code& error, const Ready& handler);
    void linger();
    void shut();
    void end();

    // pipe_io.cpp: bytes
    void readable(const boost::system::error_code& error, std::size_t count, const Ready& handler);
    IoResult writeOnce(std::unique_ptr<char[]> bytes, std::size_t count);
    void written(const boost::system::error_code& error);

    boost::asio::io_context& io_;
    Pipes& pipes_;
    const End end_;
    boost::asio::windows::stream_handle handle_;
    std::shared_ptr<const void> kept_;

    std::mutex mutex_;  // of all below
    bool open_ = true;
    // Operations under way; the io_context owns them.
    OVERLAPPED* waitingOn_ = nullptr;
    OVERLAPPED* writing_ = nullptr;
    bool waiting_ = false;  // for bytes, or for a client: until the handler is called
    bool hasFirst_ = false;
    char first_ = 0;  // the byte that ended a wait
    std::size_t writingBytes_ = 0;
    std::chrono::steady_clock::time_point writingSince_;
    DWORD writeError_ = 0;  // of a write that had been taken already
    Ready whenWritable_;
    std::unique_ptr<boost::asio::steady_timer> lingering_;
};

/// What an error of a pipe means to its user.
IoResult pipeFailure(DWORD code);

}  // namespace netcluster::local
