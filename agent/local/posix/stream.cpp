#include "stream.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace netcluster::local {
namespace {

constexpr std::size_t maxPieces = 1024;  // IOV_MAX on Linux and the BSDs

bool wouldBlock(int code) {
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

bool meansClosed(int code) {
    return code == EPIPE || code == ECONNRESET || code == ENOTCONN;
}

// Bytes of one message, with room for one descriptor beside them. Points into itself.
struct WithDescriptor {
    WithDescriptor(const char* bytes, std::size_t size) : vector{const_cast<char*>(bytes), size} {
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = CMSG_LEN(sizeof(int));
    }
    WithDescriptor(const WithDescriptor&) = delete;
    WithDescriptor& operator=(const WithDescriptor&) = delete;

    iovec vector;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
};

IoResult failure(int code) {
    if (wouldBlock(code)) return {Io::wouldBlock, 0, code};
    return {meansClosed(code) ? Io::closed : Io::failed, 0, code};
}

}  // namespace

std::string IoResult::reason() const {
    return std::strerror(code);
}

Stream::Stream(Socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.native_non_blocking(true, ignored);
    // Asio leaves it open in programs that are exec'd; they would keep the connection alive.
    fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
}

IoResult Stream::read(std::span<char> into) {
    const ssize_t count = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (count < 0) return failure(errno);
    if (count == 0) return {Io::closed};
    return {Io::done, static_cast<std::size_t>(count)};
}

IoResult Stream::read(std::span<char> into, Descriptor& with) {
    WithDescriptor in(into.data(), into.size());
    const ssize_t count =
        ::recvmsg(socket_.native_handle(), &in.message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return failure(errno);
    // There is room for one descriptor; the kernel lets go of more.
    const cmsghdr* header = CMSG_FIRSTHDR(&in.message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        int number = -1;
        std::memcpy(&number, CMSG_DATA(header), sizeof number);
        with = Descriptor(number);
    }
    if (count == 0) return {Io::closed};
    return {Io::done, static_cast<std::size_t>(count)};
}

IoResult Stream::writeWith(std::string_view bytes, const Descriptor& descriptor) {
    WithDescriptor out(bytes.data(), bytes.size());
    cmsghdr* header = CMSG_FIRSTHDR(&out.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = descriptor.number();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    const ssize_t sent =
        ::sendmsg(socket_.native_handle(), &out.message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return failure(errno);
    return {Io::done, static_cast<std::size_t>(sent)};
}

IoResult Stream::write(std::span<const std::string_view> pieces) {
    std::array<iovec, maxPieces> vectors;
    const std::size_t count = std::min(pieces.size(), vectors.size());
    for (std::size_t i = 0; i < count; ++i) {
        vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return failure(errno);
    return {Io::done, static_cast<std::size_t>(sent)};
}

std::size_t Stream::unread() {
    int count = 0;
    return ioctl(socket_.native_handle(), SIOCOUTQ, &count) == 0 && count > 0
               ? static_cast<std::size_t>(count)
               : 0;
}

std::optional<Peer> Stream::peer() const {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    auto& socket = const_cast<Socket&>(socket_);
    if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return {};
    }
    return Peer{credentials.pid, credentials.uid, credentials.gid};
}

void Stream::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

Connected connectTo(boost::asio::io_context& io, const std::string& endpoint) {
    Connected result;
    if (endpoint.size() >= sizeof(sockaddr_un::sun_path)) {
        result.error = endpoint + ": the path is longer than a socket's path may be";
        return result;
    }
    Stream::Socket socket(io);
    boost::system::error_code error;
    socket.open(boost::asio::local::stream_protocol(), error);
    // A Unix connect never waits for the network; non-blocking, it does not wait for a full backlog
    // either, but says EAGAIN.
    if (!error) socket.native_non_blocking(true, error);
    if (!error) socket.connect(boost::asio::local::stream_protocol::endpoint(endpoint), error);
    if (error) {
        result.error = endpoint + ": " + error.message();
        return result;
    }
    result.stream.emplace(std::move(socket));
    return result;
}

}  // namespace netcluster::local
