#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/ip/udp.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "descriptor_posix.hpp"
#include "memberships_linux.hpp"
#include "network_facts.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;

using config::Descriptor;

Descriptor udpSocket(bool ipv6) {
    return Descriptor(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

std::string contentsOf(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t numberIn(const char* path) {
    std::uint64_t number = 0;
    return std::ifstream(path) >> number ? number : 0;
}

// -- interfaces

void askDevice(InterfaceFacts& facts) {
    const Descriptor socket = udpSocket(false);
    ifreq request{};
    facts.interface.name.copy(request.ifr_name, IFNAMSIZ - 1);
    if (::ioctl(socket.number(), SIOCGIFFLAGS, &request) == 0) {
        facts.running = request.ifr_flags & IFF_RUNNING;
    }
    if (::ioctl(socket.number(), SIOCGIFMTU, &request) == 0) {
        facts.mtu = static_cast<unsigned>(request.ifr_mtu);
    }
}

bool choose(int socket, unsigned index, bool ipv6) {
    const int interface = static_cast<int>(index);
    if (ipv6) {
        return ::setsockopt(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, &interface,
                            sizeof interface) == 0;
    }
    ip_mreqn request{};
    request.imr_ifindex = interface;
    return ::setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) == 0;
}

// A connected UDP socket sends nothing, but has been given its route.
bool hasRoute(const ip::address& group, unsigned index) {
    const Descriptor socket = udpSocket(group.is_v6());
    if (!choose(socket.number(), index, group.is_v6())) return false;
    constexpr std::uint16_t anyPort = 9;
    ip::address to = group;
    if (to.is_v6()) {
        ip::address_v6 scoped = to.to_v6();
        scoped.scope_id(index);
        to = scoped;
    }
    const ip::udp::endpoint endpoint(to, anyPort);
    return ::connect(socket.number(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) ==
           0;
}

}  // namespace

std::vector<InterfaceFacts> readInterfaceFacts(const std::optional<ip::address>& group) {
    // Of this thread's network namespace.
    const std::string table = !group ? std::string()
                                     : contentsOf(group->is_v6() ? "/proc/thread-self/net/igmp6"
                                                                 : "/proc/thread-self/net/igmp");
    std::vector<InterfaceFacts> all;
    for (Interface& interface : listInterfaces()) {
        InterfaceFacts& facts = all.emplace_back();
        facts.interface = std::move(interface);
        askDevice(facts);
        if (!group) continue;
        if (!table.empty()) facts.member = isMember(table, facts.interface.index, *group);
        facts.route = hasRoute(*group, facts.interface.index);
    }
    return all;
}

BufferLimits readBufferLimits() {
    return {numberIn("/proc/sys/net/core/rmem_max"), numberIn("/proc/sys/net/core/wmem_max")};
}

}  // namespace netcluster::daemon::link
