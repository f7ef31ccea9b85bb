// What the tests of sockets ask the system; link_system_posix.cpp and link_system_windows.cpp
// answer.
#pragma once

#include <cstddef>

namespace netcluster::daemon {

/// Differs between the test processes that run at the same time.
unsigned processNumber();
/// What one daemon may send to a group at once in a test, in bytes, with another doing the same.
/// Wine: its sockets take 75 microseconds for each read, and each hears what it has sent, and all
/// that any other of the port has joined; bursts of megabytes take longer than repair waits.
std::size_t largestBurst();
/// Of this process's environment; "" takes it out.
void setVariable(const char* name, const char* value);

}  // namespace netcluster::daemon
