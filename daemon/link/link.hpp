// The link between hosts: UDP multicast and unicast peers. Sends what the router gives it and hands
// the router what other hosts sent. docs/link-protocol.md draws the datagrams and says what is
// promised.
// Owned by Server; lives on the daemon's loop thread; never blocks. What it cannot send yet waits
// in a bounded buffer; when that is full it holds its senders as a slow client does, for as long as
// any receiver moves.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "interfaces.hpp"
#include "keyring.hpp"
#include "settings.hpp"

namespace netcluster::daemon {

/// Who this daemon is on the link.
struct LinkIdentity {
    /// 128 random bits, new for every Link: numbers start again with it, and receivers drop what a
    /// session they know says under old numbers.
    wire::Uuid session{};
    wire::Uuid host{};  ///< stable across starts
    std::string name;   ///< the host's name, at most 64 bytes
};

/// What other hosts are told of this one with each heartbeat.
struct HostDescription {
    double load = 0;  ///< 1-minute average
    unsigned cpus = 0;
    std::uint64_t memoryTotal = 0;  ///< bytes, as are the next two
    std::uint64_t memoryAvailable = 0;
    std::uint64_t rss = 0;      ///< of the daemon
    std::uint32_t clients = 0;  ///< connections
    std::vector<std::string> channels;
};

class Link final : public NetOutlet {
  public:
    /// `keys`: what the link is encrypted with; none: it is not. `sink` outlives the link and must
    /// not destroy it from within a call; it may close it.
    /// Throws Error when `addr` is no multicast address or an entry of `peers` is no host:port.
    Link(boost::asio::io_context& io, config::LinkSettings settings, LinkIdentity identity,
         link::Keyring keys, std::size_t maxEvent, NetSink& sink);
    ~Link() override;

    /// Asked with each heartbeat; to be set before `open`, and good as long as the link is.
    void describe(std::function<HostDescription()> describe);

    /// Opens the sockets, joins the group, sends the first heartbeat. Throws Error naming the key
    /// concerned for what waiting will not mend: a port that is forbidden, or taken while peers
    /// need it. An interface that is missing is logged and waited for: the host is served without.
    void open();
    /// Sends what is queued, says goodbye, closes. Idempotent.
    void close();

    void send(const wire::EventRun& events) override;
    void flush() override;
    bool holdsSenders(const wire::EventRun& events) const override;
    void awaitRoom(Waiter& sender) override;

    /// Takes other keys, at once and without losing anything. From none to some or back is for a
    /// new link.
    void setKeys(link::Keyring keys);

    /// Counters, interfaces in use, peers, keys, strangers, for `stats`.
    nlohmann::json stats() const;
    /// This host and the others, for `hosts`.
    nlohmann::json hosts() const;
    /// What datagrams are refused and from where, for `doctor`.
    nlohmann::json strangers() const;
    /// Each key's id, use and datagrams opened, and how many datagrams no key opened.
    nlohmann::json keyStats() const;
    /// Asks every host to answer, with a small datagram and with one of full size; after `wait`
    /// calls `done` with `hosts()`, each with `probe` {small, large, roundtripms, clockoffsetms}.
    /// Not called when the link is closed before.
    void probe(std::chrono::milliseconds wait, std::function<void(nlohmann::json)> done);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  ///< shared with handlers under way, which do nothing after us
};

}  // namespace netcluster::daemon
