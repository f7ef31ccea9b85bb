// The network interfaces of this host, and which of them the link uses.
// `listInterfaces` asks the system; `chooseInterfaces` is the rule and asks nobody.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

namespace netcluster::daemon::link {

struct Interface {
    unsigned index = 0;
    std::string name;
    bool up = false;
    bool multicast = false;
    bool loopback = false;
    std::vector<boost::asio::ip::address> addresses;  ///< IPv4 and IPv6, without scope

    bool operator==(const Interface&) const = default;
};

/// Joined at most. Reason: a host of containers has a bridge port per container; one copy of every
/// datagram on each of them would be a storm of our own making. Name one to be sure.
inline constexpr std::size_t maxInterfaces = 16;

/// As the system has them now. Empty when it will not say.
std::vector<Interface> listInterfaces();

struct InterfaceChoice {
    std::vector<Interface> chosen;
    /// What an operator should know about the choice; empty when it is what the setting says.
    std::string note;
};

/// `setting`: "" or "all" for every interface that is up, can multicast and has an address of the
/// group's family, loopback only when there is no other; or the name or an address of exactly one,
/// which then needs to be up, nothing else ("lo" works).
InterfaceChoice chooseInterfaces(const std::vector<Interface>& all, const std::string& setting,
                                 bool ipv6);

}  // namespace netcluster::daemon::link
