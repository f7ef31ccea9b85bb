// Whether this process is a service that the service control manager has started. Set by `run`
// before anything else happens; any thread.
#pragma once

namespace netcluster::service {

bool isService();

/// `run` shall not ask the service control manager: `ncserver run`.
void stayInConsole();

}  // namespace netcluster::service
