#include <unistd.h>

#include <cstdlib>

#include "link_system.hpp"

namespace netcluster::daemon {

unsigned processNumber() {
    return static_cast<unsigned>(::getpid());
}

std::size_t largestBurst() {
    return std::size_t{4} << 20;
}

std::size_t inNumbersForHere(std::size_t many) {
    return many;
}

bool bearsFloods() {
    return true;
}

void setVariable(const char* name, const char* value) {
    if (*value) {
        ::setenv(name, value, 1);
    } else {
        ::unsetenv(name);
    }
}

}  // namespace netcluster::daemon
