// Why the last call to a socket failed, on this thread.
#pragma once

#include <winsock2.h>

#include <boost/system/error_code.hpp>

namespace netcluster::daemon::link {

inline boost::system::error_code lastError() {
    return {::WSAGetLastError(), boost::system::system_category()};
}

}  // namespace netcluster::daemon::link
