#include <winsock2.h>
#include <ws2tcpip.h>
// after these
#include <mstcpip.h>
#include <mswsock.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <list>
#include <string>

#include "handle_windows.hpp"
#include "last_error_windows.hpp"
#include "log.hpp"
#include "network_interfaces.hpp"
#include "udp_socket.hpp"
#include "waiting_read_windows.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

[[noreturn]] void fail(const char* step) {
    throw boost::system::system_error(lastError(), step);
}

template <typename Value>
bool trySet(SOCKET socket, int level, int option, const Value& value) {
    return ::setsockopt(socket, level, option, reinterpret_cast<const char*>(&value),
                        sizeof value) == 0;
}

template <typename Value>
void set(SOCKET socket, int level, int option, const Value& value, const char* step) {
    if (!trySet(socket, level, option, value)) fail(step);
}

std::uint64_t get(SOCKET socket, int level, int option) {
    int value = 0;
    int size = sizeof value;
    const bool known =
        ::getsockopt(socket, level, option, reinterpret_cast<char*>(&value), &size) == 0;
    return known && value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

// Windows tells two ways of being late apart: the port is taken by a socket that shares it with
// nobody, or is in a range that is kept for others (Hyper-V, WinNAT). Both are "access denied", and
// neither is about our rights.
[[noreturn]] void failToBind() {
    error_code error = lastError();
    if (error.value() != WSAEACCES) throw boost::system::system_error(error, "bind");
    error.assign(WSAEADDRINUSE, boost::system::system_category());
    throw boost::system::system_error(
        error,
        "bind (a program has the port for itself alone, or it is in \"netsh interface ipv4 show "
        "excludedportrange udp\")");
}

// Windows binds no socket to a group, as other systems do: it hears the groups that it has joined,
// and what is sent to the port alone besides.
void bindTo(SOCKET socket, const Endpoint& endpoint) {
    if (::bind(socket, endpoint.data(), static_cast<int>(endpoint.size())) != 0) failToBind();
}

// Never an IP fragment: what does not fit is an error at once.
void forbidFragments(SOCKET socket, bool ipv6) {
    constexpr DWORD yes = 1;
    if (ipv6) {
        trySet(socket, IPPROTO_IPV6, IPV6_DONTFRAG, yes);
    } else {
        trySet(socket, IPPROTO_IP, IP_DONTFRAGMENT, yes);
    }
}

// Otherwise a host that refuses a datagram (ICMP: port unreachable, time exceeded) would make the
// next read fail, whoever it was from.
void hearNoRefusals(SOCKET socket) {
    constexpr DWORD netReset = _WSAIOW(IOC_VENDOR, 15);  // SIO_UDP_NETRESET, not in every header
    for (const DWORD which : {static_cast<DWORD>(SIO_UDP_CONNRESET), netReset}) {
        BOOL off = FALSE;
        DWORD bytes = 0;
        ::WSAIoctl(socket, which, &off, sizeof off, nullptr, 0, &bytes, nullptr, nullptr);
    }
}

ip::address_v4 addressOf(unsigned index) {
    for (const Interface& interface : listInterfaces()) {
        if (interface.index != index) continue;
        for (const ip::address& address : interface.addresses) {
            if (address.is_v4()) return address.to_v4();
        }
    }
    return {};
}

bool tryJoinV4(SOCKET socket, const ip::address_v4& group, std::uint32_t interface) {
    ip_mreq request{};
    request.imr_multiaddr.s_addr = htonl(group.to_uint());
    request.imr_interface.s_addr = htonl(interface);
    return trySet(socket, IPPROTO_IP, IP_MULTICAST_IF, request.imr_interface) &&
           trySet(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, request);
}

// An interface is meant by its index, written as an address that begins with 0. Wine wants one of
// its addresses.
void joinV4(SOCKET socket, const ip::address_v4& group, unsigned index, DWORD ttl) {
    set(socket, IPPROTO_IP, IP_MULTICAST_TTL, ttl, "set the ttl");
    set(socket, IPPROTO_IP, IP_MULTICAST_LOOP, DWORD{1}, "loop back");
    if (tryJoinV4(socket, group, index)) return;
    const ip::address_v4 address = addressOf(index);
    if (address.is_unspecified() || !tryJoinV4(socket, group, address.to_uint())) fail("join");
}

void joinV6(SOCKET socket, const ip::address_v6& group, unsigned index, DWORD ttl) {
    ipv6_mreq request{};
    const auto bytes = group.to_bytes();
    std::memcpy(&request.ipv6mr_multiaddr, bytes.data(), bytes.size());
    request.ipv6mr_interface = index;
    set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, DWORD{index}, "choose the interface");
    set(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl, "set the ttl");
    set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, DWORD{1}, "loop back");
    set(socket, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, request, "join");
}

// Windows refuses to bind an address that is no interface's; Wine binds it, to all of them.
void checkOurs(const ip::address& address) {
    const std::vector<Interface> all = listInterfaces();
    if (address.is_unspecified() || address.is_loopback() || all.empty()) return;
    for (const Interface& one : all) {
        if (std::find(one.addresses.begin(), one.addresses.end(), address) != one.addresses.end())
            return;
    }
    throw boost::system::system_error(WSAEADDRNOTAVAIL, boost::system::system_category(), "bind");
}

