#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/udp.hpp>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "network_facts.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;

class Descriptor {
  public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }

  private:
    int value_;
};

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
    if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0) {
        facts.running = request.ifr_flags & IFF_RUNNING;
    }
    if (::ioctl(socket.get(), SIOCGIFMTU, &request) == 0) {
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
    if (!choose(socket.get(), index, group.is_v6())) return false;
    constexpr std::uint16_t anyPort = 9;
    ip::address to = group;
    if (to.is_v6()) {
        ip::address_v6 scoped = to.to_v6();
        scoped.scope_id(index);
        to = scoped;
    }
    const ip::udp::endpoint endpoint(to, anyPort);
    return ::connect(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
}

template <typename Integer>
std::optional<Integer> parse(std::string_view text, int base) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

// The group as igmp writes it: the four bytes in network order, read as one number of this machine.
bool isGroupV4(std::string_view word, const ip::address_v4& group) {
    const auto number = parse<std::uint32_t>(word, 16);
    return number && ntohl(*number) == group.to_uint();
}

// `1<tab>lo  : 1  V3` begins an interface; its groups follow on lines that begin with a tab.
bool isMemberV4(std::string_view table, unsigned index, const ip::address_v4& group) {
    std::istringstream lines{std::string(table)};
    std::optional<unsigned> at;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string first;
        words >> first;
        if (!line.starts_with('\t')) {
            at = parse<unsigned>(first, 10);
        } else if (at == index && isGroupV4(first, group)) {
            return true;
        }
    }
    return false;
}

// `1  lo  ff020000000000000000000000000001  …` each.
bool isMemberV6(std::string_view table, unsigned index, const ip::address_v6& group) {
    std::string wanted;
    for (const unsigned char byte : group.to_bytes()) {
        constexpr std::string_view digits = "0123456789abcdef";
        wanted += digits[byte >> 4];
        wanted += digits[byte & 15];
    }
    std::istringstream lines{std::string(table)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string number;
        std::string name;
        std::string address;
        words >> number >> name >> address;
        if (parse<unsigned>(number, 10) == index && address == wanted) return true;
    }
    return false;
}

}  // namespace

bool isMember(std::string_view table, unsigned interfaceIndex, const ip::address& group) {
    return group.is_v6() ? isMemberV6(table, interfaceIndex, group.to_v6())
                         : isMemberV4(table, interfaceIndex, group.to_v4());
}

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
        facts.member = isMember(table, facts.interface.index, *group);
        facts.route = hasRoute(*group, facts.interface.index);
    }
    return all;
}

BufferLimits readBufferLimits() {
    return {numberIn("/proc/sys/net/core/rmem_max"), numberIn("/proc/sys/net/core/wmem_max")};
}

}  // namespace netcluster::daemon::link
