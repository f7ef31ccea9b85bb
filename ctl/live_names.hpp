// The names that the daemon knows right now, for completion: at the prompt and in shells. Asks when
// it is asked; the user waits at the keyboard, so it gives up soon and then knows no names.
#pragma once

#include "completion.hpp"
#include "control_client.hpp"

namespace netcluster::ctl {

/// Half a second to be let in and one for the answer. Reason: longer, and Tab feels stuck.
constexpr Patience completionPatience{std::chrono::milliseconds(500),
                                      std::chrono::milliseconds(1000)};

/// `control` must live as long.
LiveNames liveNames(ControlClient& control);

}  // namespace netcluster::ctl
