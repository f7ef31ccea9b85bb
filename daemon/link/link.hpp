// The link between hosts: UDP multicast and unicast peers. Sends what the router gives it and hands
// the router what other hosts sent. docs/link-protocol.md draws the datagrams.
// Owned by Server; lives on the daemon's loop thread; never blocks and never holds up local
// delivery: what it cannot send yet waits in a bounded queue (DatagramQueue), what does not fit
// there is dropped, counted, logged, and reported to the receivers as a gap.
//
// Promised: each sender's events in their order, none twice; a loss is noticed, counted and logged.
// Not yet: a loss is not repaired, and nothing is secret.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

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

class Link final : public NetOutlet {
  public:
    /// `sink` outlives the link and must not destroy it from within a call; it may close it.
    /// Throws Error when `addr` is no multicast address or an entry of `peers` is no host:port.
    /// Without `keys` nothing is encrypted.
    Link(boost::asio::io_context& io, config::LinkSettings settings, LinkIdentity identity,
         link::Keyring keys, std::size_t maxEvent, NetSink& sink);
    ~Link() override;

    /// Opens the sockets, joins the group, sends the first heartbeat. Throws Error naming the key
    /// concerned for what waiting will not mend: a port that is forbidden, or taken while peers
    /// need it. An interface that is missing is logged and waited for: the host is served without.
    void open();
    /// Sends what is queued, says goodbye, closes. Idempotent.
    void close();

    void send(const wire::EventView& event) override;
    void flush() override;

    /// Holds from the next datagram on; the session and its numbers go on.
    void setKeys(link::Keyring keys);
    /// Each key's id, use and datagrams opened, and how many datagrams no key opened.
    nlohmann::json keyStats() const;

    /// Counters, interfaces in use, peers and hosts heard of, for `stats`.
    nlohmann::json stats() const;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  ///< shared with handlers under way, which do nothing after us
};

}  // namespace netcluster::daemon
