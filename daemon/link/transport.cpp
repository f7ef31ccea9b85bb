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
namespace errc = boost::system::errc;

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

std::vector<ip::address> ofFamily(const Interface& interface, bool ipv6) {
    std::vector<ip::address> addresses = interface.addresses;
    std::erase_if(addresses, [&](const auto& address) { return address.is_v6() != ipv6; });
    return addresses;
}

// The system drops memberships when an interface goes, and may when it loses its addresses.
bool sameInterface(const Interface& one, const Interface& other, bool ipv6) {
    return one.index == other.index && one.name == other.name &&
           ofFamily(one, ipv6) == ofFamily(other, ipv6);
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

void Transport::openUnicast(bool first) {
    if (!unicastV4_ || !unicastV4_->isOpen()) unicastV4_ = tryUnicast(false, first);
    if (!unicastV6_ || !unicastV6_->isOpen()) unicastV6_ = tryUnicast(true, first);
}

// Another daemon of this host may have the port's unicast: without peers that is no loss.
Transport::Socket Transport::tryUnicast(bool ipv6, bool first) {
    const auto socket = std::make_shared<UdpSocket>(io_);
    try {
        socket->openUnicast(ipv6, settings_.port);
    } catch (const boost::system::system_error& error) {
        const std::string port = std::to_string(settings_.port);
        if (first && error.code() == errc::permission_denied) {
            throw Error("port: " + port + ": " + error.code().message());
        }
        const bool needed = !settings_.peers.empty();
        if (first && needed && error.code() == errc::address_in_use) {
            throw Error("port: " + port +
                        " is taken by another program or daemon of this host, "
                        "and peers need it");
        }
        // A host without IPv6 is an ordinary host.
        if (needed && !ipv6) complain("unicast on port " + port, error.what());
        return {};
    }
    complained_.erase("unicast on port " + std::to_string(settings_.port));
    listen(socket);
    return socket;
}

void Transport::scanInterfaces(bool first) {
    if (group_.port() == 0) return;
    const InterfaceChoice choice =
        chooseInterfaces(listInterfaces(), settings_.netInterface, group_.address().is_v6());
    complain("netinterface", choice.note);
    leaveVanished(choice.chosen);
    joinNew(choice.chosen, first);
}

void Transport::leaveVanished(const std::vector<Interface>& chosen) {
    std::erase_if(joined_, [&](const Joined& joined) {
        const bool chosenStill =
            std::any_of(chosen.begin(), chosen.end(), [&](const Interface& interface) {
                return sameInterface(interface, joined.interface, group_.address().is_v6());
            });
        if (chosenStill && joined.socket->isOpen()) return false;
        spdlog::info("link: left {} on {}", groupText(), joined.interface.name);
        joined.socket->close();
        return true;
    });
}

void Transport::joinNew(const std::vector<Interface>& chosen, bool first) {
    for (const Interface& interface : chosen) {
        const bool known = std::any_of(joined_.begin(), joined_.end(), [&](const Joined& joined) {
            return joined.interface.index == interface.index;
        });
        if (known) continue;
        if (Socket socket = tryJoin(interface, first)) {
            joined_.push_back({interface, std::move(socket)});
        }
    }
}

Transport::Socket Transport::tryJoin(const Interface& interface, bool first) {
    const auto socket = std::make_shared<UdpSocket>(io_);
    try {
        socket->openGroup(groupOn(interface), interface.index, settings_.ttl);
    } catch (const boost::system::system_error& error) {
        socket->close();
        if (first && error.code() == errc::permission_denied) {
            throw Error("port: " + std::to_string(settings_.port) + ": " + error.code().message());
        }
        complain(interface.name, "cannot join " + groupText() + ": " + error.what());
        return {};
    }
    complained_.erase(interface.name);
    spdlog::info("link: joined {} on {}", groupText(), interface.name);
    listen(socket);
    return socket;
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

void Transport::noteUsable() {
    const bool usable = !joined_.empty() || !peers_->all().empty();
    if (!usable && usable_) {
        spdlog::warn("link: no network to use: only this host is served until one comes");
    }
    usable_ = usable;
}

// Each complaint is said when it begins or changes; an empty one takes it back.
void Transport::complain(const std::string& about, const std::string& why) {
    if (why.empty()) {
        complained_.erase(about);
    } else if (std::exchange(complained_[about], why) != why) {
        spdlog::warn("link: {}: {}", about, why);
    }
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
    std::vector<Socket> sockets{unicastV4_, unicastV6_};
    for (const Joined& joined : joined_) sockets.push_back(joined.socket);
    bool empty = true;
    for (const Socket& socket : sockets) {
        if (socket && open_ && readBatch(*socket)) empty = false;
    }
    return empty;
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
