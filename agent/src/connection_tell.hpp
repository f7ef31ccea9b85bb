// Parts of Connection that its three files share.
#pragma once

#include "connection.hpp"

namespace netcluster {

// The receiver lives until `call` returns, even if a listener lets go of the last agent.
template <typename Call>
void Connection::tell(Call call) {
    if (const auto receiver = receiver_.lock()) call(*receiver);
}

}  // namespace netcluster
