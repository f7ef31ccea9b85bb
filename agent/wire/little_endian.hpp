// Integers in the wire's byte order. Written as shifts: compilers make one load or store of them
// on little-endian machines, and they are right on the others too.
#pragma once

#include <cstddef>
#include <type_traits>

namespace netcluster::wire {

template <typename Integer>
Integer loadLittle(const char* bytes) {
    using Unsigned = std::make_unsigned_t<Integer>;
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        value = static_cast<Unsigned>(
            value | static_cast<Unsigned>(
                        static_cast<Unsigned>(static_cast<unsigned char>(bytes[i])) << (8 * i)));
    }
    return static_cast<Integer>(value);
}

template <typename Integer>
void storeLittle(char* bytes, Integer value) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        bytes[i] = static_cast<char>(static_cast<std::make_unsigned_t<Integer>>(value) >> (8 * i));
    }
}

}  // namespace netcluster::wire
