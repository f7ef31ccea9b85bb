// The commands `keys` and `genkey`: the group keys of the link (docs/security.md). A key never
// stands among the words of a command, where every user of the host could read it. Main's thread.
#pragma once

#include "commands.hpp"
#include "emit.hpp"

namespace netcluster::ctl {

/// What `keys list|add ID [FILE]|use ID|remove ID` asks of the daemon, or why the words make no
/// sense. Reads the key of `add` from FILE, else from stdin; throws Error when the file cannot be
/// read, or may be read by others.
ParsedData keysRequest(const Call& call, bool atPrompt);

/// Prints a new key, or makes a key file with it.
Status genkeyCommand(const Call& call, Context& context);

}  // namespace netcluster::ctl
