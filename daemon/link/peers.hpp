// The hosts that get every datagram by unicast: the `peers` of the configuration, from text to
// addresses. Names are looked up without holding anybody up, and again when that failed.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "remote.hpp"

namespace netcluster::daemon::link {

/// A name that was not found is asked for again after this. Reason: a resolver that is down must
/// not be hammered, and a host that comes up is found within the minute.
inline constexpr std::chrono::seconds resolveRetry{30};
/// A name that was found is asked for again after this. Reason: containers and DHCP hosts come back
/// under other addresses.
inline constexpr std::chrono::minutes resolveAgain{5};

/// One entry as text: "host:port", "1.2.3.4:port" or "[v6]:port".
struct PeerName {
    std::string host;
    std::uint16_t port = 0;
    bool operator==(const PeerName&) const = default;
};

/// Empty when `text` is none of these.
std::optional<PeerName> parsePeer(const std::string& text);

struct Peer {
    std::string text;  ///< as configured, for log and stats
    PeerName name;
    std::optional<Endpoint> address;
};

/// Owned by Transport; loop thread only. Handlers that come after its end do nothing.
class Peers : public std::enable_shared_from_this<Peers> {
  public:
    /// `changed` is called when an address became known or another one.
    /// Throws Error naming the entry that is no peer.
    Peers(boost::asio::io_context& io, const std::vector<std::string>& configured,
          std::function<void()> changed);

    /// Addresses in digits are known at once; names are looked up.
    void start();
    /// Looks up again what is due. Called every few seconds.
    void refresh(Time now);
    void stop();
    ~Peers() { stop(); }

    const std::vector<Peer>& all() const { return peers_; }

  private:
    void resolve(std::size_t index);
    void resolved(std::size_t index, const boost::system::error_code& error,
                  const boost::asio::ip::udp::resolver::results_type& found);

    /// How a finished look-up finds its way back; empty once we have stopped.
    struct Way {
        std::mutex mutex;
        boost::asio::io_context* io;
    };
    std::shared_ptr<Way> way_;
    std::vector<Peer> peers_;
    std::vector<Time> due_;  ///< when to look each up (again); never for addresses in digits
    std::vector<std::string> complained_;  ///< last complaint logged for each
    std::function<void()> changed_;
};

}  // namespace netcluster::daemon::link
