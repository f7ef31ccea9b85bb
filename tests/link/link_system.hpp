// What the tests of sockets ask the system; link_system_posix.cpp and link_system_windows.cpp
// answer.
#pragma once

#include <cstddef>

namespace netcluster::daemon {

/// Differs between the test processes that run at the same time.
unsigned processNumber();
/// What one daemon may send at once in a test, in bytes, with another doing the same.
/// Wine: each call to a socket goes through another process, up to 10 ms when the machine is busy,
/// and each socket hears what it has sent, and all that any other of the port has joined; more than
/// this takes longer than receivers wait for repair.
std::size_t largestBurst();
/// How many datagrams stand for `many`, for the same reason.
std::size_t inNumbersForHere(std::size_t many);
/// Whether more than the link's own queue can be sent in one go, 8 MiB and more. Not in Wine.
bool bearsFloods();
/// Of this process's environment; "" takes it out.
void setVariable(const char* name, const char* value);

}  // namespace netcluster::daemon
