// Which node a connection goes to, and under which address. Knows nothing of sockets.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <netcluster/agent.hpp>
#include <optional>
#include <set>
#include <string>

/// The nodes that offer a service, as an agent knows them, and what this proxy has learnt of them.
/// All but the constructor on one thread.
class Backends {
  public:
    struct Backend {
        std::string id;
        std::string address;  ///< in digits
        std::uint16_t port = 0;
    };

    /// The agent's onPresence is ours from now on; it must outlive us.
    Backends(netcluster::Agent& agent, std::string service, netcluster::Pick how);

    /// The best one that is none of these. `client`: who gets the same one again with Pick::sticky.
    std::optional<Backend> best(const std::set<std::string>& but, const std::string& client);

    /// Connections that we have given it. What it says of itself is up to a second old, and all
    /// that come in this second must not go to the one that had least to do at its beginning.
    void begin(const std::string& id) { ++open_[id]; }
    void end(const std::string& id);
    /// It did not answer: others come first for a second, by which its host has told if it is gone.
    void failed(const std::string& id) { failed_[id] = std::chrono::steady_clock::now(); }

  private:
    std::string addressOf(const netcluster::Node& node);
    void countOwn(netcluster::Node& node) const;
    bool failedLately(const std::string& id);

    netcluster::Agent& agent_;
    const std::string service_;
    const netcluster::Pick how_;
    netcluster::Picker picker_;
    std::map<std::string, std::int64_t> open_;
    std::map<std::string, std::chrono::steady_clock::time_point> failed_;

    std::mutex mutex_;                              ///< the agent tells it on a thread of its own
    std::map<std::string, std::string> addresses_;  ///< of hosts, by their id
};
