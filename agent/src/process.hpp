// Two questions about this process, answered by each system in its own way.
#pragma once

#include <string>

namespace netcluster {

/// The name of the executable, without its directory; "?" when that is not UTF-8.
std::string programName();

/// Differs in a child made by fork().
long processId();

}  // namespace netcluster
