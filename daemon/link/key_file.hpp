// The text of a key file <-> group keys: JSON with comments and trailing commas,
//
//     [{"id": 1, "key": "<32 bytes in base64>", "use": "tx"}]
//
// It has a reader of its own, not that of config.json, because that one copies what it reads and
// quotes what is wrong: here nothing of the text is copied but into a Secret, and no message quotes
// it. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keyring.hpp"

namespace netcluster::daemon::link {

/// Throws Error `name:line: what is wrong`. Whether the keys fit together is Keyring's question.
std::vector<GroupKey> readKeyFile(std::string_view text, const std::string& name);

/// The caller wipes it.
std::string keyFileText(std::span<const GroupKey> keys);

}  // namespace netcluster::daemon::link
