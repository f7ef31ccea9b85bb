#include "network_facts.hpp"

#include <boost/asio/ip/udp.hpp>

#include "adapters_windows.hpp"
#include "group_zone_windows.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;

// An interface that lists no group at all has not been asked: each is in that of all hosts.
std::optional<bool> isMember(const IP_ADAPTER_ADDRESSES& adapter, const ip::address& group) {
    std::optional<bool> member;
    for (const auto* one = adapter.FirstMulticastAddress; one; one = one->Next) {
        member = member.value_or(false) || addressIn(one->Address) == group;
    }
    return member;
}

class Socket {
  public:
    explicit Socket(bool ipv6)
        : socket_(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, IPPROTO_UDP)) {}
    ~Socket() {
        if (socket_ != INVALID_SOCKET) ::closesocket(socket_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    bool choose(unsigned index, bool ipv6) {
        const DWORD interface = ipv6 ? index : htonl(index);
        return ::setsockopt(socket_, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
                            ipv6 ? IPV6_MULTICAST_IF : IP_MULTICAST_IF,
                            reinterpret_cast<const char*>(&interface), sizeof interface) == 0;
    }
    bool connect(const ip::udp::endpoint& to) {
        return ::connect(socket_, to.data(), static_cast<int>(to.size())) == 0;
    }

  private:
    SOCKET socket_;
};

// A connected UDP socket sends nothing, but has been given its route. Nothing is known where the
// system does not let an interface be chosen by its index (Wine).
std::optional<bool> hasRoute(const ip::address& group, unsigned index) {
    Socket socket(group.is_v6());
    if (!socket.choose(index, group.is_v6())) return {};
    constexpr std::uint16_t anyPort = 9;
    ip::address to = group;
    if (to.is_v6()) {
        ip::address_v6 scoped = to.to_v6();
        scoped.scope_id(index);
        to = withZoneOfItsScope(scoped);
    }
    return socket.connect({to, anyPort});
}

}  // namespace

std::vector<InterfaceFacts> readInterfaceFacts(const std::optional<ip::address>& group) {
    std::vector<InterfaceFacts> all;
    forEachAdapter(GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_DNS_SERVER,
                   [&](const IP_ADAPTER_ADDRESSES& adapter) {
                       InterfaceFacts facts;
                       facts.interface = interfaceOf(adapter);
                       if (facts.interface.index == 0) return;
                       facts.running = facts.interface.up;
                       // The loopback claims to have no limit.
                       constexpr ULONG unlimited = 0xFFFFFFFF;
                       facts.mtu = adapter.Mtu == unlimited ? 0 : adapter.Mtu;
                       if (group) {
                           facts.member = isMember(adapter, *group);
                           facts.route = hasRoute(*group, facts.interface.index);
                       }
                       all.push_back(std::move(facts));
                   });
    return all;
}

// The system sets no limit that could be read.
BufferLimits readBufferLimits() {
    return {};
}

}  // namespace netcluster::daemon::link
