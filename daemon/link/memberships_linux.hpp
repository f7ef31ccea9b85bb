// Which groups this host is a member of, out of what Linux writes of it. Pure; any thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string_view>

namespace netcluster::daemon::link {

/// Memberships as the system lists them: the text of /proc/net/igmp or /proc/net/igmp6.
bool isMember(std::string_view table, unsigned interfaceIndex,
              const boost::asio::ip::address& group);

}  // namespace netcluster::daemon::link
