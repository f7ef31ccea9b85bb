#include "stream.hpp"

#include "pipe.hpp"
#include "wide.hpp"

namespace netcluster::local {
namespace {

// Between two looks for a free instance. The system waits, too, but cannot be told to give up when
// the daemon goes.
constexpr DWORD busyWaitMilliseconds = 50;
constexpr int busyAttempts = 5;

// The rights that a daemon gives its clients; it may learn who we are, and not act as us.
HANDLE open(const std::wstring& name) {
    return CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                       nullptr);
}

}  // namespace

std::string IoResult::reason() const {
    return systemMessage(static_cast<unsigned long>(code));
}

Stream::Stream(std::shared_ptr<Pipe> pipe) : pipe_(std::move(pipe)) {}
Stream::~Stream() {
    close();
}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
    if (this != &other) close();
    pipe_ = std::move(other.pipe_);
    return *this;
}

void Stream::waitReadable(Ready handler) {
    pipe_->waitReadable(std::move(handler));
}
void Stream::waitWritable(Ready handler) {
    pipe_->waitWritable(std::move(handler));
}
IoResult Stream::read(std::span<char> into) {
    return pipe_->read(into);
}
IoResult Stream::write(std::span<const std::string_view> pieces) {
    return pipe_->write(pieces);
}
std::size_t Stream::unread() {
    return pipe_->unread();
}
std::optional<Peer> Stream::peer() const {
    return pipe_->peer();
}
void Stream::close() {
    if (pipe_) pipe_->close();
}
bool Stream::isOpen() const {
    return pipe_->isOpen();
}

Connected connectTo(boost::asio::io_context& io, const std::string& endpoint) {
    Connected result;
    const std::wstring name = wide(endpoint);
    HANDLE handle = open(name);
    for (int attempt = 0; handle == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY &&
                          attempt < busyAttempts;
         ++attempt) {
        WaitNamedPipeW(name.c_str(), busyWaitMilliseconds);
        handle = open(name);
    }
    if (handle == INVALID_HANDLE_VALUE) {
        result.error = endpoint + ": " + systemMessage(GetLastError());
        return result;
    }
    try {
        result.stream.emplace(std::make_shared<Pipe>(io, handle, Pipe::End::client));
    } catch (const boost::system::system_error& error) {
        result.error = endpoint + ": " + error.code().message();
    }
    return result;
}

}  // namespace netcluster::local
