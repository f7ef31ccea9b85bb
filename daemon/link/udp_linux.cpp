#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "last_error_posix.hpp"
#include "log.hpp"
#include "udp_socket.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

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
// only the last would hear anything. A plain bind to one address (loopback, for those who want all)
// clashes with whoever has the port there or on all addresses, and with nobody else. The guard lets
// the caller's own bind pass and keeps others out until it is done.
ip::udp::socket guardUnicast(const boost::asio::any_io_executor& executor, const Endpoint& at) {
    ip::udp::socket guard(executor, at.protocol());
    const int fd = guard.native_handle();
    if (at.protocol() == ip::udp::v6()) trySet(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    const auto size = static_cast<socklen_t>(at.size());
    if (::bind(fd, at.data(), size) != 0 && errno == EADDRINUSE) fail("bind");
    trySet(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return guard;
}

}  // namespace

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
    log::debug("link: socket buffers are {} KiB to receive, {} KiB to send", granted_ / 1024,
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

void UdpSocket::openUnicast(const Endpoint& at) {
    const bool ipv6 = at.address().is_v6();
    ip::address guarded = at.address();
    if (guarded.is_unspecified()) {
        guarded = ipv6 ? ip::address(ip::address_v6::loopback()) : ip::address_v4::loopback();
    }
    const auto guard = guardUnicast(socket_.get_executor(), {guarded, at.port()});
    create(ipv6);
    bindTo(socket_.native_handle(), at, "bind");
}

void UdpSocket::close() {
    error_code ignored;
    socket_.close(ignored);
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
    std::array<sock_filter, 10> program{load(sessionAt),
                                        equal(word(0), 7),
                                        load(sessionAt + 4),
                                        equal(word(1), 5),
                                        load(sessionAt + 8),
                                        equal(word(2), 3),
                                        load(sessionAt + 12),
                                        equal(word(3), 1),
                                        BPF_STMT(BPF_RET | BPF_K, 0),
                                        BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF)};
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

}  // namespace netcluster::daemon::link
