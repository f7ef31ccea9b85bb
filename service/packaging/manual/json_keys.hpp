// The keys of config.json as a manual page lists them, from config/config.schema.json, which a test
// of config holds against the parser's own tables. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace netcluster::manual {

/// In the order of the schema.
using Schema = nlohmann::ordered_json;

/// Those of the document and those of a channel, as roff.
std::string documentKeysRoff(const Schema& schema);
std::string channelKeysRoff(const Schema& schema);

}  // namespace netcluster::manual
