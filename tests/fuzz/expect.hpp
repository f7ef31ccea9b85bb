// What must hold whatever the bytes are: a fuzzer that finds the contrary stops there.
#pragma once

#include <cstdio>

namespace netcluster::fuzz {

inline void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    __builtin_trap();
}

}  // namespace netcluster::fuzz
