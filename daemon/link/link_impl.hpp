// The inside of Link: the parts, the timers that drive them, and the counters. Everything that
// decides is in the parts (Packer, Sender, Receiver, Doorkeeper); everything that touches a socket
// is in Transport. Loop thread only.
//
//   link_impl.cpp     open, close, timers
//   link_sending.cpp  events and datagrams on their way out
//   link_hearing.cpp  datagrams on their way in
//   link_stats.cpp    what it tells
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "doorkeeper.hpp"
#include "link.hpp"
#include "link_log.hpp"
#include "packer.hpp"
#include "receiver.hpp"
#include "relay.hpp"
#include "sealer.hpp"
#include "sender.hpp"
#include "strangers.hpp"
#include "transport.hpp"

namespace netcluster::daemon {

class Link::Impl final : public std::enable_shared_from_this<Impl>,
                         private link::TransportEvents,
                         private link::ReceiverEvents,
                         private link::RelayEvents {
  public:
    Impl(boost::asio::io_context& io, config::LinkSettings settings, LinkIdentity identity,
         link::Keyring keys, std::size_t maxEvent, NetSink& sink);
    ~Impl() override;

    void describe(std::function<HostDescription()> describe) { describe_ = std::move(describe); }
    void open();
    void close();
    void send(const wire::EventRun& events);
    void flush();
    bool holdsSenders(const wire::EventRun& events) const;
    void awaitRoom(Waiter& sender);
    void setKeys(link::Keyring keys);
    nlohmann::json stats() const;
    nlohmann::json hosts() const;
    nlohmann::json strangers() const;
    nlohmann::json keyStats() const;
    void probe(std::chrono::milliseconds wait, std::function<void(nlohmann::json)> done);

  private:
    using Time = link::Time;
    using Timer = boost::asio::steady_timer;

    /// Goes on reading when a client that lagged behind lets it.
    struct Reader final : Waiter {
        explicit Reader(Impl& owner) : link(&owner) {}
        void resume() override;
        Impl* link;  ///< null once it is gone
    };

    /// A question to all hosts under way.
    struct Probing {
        struct Answers {
            std::optional<double> small;  ///< round trip in ms
            std::optional<double> large;
            double clockOffset = 0;  ///< ms that the other's clock is ahead
        };
        explicit Probing(boost::asio::io_context& io) : timer(io) {}
        Timer timer;
        std::uint64_t id = 0;  ///< of the small one; the large one's is one more
        Time sent{};
        std::map<wire::Uuid, Answers> answers;
        std::function<void(nlohmann::json)> done;
    };

    // From the transport.
    void onDatagram(std::span<char> datagram, bool truncated, const link::Endpoint& from) override;
    void onBatchEnd() override;

    // From the receiver.
    void onEvents(const wire::EventRun& events) override;
    void onGap(const link::Remote& remote, const link::GapReport& gap) override;
    void onBad(link::Bad reason) override;
    void onHostOnline(const link::Remote& remote) override;
    void onHostExpired(const link::Remote& remote, std::string_view why) override;

    // From the relay.
    void onPassOn(std::string_view message) override;
    void onThere(const link::Origin& origin) override;
    void onGone(const link::Origin& origin, std::string_view why) override;
    void onHole(const link::Origin& origin) override;
    bool onHeld(const wire::Uuid& from, std::string_view event, std::string_view host) override;
    std::uint64_t directPosition(const wire::Uuid& session) const override;

    // Hearing.
    void admit(Time now, const link::Header& header, std::string_view body);
    void take(Time now, const link::Header& header, std::string_view body,
              const link::Endpoint& from);
    void onStatus(Time now, const wire::Uuid& session, std::string_view body);
    void onNak(Time now, const link::Header& header, std::string_view body,
               const link::Endpoint& from);
    void onChallenge(std::string_view body);
    void onProbe(const wire::Uuid& session, std::string_view body);
    void onEcho(Time now, const wire::Uuid& session, std::string_view body);
    void endTurn();
    void sendRequests(Time now);
    void sendChallenges(Time now);

    // Sending.
    void pump();
    bool makeBatch(Time now);
    void batchSent(Time now);
    void waitToSend(Time now);
    void releaseSenders();
    void promiseTail(Time now);
    link::Header nextHeader(link::Type type, bool repeated = false);
    std::string begin(link::Type type);
    void sendOnce(Time now, std::string datagram);
    void describeHost();
    void sendHeartbeat(Time now, bool wantsStatus);
    void sendEnd(Time now);
    void sendLeftovers();

    // Timers. Each starts itself again as long as the link is open and there is work for it.
    void after(Timer& timer, Time when, void (Impl::*then)(Time));
    void later(void (Impl::*then)(Time));
    void onPace(Time now);
    void onPumpPosted(Time now);
    void onReady(Time now);
    void onTail(Time now);
    void onHeartbeatDue(Time now);
    void onRequestsDue(Time now);
    void onHousekeeping(Time now);
    void watchRequests();
    void adoptBuffers();
    void adaptRoom();

    nlohmann::json malformedStats() const;
    nlohmann::json relayStats() const;
    nlohmann::json otherHosts() const;
    bool replaced(const link::Remote& remote) const;
    static bool isBehind(const link::Origin& origin);
    bool wentBehind(const link::Origin& origin) const;
    std::vector<std::string> hostsBehind() const;
    nlohmann::json selfAsHost() const;
    nlohmann::json remoteAsHost(Time now, const link::Remote& remote) const;
    nlohmann::json originAsHost(const link::Origin& origin) const;
    void endProbe(Probing& probing);

    boost::asio::io_context& io_;
    config::LinkSettings settings_;
    LinkIdentity identity_;
    NetSink& sink_;
    std::function<HostDescription()> describe_;
    HostDescription described_;  ///< as of the last regular heartbeat
    link::SendBuffer buffer_;
    link::Packer packer_;
    link::Sender sender_;
    link::Sealer sealer_;
    link::Doorkeeper door_;
    link::Receiver receiver_;
    link::Relay relay_;
    link::LinkLog log_;
    link::Strangers strangers_;
    std::shared_ptr<link::Transport> transport_;
    std::shared_ptr<Reader> reader_;

    Timer paceTimer_;
    Timer tailTimer_;
    Timer heartbeatTimer_;
    Timer requestsTimer_;
    Timer housekeepingTimer_;
    bool pacing_ = false;  ///< a timer or the loop will call `pump`
    bool pumpPosted_ = false;
    bool tailing_ = false;
    bool watching_ = false;
    Time watchedUntil_{};
    int requestsPutOff_ = 0;
    int scanIn_ = 0;  ///< housekeeping turns until the next scan of interfaces

    // The batch being sent.
    std::vector<std::uint64_t> chosen_;
    std::vector<char> batch_;
    std::size_t batchSize_ = 0;  ///< bytes; 0: none
    std::size_t stride_ = 0;

    std::vector<std::weak_ptr<Waiter>> held_;
    Time heldAsked_{};  ///< when receivers were last asked where they are
    Time tailDue_{};    ///< when the next heartbeat behind DATA is due
    std::chrono::milliseconds tailDelay_{0};

    bool open_ = false;
    Time opened_{};
    link::Endpoint from_;       ///< of the datagram being read
    std::uint64_t packet_ = 0;  ///< number of the last datagram of any type
    link::Receiver::Requests requests_;
    std::vector<link::Challenge> challenges_;
    std::vector<link::Nonce> proofs_;
    std::list<Probing> probes_;
    std::uint64_t largest_ = 0;  ///< datagrams of the largest event, as it is passed on
    int echoesLeft_ = 0;         ///< until the next housekeeping turn, as are these
    int proofsLeft_ = 0;
    Time toldOldest_{};  ///< when somebody was last told what is gone

    std::uint64_t sentDatagrams_ = 0;
    std::uint64_t sentBytes_ = 0;
    std::uint64_t ownDatagrams_ = 0;
    std::uint64_t replayDuplicates_ = 0;
    std::uint64_t overflowSeen_ = 0;
    std::uint64_t unprovenSeen_ = 0;
    link::BadCounts bad_{};
};

}  // namespace netcluster::daemon
