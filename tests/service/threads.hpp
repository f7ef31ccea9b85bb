// Holds single threads of another process, as no signal can.
#pragma once

#include <sys/types.h>

#include <vector>

namespace netcluster::service {

/// All threads of a process, its main thread first.
std::vector<pid_t> threadsOf(pid_t process);

/// Stops one thread of a child for as long as it lives; the others go on.
class Held {
  public:
    explicit Held(pid_t thread);
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

  private:
    pid_t thread_;
};

}  // namespace netcluster::service
