// What can be said only when all keys are known: keys that must agree, rules that reach nobody.
// Pure; any thread.
#pragma once

#include "jsonc.hpp"
#include "report.hpp"
#include "settings.hpp"

namespace netcluster::config {

/// `document` is the text's tree, for the places; `settings` what was read from it.
void checkTogether(const Node& document, const Settings& settings, Report& report);

}  // namespace netcluster::config
