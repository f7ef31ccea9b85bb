// A memory barrier that one thread makes all threads of the process pass, so that what they do a
// million times a second needs none. Linux has it as membarrier(2), Windows as
// FlushProcessWriteBuffers; where a system has none, both say false. Any thread.
#pragma once

namespace netcluster {

/// Once, before the first `processBarrier`. May take some milliseconds in a process that has
/// threads already.
bool enableProcessBarrier();

/// Every running thread of this process passes a full barrier before this returns.
bool processBarrier();

}  // namespace netcluster
