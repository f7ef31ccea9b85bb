// Where the keys of the link come from.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "keyring.hpp"
#include "settings.hpp"

namespace netcluster::daemon {

/// The path of "netkeyfile", from the folder of the configuration; "" when there is none.
std::string keyFileOf(const config::Settings& settings, const std::string& configFile);
/// No keys when there is no "netkeyfile". Throws Error naming the file.
link::Keyring loadKeys(const config::Settings& settings, const std::string& configFile);

/// [{"id", "use"}…], for answers.
nlohmann::json usesOf(const link::Keyring& keys);

}  // namespace netcluster::daemon
