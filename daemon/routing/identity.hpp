// Identities nobody can guess: of clients, and of this daemon's session on the link.
#pragma once

#include "text.hpp"

namespace netcluster::daemon {

/// Version 4 of RFC 9562, from the system's random source. Any thread.
wire::Uuid randomUuid();
/// The same name always gives the same uuid (version 5 of RFC 9562).
wire::Uuid namedUuid(std::string_view name);

}  // namespace netcluster::daemon
