// A channel: its endpoint, and the clients connected to it.
// Owned by Server; loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "acceptor.hpp"
#include "session.hpp"

namespace netcluster::daemon {

class Channel {
  public:
    /// Opens the endpoint in `runDir`; clients are accepted from `start` on. Throws Error naming
    /// the endpoint.
    Channel(SessionContext& context, std::string name, FrameSink& sink,
            const config::ChannelSettings& settings, const std::string& runDir);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    void start();
    /// Changed settings of a living channel. Throws Error (mode, group), and nothing has changed.
    void apply(const config::ChannelSettings& settings);
    /// No new clients; the endpoint is gone when this returns.
    void stopAccepting();
    /// Those that are here are told why, get what they are owed, and go.
    void close(const std::string& reason);
    /// The limits of the context have changed.
    void takeLimits(bool newMaxEvent);

    const std::string& name() const { return name_; }
    const std::string& endpoint() const { return acceptor_.endpoint(); }
    std::size_t clients() const { return sessions_.size(); }
    /// Events dropped for clients of this channel, also for those that have gone.
    std::uint64_t dropped() const;

    nlohmann::json clientList() const;
    bool has(const wire::Uuid& client) const;
    /// Null when there is no such client.
    nlohmann::json client(const std::string& uuid) const;

    /// From a session of ours, when it is over.
    void ended(Session& session);

  private:
    void accepted(local::Stream stream);

    SessionContext& context_;
    const std::string name_;
    FrameSink& sink_;
    config::SlowConsumer slowConsumer_;
    local::Acceptor::Rights rights_;
    local::Acceptor acceptor_;
    std::optional<local::LegacyLink> legacyLink_;
    std::map<wire::Uuid, std::shared_ptr<Session>> sessions_;
    std::uint64_t droppedBefore_ = 0;
    bool turnedAway_ = false;  // logged, until there is room again
};

}  // namespace netcluster::daemon
