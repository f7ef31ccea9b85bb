// What may be emitted, and how it is written. Pure; any thread.
#pragma once

#include <netcluster/agent.hpp>
#include <netcluster/control.hpp>

#include "text.hpp"

namespace netcluster {

/// Longest `to`, `id` and `replyTo`. Reason: they share the 4 KiB of a frame's extensions.
inline constexpr std::size_t maxAddress = 1024;

/// Throws Error when the name is reserved and the channel is not `control`. Whether it is an event
/// name at all, Hearing looks at.
void checkReserved(std::string_view event, std::string_view channel);

/// True when it has any of `to`, `id` and `replyTo`, which are then to be checked.
bool hasAddress(const EmitOptions& options);
/// Throws Error when one is too long or not UTF-8.
void checkAddresses(const EmitOptions& options);

/// Throws Error when the data is nested too deep, holds text that is not UTF-8, or something that
/// JSON has no words for. Returns a length the JSON text has at least, without making it.
std::size_t checkData(std::string_view event, const Json& data);

/// Throws Error.
void checkSize(std::string_view event, std::size_t size, std::size_t maxEvent);

// What nearly every event needs of these is compiled into the emit; the rest is behind a call.

[[noreturn]] void refuseReserved(std::string_view event);
[[noreturn]] void refuseSize(std::string_view event, std::size_t size, std::size_t maxEvent);
std::size_t checkTextOrTree(std::string_view event, const Json& data);

inline void checkReserved(std::string_view event, std::string_view channel) {
    if (event.starts_with(wire::reservedPrefix) && channel != control::channel) [[unlikely]] {
        refuseReserved(event);
    }
}

inline bool hasAddress(const EmitOptions& options) {
    return (options.to.size() | options.id.size() | options.replyTo.size()) != 0;
}

inline bool isPlain(const Json& value) {
    return value.is_null() || value.is_boolean() || value.is_number();
}

inline std::size_t checkData(std::string_view event, const Json& data) {
    return isPlain(data) ? 1 : checkTextOrTree(event, data);
}

inline void checkSize(std::string_view event, std::size_t size, std::size_t maxEvent) {
    if (size > maxEvent) [[unlikely]]
        refuseSize(event, size, maxEvent);
}

}  // namespace netcluster
