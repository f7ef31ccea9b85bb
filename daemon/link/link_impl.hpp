// The inside of Link: the parts, the timers that drive them, and the counters. Everything that
// decides is in the parts (Packer, DatagramQueue, Receiver); everything that touches a socket is in
// Transport. Loop thread only.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "datagram_queue.hpp"
#include "link.hpp"
#include "link_log.hpp"
#include "packer.hpp"
#include "receiver.hpp"
#include "sealer.hpp"
#include "transport.hpp"

namespace netcluster::daemon {

class Link::Impl final : public std::enable_shared_from_this<Impl>,
                         private link::TransportEvents,
                         private link::ReceiverEvents {
  public:
    Impl(boost::asio::io_context& io, config::LinkSettings settings, LinkIdentity identity,
         link::Keyring keys, std::size_t maxEvent, NetSink& sink);
    ~Impl() override;

    void open();
    void close();
    void send(const wire::EventView& event);
    void flush();
    void setKeys(link::Keyring keys);
    nlohmann::json keyStats() const;
    nlohmann::json stats() const;

  private:
    using Time = link::Time;
    using Timer = boost::asio::steady_timer;

    // From the transport.
    void onDatagram(std::string_view datagram, bool truncated, const link::Endpoint& from) override;
    void onBatchEnd() override;

    // From the receiver.
    void onEvent(const wire::EventView& event) override;
    void onGap(const link::GapReport& gap) override;
    void onBad(link::Bad reason) override;
    void onHostOnline(std::string_view host, const link::Endpoint& address) override;
    void onHostGone(std::string_view host, std::string_view why) override;

    // Sending.
    void pump();
    bool sendFront(Time now);
    void sendHeartbeat(Time now);
    void sendEnd(Time now);
    std::string begin(link::Type type);
    void sendLeftovers(Time now);
    void countSent(const std::string& datagram);

    // Timers. Each starts itself again as long as the link is open and there is work for it.
    void after(Timer& timer, Time when, void (Impl::*then)(Time));
    void onPace(Time now);
    void onHeartbeatDue(Time now);
    void onHolesDue(Time now);
    void onHousekeeping(Time now);
    void watchHoles();

    nlohmann::json hostStats(Time now) const;
    nlohmann::json malformedStats() const;

    config::LinkSettings settings_;
    LinkIdentity identity_;
    link::Sealer sealer_;
    NetSink& sink_;
    link::DatagramQueue queue_;
    link::Packer packer_;
    link::TokenBucket bucket_;
    link::Receiver receiver_;
    link::LinkLog log_;
    std::shared_ptr<link::Transport> transport_;

    Timer paceTimer_;
    Timer heartbeatTimer_;
    Timer holesTimer_;
    Timer housekeepingTimer_;
    bool pacing_ = false;
    bool watchingHoles_ = false;
    int holesPutOff_ = 0;
    int scanIn_ = 0;  ///< housekeeping turns until the next scan of interfaces

    bool open_ = false;
    Time opened_{};
    link::Endpoint sender_;      ///< of the datagram being read
    std::uint64_t packet_ = 0;   ///< number of the last datagram of any type
    std::uint64_t highest_ = 0;  ///< sequence number of the last DATA sent
    std::uint64_t sentDatagrams_ = 0;
    std::uint64_t sentBytes_ = 0;
    std::uint64_t ownDatagrams_ = 0;
    std::uint64_t overflowSeen_ = 0;
    link::BadCounts bad_{};
};

}  // namespace netcluster::daemon
