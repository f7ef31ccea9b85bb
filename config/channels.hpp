// "channels": what may be in it, and what `control` may not do. Pure; any thread.
#pragma once

#include <map>
#include <string>

#include "settings.hpp"
#include "value.hpp"

namespace netcluster::config {

/// Every channel costs a socket and a row in each routing table.
inline constexpr std::size_t mostChannels = 256;

void readChannels(const Value& value, std::map<std::string, ChannelSettings>& channels);

}  // namespace netcluster::config
