// The daemon's parts and how they fit: channels, router, link, control. `open`, `reload` and
// `close` show the order in which they come and go. Owned by Server; all but the constructor and
// `open` runs on the loop thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "channel.hpp"
#include "control.hpp"
#include "link.hpp"
#include "nodes.hpp"
#include "parse.hpp"
#include "router.hpp"

namespace netcluster::daemon {

class Core final : public Administration {
  public:
    Core(boost::asio::io_context& io, config::Settings settings, std::string configFile,
         const std::string& runDir);
    ~Core() override;

    /// Throws Error; nothing is left behind then.
    void open();
    /// Everything ends within Session::drainTime; the loop then has no work left.
    void close();

    /// One line for people: how much there is, and whether the last reload was refused.
    std::string summary() const;

    nlohmann::json showConfig() override;
    nlohmann::json reloadFile(const std::string& path) override;
    nlohmann::json reloadText(std::string_view text) override;
    nlohmann::json listKeys() override;
    nlohmann::json addKey(std::uint16_t id, std::string_view key) override;
    nlohmann::json useKey(std::uint16_t id) override;
    nlohmann::json removeKey(std::uint16_t id) override;
    nlohmann::json showChannel(const std::string& channel) override;
    nlohmann::json showClient(const std::string& channel, const std::string& client) override;
    nlohmann::json stats() override;
    nlohmann::json hosts() override;
    nlohmann::json nodes(const std::string& target) override;
    nlohmann::json node(const std::string& id) override;
    void doctor(std::chrono::milliseconds wait, Reply reply) override;

  private:
    using Channels = std::map<std::string, std::shared_ptr<Channel>>;

    nlohmann::json reload(config::Parsed parsed, const std::string& file);
    nlohmann::json take(config::Parsed parsed, const std::string& file);
    Channels openMissing(const config::Settings& wanted);
    void applyRights(const config::Settings& wanted);
    void replaceLink(const config::Settings& wanted, const link::Keyring& keys);
    std::unique_ptr<Link> openLink(const config::Settings& settings, const link::Keyring& keys);
    void setLimits(const config::Settings& settings);
    void closeUnwanted(const config::Settings& wanted);
    Channel& find(const std::string& channel) const;
    nlohmann::json channelStats(const Channel& channel) const;

    // core_nodes.cpp
    nlohmann::json shown(const Node& node) const;

    // core_hosts.cpp
    HostDescription describeHost() const;
    std::vector<nlohmann::json> hostsOnline();
    std::vector<Notice> standingNotices();
    void awaitHosts(std::chrono::milliseconds heartbeat);
    void tellForgotten(const std::vector<nlohmann::json>& hosts);
    void probe(std::chrono::milliseconds wait, Reply done);
    nlohmann::json doctorFactsOrError(const nlohmann::json& hosts);
    nlohmann::json doctorFacts(nlohmann::json hosts);

    // core_keys.cpp
    nlohmann::json changeKeys(const std::function<void(link::Keyring&)>& change,
                              const std::string& told);

    boost::asio::io_context& io_;
    config::Settings settings_;
    std::string configFile_;
    std::string refused_;  ///< what was wrong at the last reload; empty: it was taken
    link::Keyring keys_;   ///< in force, and what the key file says
    local::RunDirectory runDir_;
    const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();

    local::SharedCounter generation_;  // the router's, for clients to see
    Router router_{[this](std::uint64_t generation) { generation_.set(generation); }};
    Nodes nodes_;
    Control control_;
    QueueBudget budget_;
    PatternCache patterns_;
    SessionContext context_;
    Channels channels_;
    std::vector<std::shared_ptr<Channel>> leaving_;  // closed, their clients still reading
    std::unique_ptr<Link> link_;
    boost::asio::steady_timer hostsTimer_;
    bool hostsKnown_ = false;  // whoever is there has been heard by now
    /// As many more owners as there are doctors waiting for their answer.
    const std::shared_ptr<const bool> doctors_ = std::make_shared<const bool>(true);
};

}  // namespace netcluster::daemon
