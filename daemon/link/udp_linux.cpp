#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "udp_socket.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

error_code lastError() {
    return {errno, boost::system::system_category()};
}

[[noreturn]] void fail(const char* step) {
    throw boost::system::system_error(lastError(), step);
}

template <typename Value>
bool trySet(int fd, int level, int option, const Value& value) {
    return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

template <typename Value>
void set(int fd, int level, int option, const Value& value, const char* step) {
    if (!trySet(fd, level, option, value)) fail(step);
}

int get(int fd, int level, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : 0;
}

void bindTo(int fd, const Endpoint& endpoint, const char* step) {
    if (::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) fail(step);
}

// Without this a socket hears every group that anybody on this host has joined.
void hearOnlyOwnGroups(int fd, bool ipv6) {
    constexpr int ipv6MulticastAll = 29;  // IPV6_MULTICAST_ALL, newer than some system headers
    if (ipv6) {
        trySet(fd, IPPROTO_IPV6, ipv6MulticastAll, 0);
    } else {
        trySet(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    }
}

// Never an IP fragment: what does not fit is an error at once.
void forbidFragments(int fd, bool ipv6) {
    if (ipv6) {
        set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, "forbid fragments");
    } else {
        set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, "forbid fragments");
    }
}

void joinV4(int fd, const ip::address_v4& group, unsigned index, int ttl) {
    ip_mreqn request{};
    request.imr_multiaddr.s_addr = htonl(group.to_uint());
    request.imr_ifindex = static_cast<int>(index);
    set(fd, IPPROTO_IP, IP_MULTICAST_IF, request, "choose the interface");
    set(fd, IPPROTO_IP, IP_MULTICAST_TTL, ttl, "set the ttl");
    set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1, "loop back");
    set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, request, "join");
}

void joinV6(int fd, const ip::address_v6& group, unsigned index, int ttl) {
    ipv6_mreq request{};
    const auto bytes = group.to_bytes();
    std::memcpy(&request.ipv6mr_multiaddr, bytes.data(), bytes.size());
    request.ipv6mr_interface = index;
    const int interface = static_cast<int>(index);
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, interface, "choose the interface");
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl, "set the ttl");
    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, "loop back");
    set(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, request, "join");
}

