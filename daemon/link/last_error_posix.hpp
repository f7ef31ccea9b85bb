// Why the last call of the system failed, on this thread.
#pragma once

#include <boost/system/error_code.hpp>
#include <cerrno>

namespace netcluster::daemon::link {

inline boost::system::error_code lastError() {
    return {errno, boost::system::system_category()};
}

}  // namespace netcluster::daemon::link
