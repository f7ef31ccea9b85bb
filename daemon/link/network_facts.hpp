// What the system says about the network, for `ncctl doctor`: each interface as far as a group is
// concerned, and the limits of socket buffers. Asks and returns; judges nothing, changes nothing,
// keeps no socket. One file per system. Any thread; takes well under a millisecond per interface.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "network_interfaces.hpp"

namespace netcluster::daemon::link {

struct InterfaceFacts {
    Interface interface;
    bool running = false;  ///< it has a carrier
    unsigned mtu = 0;      ///< bytes; 0 if unknown
    /// This host is a member of the group there, for whichever program; nothing if unknown.
    std::optional<bool> member;
    /// A socket that chose it, as the link's do, could send to the group; nothing if unknown.
    std::optional<bool> route;
};

/// Of every interface this host has. Without a group nothing is asked about one.
std::vector<InterfaceFacts> readInterfaceFacts(
    const std::optional<boost::asio::ip::address>& group);

/// How large a socket's buffers may be made without privileges, in bytes as a program asks for
/// them; 0 if unknown, as in a container, or if there is none, as on
/// Windows.
struct BufferLimits {
    std::uint64_t receive = 0;
    std::uint64_t send = 0;
};
BufferLimits readBufferLimits();

}  // namespace netcluster::daemon::link
