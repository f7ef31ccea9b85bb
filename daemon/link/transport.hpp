// All sockets of the link: one per interface for the group, which sends and receives, and one per
// address family for unicast. Sends each datagram on every path, hands in what comes on any socket,
// and follows the interfaces as they come and go. Knows nothing of what datagrams say.
// Owned by Link; loop thread only; never blocks. Handlers that come after its end do nothing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network_interfaces.hpp"
#include "path.hpp"
#include "peers.hpp"
#include "settings.hpp"
#include "udp_socket.hpp"

namespace netcluster::daemon::link {

/// Where datagrams are handed in. May close the transport, must not destroy it.
class TransportEvents {
  public:
    virtual ~TransportEvents() = default;
    /// The bytes are the receiver's to change, until it returns. `truncated`: there was more of it
    /// than fits.
    virtual void onDatagram(std::span<char> datagram, bool truncated, const Endpoint& from) = 0;
    /// The batch is handed in; the loop goes on to others before the next.
    virtual void onBatchEnd() = 0;
};

class Transport : public std::enable_shared_from_this<Transport> {
  public:
    /// Of our own `session` nothing is handed in. Throws Error naming the key: addr, peers.
    Transport(boost::asio::io_context& io, const config::LinkSettings& settings,
              const wire::Uuid& session, TransportEvents& events);
    ~Transport();

    /// Opens what can be opened now. Throws Error only for what waiting will not mend: a port that
    /// is forbidden, or taken while peers need it.
    void open();
    /// Opens what came, closes what went. Called every few seconds.
    void rescan(Time now);
    void close();

    /// Offers the batch to every path. False: some path is full; call again with the same batch in
    /// a moment, the others will not get it twice.
    bool send(Time now, const Batch& batch);
    /// The batch that some path was too full for will not be offered again.
    void forgetBatch();
    /// Offers it once to every path and forgets it: heartbeats, which a later one replaces.
    void sendOnce(Time now, std::string_view datagram);

    /// Reads nothing, neither by itself nor in `drain`, until `resume`.
    void pause() { paused_ = true; }
    void resume();
    bool paused() const { return paused_; }

    /// Reads one batch of every socket. True when nothing is left to read.
    bool drain();

    /// Of the sockets in use, the smallest receive buffer the system granted; 0 if unknown.
    std::uint64_t grantedBuffer() const;
    /// Of the sockets in use, the smallest send buffer granted; 0 if unknown.
    std::uint64_t grantedSendBuffer() const;

    /// What we send to a group comes back through some socket in use.
    bool hearsItself() const;

    /// Datagrams lost in our own receive buffers.
    std::uint64_t overflowed() const { return overflowed_; }
    std::uint64_t receivedDatagrams() const { return receivedDatagrams_; }
    std::uint64_t receivedBytes() const { return receivedBytes_; }

    nlohmann::json interfaceStats() const;
    nlohmann::json peerStats() const;
    /// Whether this daemon has the port's unicast datagrams, per family.
    nlohmann::json unicastStats() const;

  private:
    using Socket = std::shared_ptr<UdpSocket>;
    struct Joined {
        Interface interface;
        Socket socket;
    };

    void openUnicast(bool first);
    Socket tryUnicast(const Endpoint& at, bool first);
    void leaveVanished(const std::vector<Interface>& chosen);
    void joinNew(const std::vector<Interface>& chosen, bool first);
    Socket tryJoin(const Interface& interface, bool first);
    void scanInterfaces(bool first);
    void rebuildPaths();
    void addPath(std::vector<Path>& paths, std::string label, const Socket& socket, Endpoint to);
    /// Why nothing can be sent to an address of that family by unicast.
    std::string whyNoSocket(const Endpoint& to) const;
    void noteUsable();
    void complain(const std::string& about, const std::string& why);

    void listen(const Socket& socket);
    /// True when the batch was full, so that there may be more.
    bool readBatch(UdpSocket& socket);
    void readPiece(std::size_t i);
    std::uint64_t smallest(std::uint64_t (UdpSocket::*granted)() const) const;
    std::vector<Socket> openSockets() const;
    Endpoint groupOn(const Interface& interface) const;
    std::string groupText() const;

    boost::asio::io_context& io_;
    const config::LinkSettings& settings_;
    const wire::Uuid session_;
    TransportEvents& events_;
    const Batching batching_;  ///< the best that may be tried
    std::shared_ptr<Peers> peers_;
    Endpoint group_;  ///< port 0 without a group
    /// The one address that unicast comes to; none: all of this host.
    std::optional<boost::asio::ip::address> ownAddress_;
    std::vector<Joined> joined_;
    Socket unicastV4_;
    Socket unicastV6_;
    std::vector<Path> paths_;
    ReceiveBatch batch_;
    bool open_ = false;
    bool paused_ = false;
    std::vector<std::weak_ptr<UdpSocket>> unheard_;  ///< not listened to while paused
    bool usable_ = true;                             ///< so that the first failure is logged
    std::map<std::string, std::string> complained_;  ///< last complaint by what it is about
    std::uint64_t overflowed_ = 0;
    std::uint64_t receivedDatagrams_ = 0;
    std::uint64_t receivedBytes_ = 0;
};

}  // namespace netcluster::daemon::link
