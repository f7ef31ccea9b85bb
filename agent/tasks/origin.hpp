// Which process this is: after fork(), the child has its parent's objects and not its threads. One
// file per system.
#pragma once

namespace netcluster::tasks {

long processNow();

}  // namespace netcluster::tasks
