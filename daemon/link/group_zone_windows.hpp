// Whether an address of an IPv6 group may say on which interface. Pure.
#pragma once

#include <boost/asio/ip/address_v6.hpp>

namespace netcluster::daemon::link {

/// Windows takes sin6_scope_id for the zone of the address's own scope, which is an interface for
/// interface-local and link-local groups alone; in a wider one it would be refused, or lead
/// elsewhere. Linux looks at it in the same two alone.
inline boost::asio::ip::address_v6 withZoneOfItsScope(boost::asio::ip::address_v6 address) {
    const bool ofInterface = address.is_multicast_node_local() || address.is_multicast_link_local();
    if (address.is_multicast() && !ofInterface) address.scope_id(0);
    return address;
}

}  // namespace netcluster::daemon::link
