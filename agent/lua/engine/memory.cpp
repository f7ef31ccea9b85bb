#include "memory.hpp"

#include <cstdlib>

namespace netcluster::lua {

bool Memory::refuses(std::size_t more) {
    if (used_ > total_ || more > total_ - used_)
        lastRefusal_ = Cut::allMemory;
    else if (growth_ != nullptr && *growth_ + static_cast<std::ptrdiff_t>(more) > bound_)
        lastRefusal_ = Cut::memory;
    else
        return false;
    return true;
}

void* Memory::allocate(void* self, void* block, std::size_t before, std::size_t after) {
    auto& memory = *static_cast<Memory*>(self);
    if (block == nullptr) before = 0;  // it says there what kind of object is wanted
    if (after > before && memory.refuses(after - before)) return nullptr;
    void* result = nullptr;
    if (after == 0) {
        std::free(block);
    } else {
        result = std::realloc(block, after);
        if (result == nullptr) {
            memory.lastRefusal_ = Cut::noMemory;
            return nullptr;
        }
    }
    memory.used_ += after - before;
    if (memory.growth_ != nullptr) {
        *memory.growth_ += static_cast<std::ptrdiff_t>(after) - static_cast<std::ptrdiff_t>(before);
    }
    return result;
}

}  // namespace netcluster::lua
