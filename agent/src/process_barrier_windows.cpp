#include <windows.h>

#include "process_barrier.hpp"

namespace netcluster {

// Wine has the function, but up to version 8 at least it does nothing.
bool enableProcessBarrier() {
    static const bool real =
        GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") == nullptr;
    return real;
}

bool processBarrier() {
    if (!enableProcessBarrier()) return false;
    FlushProcessWriteBuffers();
    return true;
}

}  // namespace netcluster