// Holds a mutex of that name while it lives, unless another user's is there.
struct Mark {
    explicit Mark(const std::wstring& name)
        : handle(::CreateMutexW(nullptr, FALSE, name.c_str())), error(::GetLastError()) {
        if (handle || error == ERROR_ACCESS_DENIED) return;
        throw boost::system::system_error(static_cast<int>(error), boost::system::system_category(),
                                          "claim the port");
    }
    bool isFirst() const { return handle && error != ERROR_ALREADY_EXISTS; }
    config::Handle handle;
    DWORD error;
};

bool isMarked(const std::wstring& name) {
    const config::Handle handle(::OpenMutexW(SYNCHRONIZE, FALSE, name.c_str()));
    return handle || ::GetLastError() == ERROR_ACCESS_DENIED;
}

// SO_REUSEADDR, which the group sockets need, would let two daemons bind the same unicast port, and
// which of them hears anything is undefined. Binding rules cannot tell our own sockets from those
// of others, so mutexes of the port's name are held: one by who has the port on all addresses; or
// one by who has it on that address (what is sent there, Windows gives to whoever has bound it
// alone), and one by all of these together. Each makes its own before it looks for the other
// kind's, so that of two that start at once at least one sees the other.
std::shared_ptr<void> claimUnicast(const Endpoint& at) {
    const std::wstring port = L"Global\\netcluster-udp" +
                              std::wstring(at.address().is_v6() ? L"6-" : L"4-") +
                              std::to_wstring(at.port());
    const std::wstring some = port + L"-some";
    const bool wantsAll = at.address().is_unspecified();
    const std::string address = at.address().to_string();
    const std::wstring own =
        wantsAll ? port : port + L'-' + std::wstring(address.begin(), address.end());
    const auto claim = std::make_shared<std::list<Mark>>();
    claim->emplace_back(own);
    if (!wantsAll) claim->emplace_back(some);
    if (!claim->front().isFirst() || isMarked(wantsAll ? some : port)) {
        throw boost::system::system_error(WSAEADDRINUSE, boost::system::system_category(), "bind");
    }
    return claim;
}

}  // namespace

void UdpSocket::create(bool ipv6) {
    socket_.open(ipv6 ? ip::udp::v6() : ip::udp::v4());
    socket_.non_blocking(true);
    const SOCKET socket = socket_.native_handle();
    if (ipv6) set(socket, IPPROTO_IPV6, IPV6_V6ONLY, DWORD{1}, "keep to IPv6");
    set(socket, SOL_SOCKET, SO_REUSEADDR, BOOL{TRUE}, "share the port");
    waiting_ = std::make_shared<WaitingRead>();
    hearNoRefusals(socket);
    forbidFragments(socket, ipv6);
    batching_ = Batching::single;
    setBuffers();
}

void UdpSocket::setBuffers() {
    const SOCKET socket = socket_.native_handle();
    trySet(socket, SOL_SOCKET, SO_RCVBUF, receiveBuffer);
    trySet(socket, SOL_SOCKET, SO_SNDBUF, sendBuffer);
    granted_ = 2 * get(socket, SOL_SOCKET, SO_RCVBUF);
    grantedToSend_ = 2 * get(socket, SOL_SOCKET, SO_SNDBUF);
    log::debug("link: socket buffers are {} KiB to receive, {} KiB to send", granted_ / 2048,
               grantedToSend_ / 2048);
}

void UdpSocket::openGroup(const Endpoint& group, unsigned interfaceIndex, int ttl) {
    const bool ipv6 = group.address().is_v6();
    create(ipv6);
    const SOCKET socket = socket_.native_handle();
    bindTo(socket, {ipv6 ? ip::udp::v6() : ip::udp::v4(), group.port()});
    if (ipv6) {
        joinV6(socket, group.address().to_v6(), interfaceIndex, static_cast<DWORD>(ttl));
    } else {
        joinV4(socket, group.address().to_v4(), interfaceIndex, static_cast<DWORD>(ttl));
    }
}

void UdpSocket::openUnicast(const Endpoint& at) {
    checkOurs(at.address());
    claim_ = claimUnicast(at);
    create(at.address().is_v6());
    bindTo(socket_.native_handle(), at);
}

void UdpSocket::close() {
    error_code ignored;
    if (waiting_) waiting_->closed = true;
    socket_.close(ignored);
    claim_.reset();
}

// The system has no filter: the link knows its own session.
void UdpSocket::ignoreSession(const wire::Uuid&) {}

void UdpSocket::awaitReadable(std::function<void(const error_code&)> then) {
    if (waiting_->over()) {  // and nobody has read since
        return boost::asio::post(socket_.get_executor(),
                                 [then = std::move(then)] { then(error_code()); });
    }
    socket_.async_receive_from(
        boost::asio::buffer(waiting_->bytes.get(), ReceiveBatch::slotSize), waiting_->from,
        [read = waiting_, then = std::move(then)](const error_code& error, std::size_t size) {
            if (read->closed) return then(boost::asio::error::operation_aborted);
            read->end(error, size);
            then(error_code());
        });
}

}  // namespace netcluster::daemon::link
