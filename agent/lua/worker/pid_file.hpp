// A file with this process's pid, for as long as this lives. POSIX.
#pragma once

#include <string>

namespace netcluster::worker {

class PidFile {
  public:
    /// Throws Error naming the file. An empty path: no file.
    explicit PidFile(std::string path);
    ~PidFile();
    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;

  private:
    std::string path_;
};

}  // namespace netcluster::worker
