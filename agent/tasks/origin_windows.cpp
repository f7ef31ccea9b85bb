#include "origin.hpp"

namespace netcluster::tasks {

// Processes are not forked there.
long processNow() {
    return 0;
}

}  // namespace netcluster::tasks
