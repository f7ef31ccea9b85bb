// Lua's memory: an allocator that counts and says no. Lua answers a refusal with a full collection
// of garbage, asks again, and if that is refused too ends the call with an error of its own.
//
// Growth is charged to the call that runs; what a collection frees while it runs is credited to it,
// whoever left it. So the bound of one call is a rough one, and that of all together exact.
#pragma once

#include <cstddef>

#include "limits.hpp"

namespace netcluster::lua {

class Memory {
  public:
    explicit Memory(std::size_t total) : total_(total) {}

    std::size_t used() const { return used_; }

    /// From now on growth counts in `growth`, which may come to `bound`; null: in nobody's.
    void charge(std::ptrdiff_t* growth, std::size_t bound) {
        growth_ = growth;
        bound_ = static_cast<std::ptrdiff_t>(bound);
    }

    /// Why it said no the last time.
    Cut lastRefusal() const { return lastRefusal_; }

    /// A lua_Alloc; `self` is a Memory.
    static void* allocate(void* self, void* block, std::size_t before, std::size_t after);

  private:
    bool refuses(std::size_t more);

    std::size_t total_;
    std::size_t used_ = 0;
    std::ptrdiff_t* growth_ = nullptr;
    std::ptrdiff_t bound_ = 0;
    Cut lastRefusal_ = Cut::noMemory;
};

}  // namespace netcluster::lua
