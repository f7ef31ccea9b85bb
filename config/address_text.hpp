// Addresses as config.json spells them: multicast groups and "host:port". Looks nothing up. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace netcluster::config {

/// A literal IPv4 or IPv6 address that is a multicast group.
bool isMulticast(std::string_view text);

/// Why this group is a poor choice, if it is: reserved, or it never leaves the host.
std::optional<std::string> whyUnwiseGroup(std::string_view text);

struct HostPort {
    std::string host;  ///< a name or an address; IPv6 without its brackets
    std::uint16_t port = 0;

    bool operator==(const HostPort&) const = default;
};

/// "host:port" or "[v6]:port", port 1 to 65535.
std::optional<HostPort> splitHostPort(std::string_view text);

}  // namespace netcluster::config
