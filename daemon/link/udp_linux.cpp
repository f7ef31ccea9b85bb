#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <cerrno>
#include <cstring>
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

void UdpSocket::create(bool ipv6) {
    const auto protocol = ipv6 ? ip::udp::v6() : ip::udp::v4();
    socket_.open(protocol);
    socket_.non_blocking(true);
    overflowed_ = 0;
    const int fd = socket_.native_handle();
    if (ipv6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "keep to IPv6");
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "share the port");
    trySet(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    hearOnlyOwnGroups(fd, ipv6);
    forbidFragments(fd, ipv6);
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
    spdlog::debug("link: socket buffers are {} KiB to receive, {} KiB to send", granted_ / 1024,
                  get(fd, SOL_SOCKET, SO_SNDBUF) / 1024);
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

Sent UdpSocket::send(std::string_view datagram, const Endpoint& to, error_code& error) {
    error.clear();
    for (;;) {
        const ssize_t count = ::sendto(socket_.native_handle(), datagram.data(), datagram.size(),
                                       MSG_NOSIGNAL, to.data(), static_cast<socklen_t>(to.size()));
        if (count >= 0) return Sent::yes;
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return Sent::full;
        error = lastError();
        return errno == EMSGSIZE ? Sent::tooBig : Sent::failed;
    }
}

void UdpSocket::awaitReadable(std::function<void(const error_code&)> then) {
    socket_.async_wait(ip::udp::socket::wait_read, std::move(then));
}

struct ReceiveBatch::System {
    std::vector<char> bytes = std::vector<char>(capacity * slotSize);
    std::array<sockaddr_storage, capacity> senders{};
    alignas(cmsghdr)
        std::array<std::array<char, CMSG_SPACE(sizeof(std::uint32_t))>, capacity> control{};
    std::array<iovec, capacity> slots{};
    std::array<mmsghdr, capacity> messages{};

    // The system overwrites the lengths with each read.
    void prepare() {
        for (std::size_t i = 0; i < capacity; ++i) {
            slots[i] = {bytes.data() + i * slotSize, slotSize};
            msghdr& header = messages[i].msg_hdr;
            header = {};
            header.msg_name = &senders[i];
            header.msg_namelen = sizeof senders[i];
            header.msg_iov = &slots[i];
            header.msg_iovlen = 1;
            header.msg_control = control[i].data();
            header.msg_controllen = control[i].size();
        }
    }

    // The count of drops that came with the message, if it did.
    void readOverflow(std::size_t i, std::uint32_t& overflowed) {
        msghdr& header = messages[i].msg_hdr;
        for (cmsghdr* one = CMSG_FIRSTHDR(&header); one; one = CMSG_NXTHDR(&header, one)) {
            if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SO_RXQ_OVFL) {
                std::memcpy(&overflowed, CMSG_DATA(one), sizeof overflowed);
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
    if (read != 0) system_->readOverflow(read - 1, socket.overflowed_);
    return read;
}

std::string_view ReceiveBatch::datagram(std::size_t i) const {
    return {system_->bytes.data() + i * slotSize, system_->messages[i].msg_len};
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
