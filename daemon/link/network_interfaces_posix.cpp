#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "network_interfaces.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;

std::optional<ip::address> addressOf(const sockaddr* address) {
    if (!address) return {};
    if (address->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, address, sizeof v4);
        return ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, address, sizeof v6);
        ip::address_v6::bytes_type bytes{};
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return ip::address_v6(bytes);
    }
    return {};
}

Interface& entryFor(std::vector<Interface>& all, const ifaddrs& from) {
    const auto found = std::find_if(
        all.begin(), all.end(), [&](const Interface& one) { return one.name == from.ifa_name; });
    if (found != all.end()) return *found;
    Interface& made = all.emplace_back();
    made.name = from.ifa_name;
    made.index = if_nametoindex(from.ifa_name);
    made.up = from.ifa_flags & IFF_UP;
    made.multicast = from.ifa_flags & IFF_MULTICAST;
    made.loopback = from.ifa_flags & IFF_LOOPBACK;
    return made;
}

}  // namespace

std::vector<Interface> listInterfaces() {
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, freeifaddrs);
    std::vector<Interface> all;
    for (const ifaddrs* one = first; one; one = one->ifa_next) {
        Interface& entry = entryFor(all, *one);
        if (const auto address = addressOf(one->ifa_addr)) entry.addresses.push_back(*address);
    }
    // One that vanished between the two questions has no index any more.
    std::erase_if(all, [](const Interface& one) { return one.index == 0; });
    return all;
}

}  // namespace netcluster::daemon::link
