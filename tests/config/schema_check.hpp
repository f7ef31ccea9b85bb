// The part of JSON Schema (draft 2020-12) that config.schema.json uses, to hold it against the
// parser.
#pragma once

#include <nlohmann/json.hpp>

namespace netcluster::config::test {

/// Whether `value` is valid by `schema`, a part of `root`. A keyword this does not know throws, so
/// that none in the schema goes untested.
bool valid(const nlohmann::json& value, const nlohmann::json& schema, const nlohmann::json& root);

}  // namespace netcluster::config::test
