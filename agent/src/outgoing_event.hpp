// What may be emitted, and how it is written. Pure; any thread.
#pragma once

#include <netcluster/agent.hpp>
#include <string>

namespace netcluster {

/// Longest `to`, `id` and `replyTo`. Reason: they share the 4 KiB of a frame's extensions.
inline constexpr std::size_t maxAddress = 1024;

/// Throws Error when the name is reserved and the channel is not `control`. Whether it is an event
/// name at all, Hearing looks at.
void checkReserved(std::string_view event, std::string_view channel);

/// Throws Error when an address is too long or not UTF-8.
void checkAddresses(const EmitOptions& options);

/// Throws Error when the data is nested too deep, holds text that is not UTF-8, or something that
/// JSON has no words for. Returns a length the JSON text has at least, without making it.
std::size_t checkData(std::string_view event, const Json& data);

/// Throws Error.
void checkSize(std::string_view event, std::size_t size, std::size_t maxEvent);

}  // namespace netcluster
