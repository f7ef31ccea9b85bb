// One question to the system.
#pragma once

#include <string>

namespace netcluster {

/// The name of this program's executable, without its directory; "?" when that is not UTF-8.
std::string programName();

}  // namespace netcluster
