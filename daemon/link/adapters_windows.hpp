// The adapters of this host as Windows describes them, for what asks about interfaces. Any thread.
#pragma once

#include <winsock2.h>
#include <ws2tcpip.h>
// after these
#include <iphlpapi.h>
// a macro of COM's, which that header brings along
#undef interface

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <optional>

#include "network_interfaces.hpp"

namespace netcluster::daemon::link {

/// Calls for each. `flags`: GAA_FLAG_… of GetAdaptersAddresses. Not at all when the system does not
/// say.
void forEachAdapter(ULONG flags, const std::function<void(const IP_ADAPTER_ADDRESSES&)>& visit);

Interface interfaceOf(const IP_ADAPTER_ADDRESSES& adapter);

/// Without scope; nothing when it is neither IPv4 nor IPv6.
std::optional<boost::asio::ip::address> addressIn(const SOCKET_ADDRESS& address);

}  // namespace netcluster::daemon::link
