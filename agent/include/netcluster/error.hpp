// The one exception type of netcluster: what a caller did wrong, or what the system refused,
// in words a user can act on (they name the file, key, endpoint or event concerned).
#pragma once

#include <netcluster/export.hpp>
#include <stdexcept>
#include <string>

namespace netcluster {

class NETCLUSTER_API Error : public std::runtime_error {
  public:
    explicit Error(const std::string& what) : std::runtime_error(what) {}
};

}  // namespace netcluster
