#include "pipe.hpp"

#include <boost/asio/post.hpp>
#include <set>
#include <thread>

#include "wide.hpp"

namespace netcluster::local {

// -- all pipes of an io_context ----------------------------------------------------------------

// When an io_context ends, it waits for whatever the system does for it; so that has to end first.
class Pipes final : public boost::asio::execution_context::service {
  public:
    using key_type = Pipes;
    inline static boost::asio::execution_context::id id;

    // Services end in the opposite order: Asio's own of the handles must be there already.
    explicit Pipes(boost::asio::execution_context& context) : service(context) {
        boost::asio::use_service<boost::asio::detail::win_iocp_handle_service>(context);
    }

    void add(Pipe& pipe) {
        const std::lock_guard lock(mutex_);
        all_.insert(&pipe);
    }
    void remove(Pipe& pipe) {
        const std::lock_guard lock(mutex_);
        all_.erase(&pipe);
    }

  private:
    // No other thread uses the io_context any more.
    void shutdown() override {
        for (Pipe* pipe : all_) pipe->end();
    }

    std::mutex mutex_;
    std::set<Pipe*> all_;
};

namespace {

boost::system::error_code lastError() {
    return {static_cast<int>(GetLastError()), boost::asio::error::get_system_category()};
}

}  // namespace

IoResult pipeFailure(DWORD code) {
    const bool closed = code == ERROR_BROKEN_PIPE || code == ERROR_NO_DATA ||
                        code == ERROR_PIPE_NOT_CONNECTED || code == ERROR_HANDLE_EOF;
    return {closed ? Io::closed : Io::failed, 0, static_cast<int>(code)};
}

// -- life --------------------------------------------------------------------------------------

Pipe::Pipe(boost::asio::io_context& io, HANDLE handle, End end)
    : io_(io), pipes_(boost::asio::use_service<Pipes>(io)), end_(end), handle_(io) {
    boost::system::error_code error;
    handle_.assign(handle, error);
    // What is done at once is then known at once, and its memory ours again.
    if (!error &&
        !SetFileCompletionNotificationModes(handle, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)) {
        error = lastError();
    }
    if (error) {
        if (!handle_.is_open()) CloseHandle(handle);
        throw boost::system::system_error(error);
    }
    pipes_.add(*this);
}

Pipe::~Pipe() {
    pipes_.remove(*this);
}

// A client may have come, and even have left again, before we look: what it said is still there.
void Pipe::waitConnected(Ready handler) {
    const Lock lock(mutex_);
    boost::asio::windows::overlapped_ptr operation(
        io_.get_executor(), [self = shared_from_this(), handler = std::move(handler)](
                                const boost::system::error_code& error, std::size_t) {
            self->connected(error, handler);
        });
    waiting_ = true;
    if (!open_) return operation.complete(boost::asio::error::operation_aborted, 0);
    const bool done = ConnectNamedPipe(handle(), operation.get());
    const DWORD code = done ? ERROR_SUCCESS : GetLastError();
    if (code == ERROR_IO_PENDING) {
        waitingOn_ = operation.release();
    } else if (done || code == ERROR_PIPE_CONNECTED || code == ERROR_NO_DATA) {
        operation.complete({}, 0);
    } else {
        operation.complete({static_cast<int>(code), boost::asio::error::get_system_category()}, 0);
    }
}

void Pipe::connected(const boost::system::error_code& error, const Ready& handler) {
    bool open = false;
    {
        const Lock lock(mutex_);
        waiting_ = false;
        waitingOn_ = nullptr;
        open = open_;
    }
    handler(open ? error : boost::asio::error::operation_aborted);
}

void Pipe::close() {
    const Lock lock(mutex_);
    if (!std::exchange(open_, false)) return;
    if (whenWritable_) {
        boost::asio::post(io_, [handler = std::exchange(whenWritable_, {})] {
            handler(boost::asio::error::operation_aborted);
        });
    }
    writing_ ? linger() : shut();
}

// A pipe that is closed takes along what it had no room for yet: the write is given some time.
void Pipe::linger() {
    if (waitingOn_) CancelIoEx(handle(), waitingOn_);
    lingering_ = std::make_unique<boost::asio::steady_timer>(io_, writingSince_ + lingerTime);
    lingering_->async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        const Lock lock(self->mutex_);
        if (!error) self->shut();
    });
}

void Pipe::shut() {
    if (!handle_.is_open()) return;
    CancelIoEx(handle(), nullptr);
    boost::system::error_code ignored;
    handle_.close(ignored);
    if (lingering_) lingering_->cancel();
}

void Pipe::end() {
    const Lock lock(mutex_);
    open_ = false;
    lingering_.reset();
    // Nobody is told any more when a write ends: it has to be looked at.
    while (writing_ && !HasOverlappedIoCompleted(writing_) &&
           std::chrono::steady_clock::now() < writingSince_ + lingerTime) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    shut();
}

bool Pipe::isOpen() {
    const Lock lock(mutex_);
    return open_;
}

std::optional<Peer> Pipe::peer() {
    const Lock lock(mutex_);
    ULONG pid = 0;
    const bool known = end_ == End::server ? GetNamedPipeClientProcessId(handle(), &pid)
                                           : GetNamedPipeServerProcessId(handle(), &pid);
    if (!known) return {};
    return Peer{pid, {}, {}};
}

}  // namespace netcluster::local
