#include "process.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "text.hpp"

namespace netcluster {

std::string programName() {
#ifdef __GLIBC__
    const std::string name = program_invocation_short_name;
#else
    const std::string name = getprogname();  // the BSDs and macOS
#endif
    return !name.empty() && name.size() <= 255 && wire::validUtf8(name) ? name : "?";
}

long processId() {
    return getpid();
}

}  // namespace netcluster
