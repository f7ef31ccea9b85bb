// Batches in and out of a UdpSocket: one piece that the system cuts or puts together, one call for
// many datagrams, or each by itself.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "last_error_posix.hpp"
#include "udp_socket.hpp"

namespace netcluster::daemon::link {
namespace {

using boost::system::error_code;

// One header, one destination, one piece of memory; `segment`: where the system is to cut it.
long sendSegments(int fd, const Batch& batch, const Endpoint& to) {
    iovec piece{const_cast<char*>(batch.bytes.data()), batch.bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> control{};
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(to.data());
    message.msg_namelen = static_cast<socklen_t>(to.size());
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* segment = CMSG_FIRSTHDR(&message);
    segment->cmsg_level = IPPROTO_UDP;
    segment->cmsg_type = UDP_SEGMENT;
    segment->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto size = static_cast<std::uint16_t>(batch.stride);
    std::memcpy(CMSG_DATA(segment), &size, sizeof size);
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    return sent < 0 ? -1 : static_cast<long>(batch.count());
}

long sendMany(int fd, const Batch& batch, const Endpoint& to) {
    std::array<iovec, batchDatagrams> pieces;
    std::array<mmsghdr, batchDatagrams> messages{};
    const std::size_t count = std::min(batch.count(), batchDatagrams);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view datagram = batch.datagram(i);
        pieces[i] = {const_cast<char*>(datagram.data()), datagram.size()};
        msghdr& header = messages[i].msg_hdr;
        header.msg_name = const_cast<sockaddr*>(to.data());
        header.msg_namelen = static_cast<socklen_t>(to.size());
        header.msg_iov = &pieces[i];
        header.msg_iovlen = 1;
    }
    return ::sendmmsg(fd, messages.data(), static_cast<unsigned>(count), MSG_NOSIGNAL);
}

long sendSingle(int fd, const Batch& batch, const Endpoint& to) {
    const std::string_view datagram = batch.datagram(0);
    const ssize_t sent = ::sendto(fd, datagram.data(), datagram.size(), MSG_NOSIGNAL, to.data(),
                                  static_cast<socklen_t>(to.size()));
    return sent < 0 ? -1 : 1;
}

}  // namespace

Sent UdpSocket::send(const Batch& batch, const Endpoint& to, std::size_t& sent, error_code& error) {
    error.clear();
    sent = 0;
    const int fd = socket_.native_handle();
    Batching way = batch.count() > 1 ? batching_ : Batching::single;
    for (;;) {
        const long count = way == Batching::segments ? sendSegments(fd, batch, to)
                           : way == Batching::many   ? sendMany(fd, batch, to)
                                                     : sendSingle(fd, batch, to);
        if (count > 0) {
            sent = static_cast<std::size_t>(count);
            if (ignoresOwn_ && to.address().is_multicast()) {
                echoesDue_ += way == Batching::segments ? 1 : static_cast<std::uint32_t>(count);
            }
            // A worse way works where a better one did not: so it stays.
            if (batch.count() > 1) batching_ = way;
            return Sent::yes;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return Sent::full;
        if (way != Batching::single && errno != EMSGSIZE) {
            way = way == Batching::segments ? Batching::many : Batching::single;
            continue;
        }
        error = lastError();
        return errno == EMSGSIZE ? Sent::tooBig : Sent::failed;
    }
}

struct ReceiveBatch::System {
    struct Control {
        alignas(cmsghdr)
            std::array<char, CMSG_SPACE(sizeof(std::uint32_t)) + CMSG_SPACE(sizeof(int))> bytes;
    };
    // Not touched before it is needed, so that an idle link has a few pages of it.
    std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(capacity * slotSize);
    std::array<sockaddr_storage, capacity> senders{};
    std::array<Control, capacity> control{};
    std::array<iovec, capacity> slots{};
    std::array<mmsghdr, capacity> messages{};
    std::array<std::size_t, capacity> strides{};

    // The system overwrites the lengths with each read.
    void prepare() {
        for (std::size_t i = 0; i < capacity; ++i) {
            slots[i] = {bytes.get() + i * slotSize, slotSize};
            msghdr& header = messages[i].msg_hdr;
            header = {};
            header.msg_name = &senders[i];
            header.msg_namelen = sizeof senders[i];
            header.msg_iov = &slots[i];
            header.msg_iovlen = 1;
            header.msg_control = control[i].bytes.data();
            header.msg_controllen = control[i].bytes.size();
        }
    }

    // What came beside the message: the count of drops, and how it was put together.
    void readControl(std::size_t i, std::uint32_t& drops) {
        msghdr& header = messages[i].msg_hdr;
        strides[i] = messages[i].msg_len;
        for (cmsghdr* one = CMSG_FIRSTHDR(&header); one; one = CMSG_NXTHDR(&header, one)) {
            if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SO_RXQ_OVFL) {
                std::memcpy(&drops, CMSG_DATA(one), sizeof drops);
            } else if (one->cmsg_level == IPPROTO_UDP && one->cmsg_type == UDP_GRO) {
                int size = 0;
                std::memcpy(&size, CMSG_DATA(one), sizeof size);
                if (size > 0) strides[i] = static_cast<std::size_t>(size);
            }
        }
    }
};

ReceiveBatch::ReceiveBatch() : system_(std::make_unique<System>()) {}
ReceiveBatch::~ReceiveBatch() = default;

std::size_t ReceiveBatch::receive(UdpSocket& socket, error_code& error) {
    error.clear();
    system_->prepare();
    const int count = ::recvmmsg(socket.socket_.native_handle(), system_->messages.data(), capacity,
                                 MSG_DONTWAIT, nullptr);
    if (count < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) error = lastError();
        return 0;
    }
    const auto read = static_cast<std::size_t>(count);
    std::uint32_t drops = socket.drops_;
    for (std::size_t i = 0; i < read; ++i) system_->readControl(i, drops);
    socket.noteDrops(drops);
    return read;
}

std::span<char> ReceiveBatch::piece(std::size_t i) {
    return {system_->bytes.get() + i * slotSize, system_->messages[i].msg_len};
}

std::size_t ReceiveBatch::stride(std::size_t i) const {
    return system_->strides[i];
}

bool ReceiveBatch::truncated(std::size_t i) const {
    return system_->messages[i].msg_hdr.msg_flags & MSG_TRUNC;
}

Endpoint ReceiveBatch::from(std::size_t i) const {
    Endpoint endpoint;
    const std::size_t size = system_->messages[i].msg_hdr.msg_namelen;
    if (size > endpoint.capacity()) return endpoint;
    std::memcpy(endpoint.data(), &system_->senders[i], size);
    endpoint.resize(size);
    return endpoint;
}

}  // namespace netcluster::daemon::link
