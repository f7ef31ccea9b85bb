// Integers in the wire's byte order. On little-endian machines a plain copy, which is one load or
// store; spelled as shifts, GCC 12 makes a loop over the bytes of it. Right on the others too.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace netcluster::wire {

template <typename Integer>
Integer loadLittle(const char* bytes) {
    if constexpr (std::endian::native == std::endian::little) {
        Integer value;
        std::memcpy(&value, bytes, sizeof value);
        return value;
    } else {
        using Unsigned = std::make_unsigned_t<Integer>;
        Unsigned value = 0;
        for (std::size_t i = sizeof(Integer); i-- != 0;) {
            value = static_cast<Unsigned>((value << 8) | static_cast<unsigned char>(bytes[i]));
        }
        return static_cast<Integer>(value);
    }
}

template <typename Integer>
void storeLittle(char* bytes, Integer value) {
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(bytes, &value, sizeof value);
    } else {
        for (std::size_t i = 0; i < sizeof(Integer); ++i) {
            bytes[i] =
                static_cast<char>(static_cast<std::make_unsigned_t<Integer>>(value) >> (8 * i));
        }
    }
}

}  // namespace netcluster::wire
