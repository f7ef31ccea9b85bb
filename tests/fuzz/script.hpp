// What the fuzzer of the reassembly makes of its input: a conversation of a few sessions, step by
// step. A step is one byte that says what happens and its arguments; whatever the bytes are, they
// are such a conversation, and small changes to them are small changes to it.
//
//     step        arguments
//     raw         size u16, then the bytes of a whole datagram
//     data        session u8, ahead u8, start u8 (255: no message begins), size u8, then content
//     heartbeat   session u8, ahead u8 (the highest number), kept u8 (of the last ones)
//     end         session u8, ahead u8
//     nak         session u8, session asked u8, ahead u8, more u8: another receiver asks
//     pass        time u16, in milliseconds
//
// "Ahead" is a signed distance from the number that the session would use next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "little_endian.hpp"

namespace netcluster::fuzz {

enum class Step : std::uint8_t { raw, data, heartbeat, end, nak, pass };
inline constexpr std::uint8_t steps = 6;

/// Reads arguments; what is not there is 0 or empty.
class Script {
  public:
    explicit Script(std::string_view bytes) : rest_(bytes) {}

    bool empty() const { return rest_.empty(); }
    template <typename Integer>
    Integer number() {
        if (rest_.size() < sizeof(Integer)) {
            rest_ = {};
            return 0;
        }
        const auto value = wire::loadLittle<Integer>(rest_.data());
        rest_.remove_prefix(sizeof(Integer));
        return value;
    }
    std::string_view bytes(std::size_t size) {
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    Step step() { return static_cast<Step>(number<std::uint8_t>() % steps); }

  private:
    std::string_view rest_;
};

template <typename Integer>
void append(std::string& script, Integer value) {
    const std::size_t at = script.size();
    script.resize(at + sizeof value);
    wire::storeLittle(script.data() + at, value);
}

inline void append(std::string& script, Step step) {
    append(script, static_cast<std::uint8_t>(step));
}

}  // namespace netcluster::fuzz
