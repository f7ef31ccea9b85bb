#include "transport.hpp"

#include <algorithm>
#include <cstdlib>
#include <netcluster/error.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "log.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;

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

// Without a group, an address as "netinterface" is the one to be reached under. Its name stands for
// addresses that may come and go, and says nothing of unicast.
std::optional<ip::address> parseOwnAddress(const config::LinkSettings& settings) {
    if (!settings.addr.empty()) return {};
    boost::system::error_code notAnAddress;
    const auto address = ip::make_address(settings.netInterface, notAnAddress);
    return notAnAddress ? std::nullopt : std::optional(address);
}

// For interfaces whose drivers promise more than they keep.
Batching allowedBatching() {
    const char* wanted = std::getenv("NETCLUSTER_LINK_BATCHING");
    if (!wanted || !*wanted) return Batching::segments;
    for (const Batching way : {Batching::single, Batching::many, Batching::segments}) {
        if (batchingName(way) == wanted) return way;
    }
    throw Error("NETCLUSTER_LINK_BATCHING: \"" + std::string(wanted) +
                "\" is not single, many or segments");
}

}  // namespace

Transport::Transport(boost::asio::io_context& io, const config::LinkSettings& settings,
                     const wire::Uuid& session, TransportEvents& events)
    : io_(io),
      settings_(settings),
      session_(session),
      events_(events),
      batching_(allowedBatching()),
      group_(parseGroup(settings)),
      ownAddress_(parseOwnAddress(settings)) {
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
        const std::string label = "peer " + peer.text;
        complain(label, socket ? "" : "nothing is sent to it: " + whyNoSocket(*peer.address));
        if (socket) addPath(paths, label, socket, *peer.address);
    }
    paths_ = std::move(paths);
}

bool Transport::send(Time now, const Batch& batch) {
    bool everywhere = true;
    for (Path& path : paths_) {
        if (!path.settled) path.settled = path.offer(now, batch);
        everywhere = everywhere && path.settled;
    }
    if (!everywhere) return false;
    for (Path& path : paths_) path.settled = false;
    return true;
}

void Transport::forgetBatch() {
    for (Path& path : paths_) path.forgetBatch();
}

void Transport::sendOnce(Time now, std::string_view datagram) {
    for (Path& path : paths_) path.offerOnce(now, datagram);
}

void Transport::listen(const Socket& socket) {
    socket->awaitReadable([weak = weak_from_this(), weakSocket = std::weak_ptr<UdpSocket>(socket)](
                              const boost::system::error_code& error) {
        const auto self = weak.lock();
        const auto readable = weakSocket.lock();
        if (error || !self || !readable || !self->open_) return;
        if (!self->paused_) self->readBatch(*readable);
        if (self->paused_) return self->unheard_.push_back(readable);
        if (readable->isOpen()) self->listen(readable);
    });
}

void Transport::resume() {
    paused_ = false;
    for (const auto& waiting : std::exchange(unheard_, {})) {
        const auto socket = waiting.lock();
        if (socket && socket->isOpen()) listen(socket);
    }
}

bool Transport::readBatch(UdpSocket& socket) {
    if (!socket.isOpen()) return false;
    boost::system::error_code error;
    const std::uint32_t overflowedBefore = socket.overflowed();
    const std::size_t count = batch_.receive(socket, error);
    overflowed_ += socket.overflowed() - overflowedBefore;
    if (error) {
        // Opened again by the next scan; reading on might spin.
        log::warn("link: reading failed: {}", error.message());
        socket.close();
        return false;
    }
    for (std::size_t i = 0; i < count && open_; ++i) readPiece(i);
    if (count != 0 && open_) events_.onBatchEnd();
    return count == ReceiveBatch::capacity;
}

void Transport::readPiece(std::size_t i) {
    std::span<char> rest = batch_.piece(i);
    const std::size_t stride = std::max<std::size_t>(batch_.stride(i), 1);
    const Endpoint from = batch_.from(i);
    receivedBytes_ += rest.size();
    do {
        const std::size_t size = std::min(stride, rest.size());
        ++receivedDatagrams_;
        events_.onDatagram(rest.first(size), batch_.truncated(i), from);
        rest = rest.subspan(size);
    } while (!rest.empty() && open_);
}

bool Transport::drain() {
    bool empty = !paused_;
    for (const Socket& socket : openSockets()) {
        if (open_ && !paused_ && readBatch(*socket)) empty = false;
    }
    return empty;
}

std::uint64_t Transport::smallest(std::uint64_t (UdpSocket::*granted)() const) const {
    std::uint64_t least = 0;
    for (const Socket& socket : openSockets()) {
        const std::uint64_t one = (socket.get()->*granted)();
        if (least == 0 || (one != 0 && one < least)) least = one;
    }
    return least;
}

std::uint64_t Transport::grantedBuffer() const {
    return smallest(&UdpSocket::grantedBuffer);
}

std::uint64_t Transport::grantedSendBuffer() const {
    return smallest(&UdpSocket::grantedSendBuffer);
}

bool Transport::hearsItself() const {
    return std::any_of(joined_.begin(), joined_.end(),
                       [](const Joined& joined) { return !joined.socket->ignoresOwn(); });
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
                        {"failed", counts.failed},
                        {"batching", batchingName(path.socket()->batching())}});
    }
    return list;
}

nlohmann::json Transport::unicastStats() const {
    return {{"ipv4", unicastV4_ && unicastV4_->isOpen()},
            {"ipv6", unicastV6_ && unicastV6_->isOpen()}};
}

nlohmann::json Transport::peerStats() const {
    auto list = nlohmann::json::array();
    for (const Peer& peer : peers_->all()) {
        nlohmann::json entry{{"peer", peer.text}, {"address", nullptr}, {"open", false}};
        if (peer.address) entry["address"] = text(*peer.address);
        for (const Path& path : paths_) {
            if (path.label() != "peer " + peer.text) continue;
            entry["open"] = true;
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
