// What the tests of sockets ask the system; link_system_posix.cpp and link_system_windows.cpp
// answer.
#pragma once

namespace netcluster::daemon {

/// Differs between the test processes that run at the same time.
unsigned processNumber();
/// Of this process's environment; "" takes it out.
void setVariable(const char* name, const char* value);

}  // namespace netcluster::daemon
