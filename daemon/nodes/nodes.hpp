// Nodes, as the rest of the daemon meets them: what clients ask about them, what other daemons
// tell, whom an address means; and who hears of it. The decisions are NodeDirectory's. Owned by
// Core; loop thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "address_book.hpp"
#include "node_directory.hpp"
#include "request_budget.hpp"
#include "router.hpp"

namespace netcluster::daemon {

class Nodes final : public Addressing, private NodeEvents {
  public:
    /// `host`: this daemon's identity, as its heartbeats tell it.
    Nodes(boost::asio::io_context& io, Router& router, const wire::Uuid& host,
          std::string hostName);
    ~Nodes();

    std::string whyNot(std::string_view to) override;
    bool isFor(std::string_view to, const wire::Uuid& client) override;
    bool mayBeElsewhere(std::string_view to) override;
    Request onRequest(Source& source, const wire::EventView& event) override;
    void onHostEvent(const wire::EventView& event) override;
    void onNotice(std::string_view event, std::string_view json) override;
    void onCame(const wire::Uuid& client) override;
    void onGone(const wire::Uuid& client) override;

    /// What this host is called, and the largest event the link carries; now and after a reload.
    void takeLimits(const std::string& hostName, std::size_t maxEvent);
    /// The daemon stops: no timer keeps the loop alive.
    void close();

    /// For a client that has just come: those that are there.
    std::vector<Notice> standing() const;
    const NodeDirectory& directory() const { return directory_; }

  private:
    using Timer = boost::asio::steady_timer;

    /// Waits for room on the link.
    struct Teller final : Waiter {
        explicit Teller(Nodes& owner) : nodes(&owner) {}
        void resume() override;
        Nodes* nodes;  ///< null once they are gone
    };

    void watch();
    void after(Timer& timer, bool& running, std::chrono::milliseconds time, void (Nodes::*then)());
    void complain(const wire::EventView& event, const std::string& wrong);
    void answerAskers();
    void askAgain();
    void tellStats();
    void tellUntold();
    void resumeWaiting();
    std::chrono::milliseconds untilAnswer() const;
    std::chrono::milliseconds untilStats() const;
    nlohmann::json answerTo(Source& source, const wire::EventView& event);
    nlohmann::json noticeOf(const Node& node) const;

    void onNodeOnline(const Node& node) override;
    void onNodeChanged(const Node& node) override;
    void onNodeExpired(const Node& node, std::string_view why) override;
    void onNodeRefused(const Node& node, const Node& winner) override;
    void onStats(const nlohmann::json& stats) override;
    void tellHosts(std::string_view event, const nlohmann::json& data) override;

    boost::asio::io_context& io_;
    Router& router_;
    NodeDirectory directory_;
    AddressBook book_;
    RequestBudget budget_;
    Timer answerTimer_;
    Timer askTimer_;
    Timer statsTimer_;
    Timer resumeTimer_;
    bool answering_ = false;
    bool asking_ = false;
    bool telling_ = false;
    std::chrono::steady_clock::time_point statsTold_{};
    bool resuming_ = false;
    bool untold_ = false;  ///< there was no room on the link for something that others must know
    bool closed_ = false;
    const std::shared_ptr<Teller> teller_ = std::make_shared<Teller>(*this);
    std::vector<std::weak_ptr<Waiter>> waiting_;  ///< clients whose requests are too many just now
    std::set<std::string> complainedOf_;          ///< names of hosts that told what cannot be used
};

}  // namespace netcluster::daemon
