#include "network_interfaces.hpp"

#include <cstring>
#include <memory>

#include "adapters_windows.hpp"
#include "path_text.hpp"

namespace netcluster::daemon::link {

namespace ip = boost::asio::ip;

std::optional<ip::address> addressIn(const SOCKET_ADDRESS& address) {
    const sockaddr* const any = address.lpSockaddr;
    if (!any) return {};
    if (any->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, any, sizeof v4);
        return ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (any->sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, any, sizeof v6);
        ip::address_v6::bytes_type bytes{};
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return ip::address_v6(bytes);
    }
    return {};
}

void forEachAdapter(ULONG flags, const std::function<void(const IP_ADAPTER_ADDRESSES&)>& visit) {
    // What the system's own page begins with; it says how much more there is, and may have more by
    // the time that it is asked again.
    ULONG size = 16384;
    for (int attempt = 0; attempt < 4; ++attempt) {
        const auto memory = std::make_unique<std::byte[]>(size);
        auto* const first = reinterpret_cast<IP_ADAPTER_ADDRESSES*>(memory.get());
        const ULONG error = ::GetAdaptersAddresses(AF_UNSPEC, flags, nullptr, first, &size);
        if (error == ERROR_BUFFER_OVERFLOW) continue;
        if (error != ERROR_SUCCESS) return;
        for (const auto* one = first; one; one = one->Next) visit(*one);
        return;
    }
}

// The name is the one that people see and choose ("Ethernet", "WLAN"); the other is a GUID.
Interface interfaceOf(const IP_ADAPTER_ADDRESSES& adapter) {
    Interface interface;
    interface.index = adapter.IfIndex != 0 ? adapter.IfIndex : adapter.Ipv6IfIndex;
    interface.name = config::textOfPath(adapter.FriendlyName);
    interface.up = adapter.OperStatus == IfOperStatusUp;
    interface.multicast = !(adapter.Flags & IP_ADAPTER_NO_MULTICAST);
    interface.loopback = adapter.IfType == IF_TYPE_SOFTWARE_LOOPBACK;
    for (const auto* one = adapter.FirstUnicastAddress; one; one = one->Next) {
        if (const auto address = addressIn(one->Address)) interface.addresses.push_back(*address);
    }
    return interface;
}

std::vector<Interface> listInterfaces() {
    std::vector<Interface> all;
    forEachAdapter(GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER,
                   [&](const IP_ADAPTER_ADDRESSES& adapter) {
                       if (Interface one = interfaceOf(adapter); one.index != 0)
                           all.push_back(std::move(one));
                   });
    return all;
}

}  // namespace netcluster::daemon::link
