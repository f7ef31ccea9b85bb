#include "process_barrier.hpp"

namespace netcluster {

bool enableProcessBarrier() {
    return false;
}

bool processBarrier() {
    return false;
}

}  // namespace netcluster
