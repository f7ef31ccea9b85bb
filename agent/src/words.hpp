// Text looked at several bytes at a time. The bytes stand in the machine's order: for comparing and
// mixing, not for what travels.
#pragma once

#include <cstdint>
#include <cstring>

namespace netcluster {

template <typename Word>
std::uint64_t load(const char* bytes) {
    Word value;
    std::memcpy(&value, bytes, sizeof value);  // one instruction
    return value;
}

}  // namespace netcluster
