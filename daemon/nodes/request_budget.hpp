// How often clients may register and unregister nodes. Reason: each time all hosts and many clients
// are told. Pure; the caller brings the clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>

#include "text.hpp"

namespace netcluster::daemon {

class RequestBudget {
  public:
    using Time = std::chrono::steady_clock::time_point;
    /// At once, and per second: of one client, and of all clients of the daemon. Reason: a client
    /// with all the nodes it may have comes and goes in one go, and so do all of them when the
    /// daemon is started; beyond that, changes are to be a small part of what a link carries.
    struct Limit {
        double atOnce;
        double perSecond;
    };
    static constexpr Limit ofClient{1024, 256};
    static constexpr Limit ofAll{8192, 2048};

    /// False: not now; it is asked again later.
    bool take(const wire::Uuid& client, Time now) {
        const auto [found, isNew] = clients_.try_emplace(client, Bucket{ofClient.atOnce, now});
        found->second.fill(ofClient, now);
        all_.fill(ofAll, now);
        if (found->second.tokens < 1 || all_.tokens < 1) return false;
        found->second.tokens -= 1;
        all_.tokens -= 1;
        return true;
    }
    /// It is gone, and so are that many nodes of it: a change each.
    void forget(const wire::Uuid& client, std::size_t nodes) {
        clients_.erase(client);
        all_.tokens -= static_cast<double>(nodes);
    }

  private:
    struct Bucket {
        double tokens = 0;
        Time filled{};
        void fill(const Limit& limit, Time now) {
            const std::chrono::duration<double> passed = now - filled;
            tokens = std::min(limit.atOnce, tokens + passed.count() * limit.perSecond);
            filled = now;
        }
    };

    std::map<wire::Uuid, Bucket> clients_;  ///< that asked; no more than there are
    Bucket all_{ofAll.atOnce, {}};
};

}  // namespace netcluster::daemon
