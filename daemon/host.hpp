// What the daemon asks the system about the host and about its own process. One file per system.
#pragma once

#include <string>

#include "text.hpp"

namespace netcluster::daemon {

std::string systemHostName();
/// The same at every start of the daemon that runs in `runDir` of this machine.
wire::Uuid hostIdentity(const std::string& runDir);
long long processId();
/// As many file descriptors as the system lets this process have.
void raiseFileLimit();
/// Where this executable lies.
std::string executableDirectory();

/// A file with this process's pid, for as long as it lives. Throws Error naming the file.
class PidFile {
  public:
    explicit PidFile(std::string path);
    ~PidFile();
    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;

  private:
    std::string path_;
};

}  // namespace netcluster::daemon
