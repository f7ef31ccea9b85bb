#include <windows.h>

#include <cstdlib>

#include "link_system.hpp"

namespace netcluster::daemon {

// A process's number is a multiple of four here.
unsigned processNumber() {
    return ::GetCurrentProcessId() / 4;
}

std::size_t largestBurst() {
    return std::size_t{256} << 10;
}

std::size_t inNumbersForHere(std::size_t many) {
    return many / 10;
}

bool bearsFloods() {
    return false;
}

void setVariable(const char* name, const char* value) {
    ::_putenv_s(name, value);
}

}  // namespace netcluster::daemon