// SO_REUSEADDR, which the group sockets need, would let two daemons bind the same unicast port, and
// only the last would hear anything. A plain bind to the loopback address clashes with whoever has
// the port on all addresses, and with nobody else. The guard lets the caller's own bind pass and
// keeps others out until it is done.
ip::udp::socket guardUnicast(const boost::asio::any_io_executor& executor,
                             const Endpoint& loopback) {
    ip::udp::socket guard(executor, loopback.protocol());
    const int fd = guard.native_handle();
    if (loopback.protocol() == ip::udp::v6()) trySet(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    const auto size = static_cast<socklen_t>(loopback.size());
    if (::bind(fd, loopback.data(), size) != 0 && errno == EADDRINUSE) fail("bind");
    trySet(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return guard;
}

}  // namespace

std::string_view batchingName(Batching batching) {
    switch (batching) {
        case Batching::single:
            return "single";
        case Batching::many:
            return "many";
        case Batching::segments:
            return "segments";
    }
    return "unknown";
}

void UdpSocket::create(bool ipv6) {
    const auto protocol = ipv6 ? ip::udp::v6() : ip::udp::v4();
    socket_.open(protocol);
    socket_.non_blocking(true);
    overflowed_ = drops_ = echoesDue_ = 0;
    const int fd = socket_.native_handle();
    if (ipv6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "keep to IPv6");
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "share the port");
    trySet(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    hearOnlyOwnGroups(fd, ipv6);
    forbidFragments(fd, ipv6);
    if (batching_ == Batching::segments) trySet(fd, IPPROTO_UDP, UDP_GRO, 1);
    setBuffers();
}

void UdpSocket::setBuffers() {
    const int fd = socket_.native_handle();
    if (!trySet(fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer)) {
        trySet(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer);
    }
    if (!trySet(fd, SOL_SOCKET, SO_SNDBUFFORCE, sendBuffer)) {
        trySet(fd, SOL_SOCKET, SO_SNDBUF, sendBuffer);
    }
    granted_ = static_cast<std::uint64_t>(get(fd, SOL_SOCKET, SO_RCVBUF));
    grantedToSend_ = static_cast<std::uint64_t>(get(fd, SOL_SOCKET, SO_SNDBUF));
    spdlog::debug("link: socket buffers are {} KiB to receive, {} KiB to send", granted_ / 1024,
                  grantedToSend_ / 1024);
}

void UdpSocket::openGroup(const Endpoint& group, unsigned interfaceIndex, int ttl) {
    const bool ipv6 = group.address().is_v6();
    create(ipv6);
    const int fd = socket_.native_handle();
    bindTo(fd, group, "bind");
    if (ipv6) {
        joinV6(fd, group.address().to_v6(), interfaceIndex, ttl);
    } else {
        joinV4(fd, group.address().to_v4(), interfaceIndex, ttl);
    }
}

void UdpSocket::openUnicast(bool ipv6, std::uint16_t port) {
    const ip::address any = ipv6 ? ip::address(ip::address_v6::any()) : ip::address_v4::any();
    const ip::address loopback =
        ipv6 ? ip::address(ip::address_v6::loopback()) : ip::address_v4::loopback();
    const auto guard = guardUnicast(socket_.get_executor(), {loopback, port});
    create(ipv6);
    bindTo(socket_.native_handle(), {any, port}, "bind");
}

void UdpSocket::close() {
    error_code ignored;
    socket_.close(ignored);
}

// One header, one destination, one piece of memory; `segment`: where the system is to cut it.
long UdpSocket::sendSegments(const Batch& batch, const Endpoint& to) {
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
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    return sent < 0 ? -1 : static_cast<long>(batch.count());
}

long UdpSocket::sendMany(const Batch& batch, const Endpoint& to) {
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
    return ::sendmmsg(socket_.native_handle(), messages.data(), static_cast<unsigned>(count),
                      MSG_NOSIGNAL);
}

long UdpSocket::sendSingle(const Batch& batch, const Endpoint& to) {
    const std::string_view datagram = batch.datagram(0);
    const ssize_t sent = ::sendto(socket_.native_handle(), datagram.data(), datagram.size(),
                                  MSG_NOSIGNAL, to.data(), static_cast<socklen_t>(to.size()));
    return sent < 0 ? -1 : 1;
}

Sent UdpSocket::send(const Batch& batch, const Endpoint& to, std::size_t& sent,
                     error_code& error) {
    error.clear();
    sent = 0;
    Batching way = batch.count() > 1 ? batching_ : Batching::single;
    for (;;) {
        const long count = way == Batching::segments ? sendSegments(batch, to)
                           : way == Batching::many   ? sendMany(batch, to)
                                                     : sendSingle(batch, to);
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

// A filter of the old kind sees a UDP socket's datagrams from the UDP header on (8 bytes). The
// session is four words behind the first 8 bytes of ours. 0 drops, anything else keeps so much.
void UdpSocket::ignoreSession(const wire::Uuid& session) {
    constexpr std::uint32_t sessionAt = 8 + sessionOffset;
    const auto word = [&](std::size_t i) {
        std::uint32_t value = 0;
        for (std::size_t n = 0; n < 4; ++n) value = value << 8 | session[4 * i + n];
        return value;
    };
    const auto load = [](std::uint32_t at) -> sock_filter {
        return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at);
    };
    const auto equal = [](std::uint32_t value, std::uint8_t otherwise) -> sock_filter {
        return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, otherwise);
    };
    // What is shorter than the words loaded is dropped by the load, which is right as well.
    std::array<sock_filter, 10> program{
        load(sessionAt),      equal(word(0), 7), load(sessionAt + 4),  equal(word(1), 5),
        load(sessionAt + 8),  equal(word(2), 3), load(sessionAt + 12), equal(word(3), 1),
        BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF)};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    ignoresOwn_ = trySet(socket_.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, filter);
}

// The system counts what the filter drops as well, and that is what we sent to the group.
void UdpSocket::noteDrops(std::uint32_t drops) {
    const std::uint32_t more = drops - std::exchange(drops_, drops);
    const std::uint32_t echoes = std::min(more, echoesDue_);
    echoesDue_ -= echoes;
    overflowed_ += more - echoes;
}

void UdpSocket::awaitReadable(std::function<void(const error_code&)> then) {
    socket_.async_wait(ip::udp::socket::wait_read, std::move(then));
}

struct ReceiveBatch::System {
    struct Control {
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint32_t)) +
                                              CMSG_SPACE(sizeof(int))> bytes;
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
