#include "transport.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <netcluster/error.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;

std::string text(const Endpoint& endpoint) {
    std::ostringstream out;
    out << endpoint;
    return out.str();
}

Endpoint parseGroup(const config::LinkSettings& settings) {
    if (settings.addr.empty()) return {};
    boost::system::error_code error;
    const auto address = ip::make_address(settings.addr, error);
    if (error) throw Error("addr: \"" + settings.addr + "\" is not an IP address");
    if (!address.is_multicast()) {
        throw Error("addr: " + settings.addr + " is not a multicast address");
    }
    return {address, settings.port};
}

}  // namespace

Transport::Transport(boost::asio::io_context& io, const config::LinkSettings& settings,
                     TransportEvents& events)
    : io_(io), settings_(settings), events_(events), group_(parseGroup(settings)) {
    // Stopped before we end, so the pointer is good whenever it is called.
    peers_ = std::make_shared<Peers>(io, settings.peers, [this] { rebuildPaths(); });
}

Transport::~Transport() {
    close();
}

void Transport::open() {
    open_ = true;
    openUnicast(true);
    peers_->start();
    scanInterfaces(true);
    rebuildPaths();
    noteUsable();
}

void Transport::rescan(Time now) {
    openUnicast(false);
    peers_->refresh(now);
    scanInterfaces(false);
    rebuildPaths();
    noteUsable();
}

void Transport::close() {
    open_ = false;
    peers_->stop();
    paths_.clear();
    for (const Joined& joined : joined_) joined.socket->close();
    joined_.clear();
    for (Socket* socket : {&unicastV4_, &unicastV6_}) {
        if (*socket) (*socket)->close();
        socket->reset();
    }
}

// What a path counted and its complaints stay with it as long as it leads to the same place.
void Transport::addPath(std::vector<Path>& paths, std::string label, const Socket& socket,
                        Endpoint to) {
    for (Path& old : paths_) {
        if (old.label() == label && old.socket() == socket && old.to() == to) {
            paths.push_back(std::move(old));
            return;
        }
    }
    paths.emplace_back(std::move(label), socket, std::move(to));
}

void Transport::rebuildPaths() {
    std::vector<Path> paths;
    for (const Joined& joined : joined_) {
        addPath(paths, joined.interface.name, joined.socket, groupOn(joined.interface));
    }
    for (const Peer& peer : peers_->all()) {
        if (!peer.address) continue;
        const Socket& socket = peer.address->address().is_v6() ? unicastV6_ : unicastV4_;
        if (socket) addPath(paths, "peer " + peer.text, socket, *peer.address);
    }
    paths_ = std::move(paths);
}

bool Transport::send(Time now, std::string_view datagram) {
    bool everywhere = true;
    for (Path& path : paths_) {
        if (!path.settled) path.settled = path.offer(now, datagram);
        everywhere = everywhere && path.settled;
    }
    if (!everywhere) return false;
    for (Path& path : paths_) path.settled = false;
    return true;
}

void Transport::sendOnce(Time now, std::string_view datagram) {
    for (Path& path : paths_) path.offer(now, datagram);
}

void Transport::listen(const Socket& socket) {
    socket->awaitReadable([weak = weak_from_this(), weakSocket = std::weak_ptr<UdpSocket>(socket)](
                              const boost::system::error_code& error) {
        const auto self = weak.lock();
        const auto readable = weakSocket.lock();
        if (error || !self || !readable || !self->open_) return;
        self->readBatch(*readable);
        if (readable->isOpen()) self->listen(readable);
    });
}

bool Transport::readBatch(UdpSocket& socket) {
    if (!socket.isOpen()) return false;
    boost::system::error_code error;
    const std::uint32_t overflowedBefore = socket.overflowed();
    const std::size_t count = batch_.receive(socket, error);
    overflowed_ += socket.overflowed() - overflowedBefore;
    if (error) {
        // Opened again by the next scan; reading on might spin.
        spdlog::warn("link: reading failed: {}", error.message());
        socket.close();
        return false;
    }
    for (std::size_t i = 0; i < count && open_; ++i) {
        ++receivedDatagrams_;
        receivedBytes_ += batch_.datagram(i).size();
        events_.onDatagram(batch_.datagram(i), batch_.truncated(i), batch_.from(i));
    }
    if (count != 0 && open_) events_.onBatchEnd();
    return count == ReceiveBatch::capacity;
}

bool Transport::drain() {
    bool empty = true;
    for (const Socket& socket : openSockets()) {
        if (open_ && readBatch(*socket)) empty = false;
    }
    return empty;
}

std::uint64_t Transport::grantedBuffer() const {
    std::uint64_t smallest = 0;
    for (const Socket& socket : openSockets()) {
        const std::uint64_t granted = socket->grantedBuffer();
        if (smallest == 0 || (granted != 0 && granted < smallest)) smallest = granted;
    }
    return smallest;
}

std::vector<Transport::Socket> Transport::openSockets() const {
    std::vector<Socket> sockets{unicastV4_, unicastV6_};
    for (const Joined& joined : joined_) sockets.push_back(joined.socket);
    std::erase_if(sockets, [](const Socket& socket) { return !socket || !socket->isOpen(); });
    return sockets;
}

Endpoint Transport::groupOn(const Interface& interface) const {
    if (group_.address().is_v4()) return group_;
    auto address = group_.address().to_v6();
    address.scope_id(interface.index);
    return {address, group_.port()};
}

std::string Transport::groupText() const {
    return text(group_);
}

nlohmann::json Transport::interfaceStats() const {
    auto list = nlohmann::json::array();
    for (const Path& path : paths_) {
        if (!path.to().address().is_multicast()) continue;
        const Path::Counts& counts = path.counts();
        list.push_back({{"name", path.label()},
                        {"group", groupText()},
                        {"datagrams", counts.datagrams},
                        {"bytes", counts.bytes},
                        {"skipped", counts.skipped},
                        {"toobig", counts.tooBig},
                        {"failed", counts.failed}});
    }
    return list;
}

nlohmann::json Transport::peerStats() const {
    auto list = nlohmann::json::array();
    for (const Peer& peer : peers_->all()) {
        nlohmann::json entry{{"peer", peer.text}, {"address", nullptr}};
        if (peer.address) entry["address"] = text(*peer.address);
        for (const Path& path : paths_) {
            if (path.label() != "peer " + peer.text) continue;
            entry["datagrams"] = path.counts().datagrams;
            entry["bytes"] = path.counts().bytes;
            entry["skipped"] = path.counts().skipped;
            entry["toobig"] = path.counts().tooBig;
            entry["failed"] = path.counts().failed;
        }
        list.push_back(std::move(entry));
    }
    return list;
}

}  // namespace netcluster::daemon::link
