// Marks what libnetcluster.so offers; everything else in it is hidden from the programs that load
// it. Means nothing in a static library.
#pragma once

#if defined(__ELF__)
#define NETCLUSTER_API __attribute__((visibility("default")))
#else
#define NETCLUSTER_API
#endif
