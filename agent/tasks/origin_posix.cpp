#include <unistd.h>

#include "origin.hpp"

namespace netcluster::tasks {

long processNow() {
    return static_cast<long>(getpid());
}

}  // namespace netcluster::tasks
