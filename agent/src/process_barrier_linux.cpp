#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process_barrier.hpp"

namespace netcluster {
namespace {

bool membarrier(membarrier_cmd command) {
    return syscall(SYS_membarrier, command, 0, 0) == 0;
}

}  // namespace

bool enableProcessBarrier() {
    return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

bool processBarrier() {
    return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

}  // namespace netcluster
