// Small facts about text that both encodings need: UTF-8, base64, event names, uuids.
// Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace netcluster::wire {

/// 16 raw bytes, as they stand in frames; `uuidText` gives the spelling of RFC 9562.
using Uuid = std::array<std::uint8_t, 16>;

inline constexpr std::size_t maxEventName = 255;
inline constexpr std::size_t maxChannelName = 64;
inline constexpr std::string_view reservedPrefix = "nc-";

bool validUtf8(std::string_view text);

/// 1 to 255 bytes of UTF-8 without NUL.
bool validEventName(std::string_view name);

std::string base64(std::string_view bytes);
std::string uuidText(const Uuid& uuid);
/// All zeros when `text` is not a uuid.
Uuid uuidFromText(std::string_view text);

}  // namespace netcluster::wire
