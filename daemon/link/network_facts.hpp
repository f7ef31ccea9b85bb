// What the system says about the network, for `ncctl doctor`: each interface as far as a group is
// concerned, and the sizes of socket buffers. Asks and returns; judges nothing, changes nothing,
// keeps no socket. One file per system. Any thread; takes well under a millisecond per interface.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "network_interfaces.hpp"

namespace netcluster::daemon::link {

struct InterfaceFacts {
    Interface interface;
    bool running = false;  ///< it has a carrier
    unsigned mtu = 0;      ///< bytes; 0 if unknown
    bool member = false;   ///< this host is a member of the group there, for whichever program
    bool route = false;    ///< a socket that chose it, as the link's do, could send to the group
};

/// Of every interface this host has. Without a group nothing is asked about one.
std::vector<InterfaceFacts> readInterfaceFacts(
    const std::optional<boost::asio::ip::address>& group);

/// Memberships as the system lists them: the text of /proc/net/igmp or /proc/net/igmp6.
bool isMember(std::string_view table, unsigned interfaceIndex,
              const boost::asio::ip::address& group);

struct BufferFacts {
    std::uint64_t asked = 0;
    std::uint64_t granted = 0;  ///< counted as `asked` is
    std::uint64_t limit = 0;    ///< the system's, for programs without privileges; 0 if unknown
};
struct SocketFacts {
    BufferFacts receive;
    BufferFacts send;
};

/// What a socket of this process would be granted now, asked for as the link asks.
SocketFacts readSocketFacts();

}  // namespace netcluster::daemon::link
