// The half of Transport that opens and closes: unicast sockets, the group on each interface, and
// what is said about those that cannot be had.
#include <algorithm>
#include <netcluster/error.hpp>
#include <utility>

#include "log.hpp"
#include "transport.hpp"

namespace netcluster::daemon::link {
namespace {

namespace ip = boost::asio::ip;
namespace errc = boost::system::errc;

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

void Transport::openUnicast(bool first) {
    for (Socket* socket : {&unicastV4_, &unicastV6_}) {
        const bool ipv6 = socket == &unicastV6_;
        if (ownAddress_ && ownAddress_->is_v6() != ipv6) continue;
        if (*socket && (*socket)->isOpen()) continue;
        Endpoint at(ipv6 ? ip::udp::v6() : ip::udp::v4(), settings_.port);
        if (ownAddress_) at.address(*ownAddress_);
        *socket = tryUnicast(at, first);
    }
}

// Another daemon of this host may have the port's unicast: without peers that is no loss.
Transport::Socket Transport::tryUnicast(const Endpoint& at, bool first) {
    const auto socket = std::make_shared<UdpSocket>(io_, batching_);
    try {
        socket->openUnicast(at);
        socket->ignoreSession(session_);
    } catch (const boost::system::system_error& error) {
        const std::string port = std::to_string(settings_.port);
        if (first && error.code() == errc::permission_denied) {
            throw Error("port: " + port + ": " + error.code().message());
        }
        const bool needed = !settings_.peers.empty();
        if (first && needed && error.code() == errc::address_in_use) {
            const std::string where = ownAddress_ ? " of " + ownAddress_->to_string() : "";
            throw Error("port: " + port + where +
                        " is taken by another program or daemon of this host, "
                        "and peers need it");
        }
        // A host without IPv6 is an ordinary host.
        if (needed && (ownAddress_ || at.address().is_v4()))
            complain("unicast on port " + port, error.what());
        return {};
    }
    complained_.erase("unicast on port " + std::to_string(settings_.port));
    listen(socket);
    return socket;
}

std::string Transport::whyNoSocket(const Endpoint& to) const {
    const std::string family = to.address().is_v6() ? "IPv6" : "IPv4";
    if (ownAddress_ && ownAddress_->is_v6() != to.address().is_v6())
        return text(to) + " is of " + family + ", and netinterface (" + ownAddress_->to_string() +
               ") is not";
    return "there is no socket for " + family + " on port " + std::to_string(settings_.port);
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
        log::info("link: left {} on {}", groupText(), joined.interface.name);
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
    const auto socket = std::make_shared<UdpSocket>(io_, batching_);
    try {
        socket->openGroup(groupOn(interface), interface.index, settings_.ttl);
        socket->ignoreSession(session_);
    } catch (const boost::system::system_error& error) {
        socket->close();
        if (first && error.code() == errc::permission_denied) {
            throw Error("port: " + std::to_string(settings_.port) + ": " + error.code().message());
        }
        complain(interface.name, "cannot join " + groupText() + ": " + error.what());
        return {};
    }
    complained_.erase(interface.name);
    log::info("link: joined {} on {}", groupText(), interface.name);
    listen(socket);
    return socket;
}

void Transport::noteUsable() {
    const bool usable = !joined_.empty() || !peers_->all().empty();
    if (!usable && usable_) {
        log::warn("link: no network to use: only this host is served until one comes");
    }
    usable_ = usable;
}

// Each complaint is said when it begins or changes; an empty one takes it back.
void Transport::complain(const std::string& about, const std::string& why) {
    if (why.empty()) {
        complained_.erase(about);
    } else if (std::exchange(complained_[about], why) != why) {
        log::warn("link: {}: {}", about, why);
    }
}

}  // namespace netcluster::daemon::link
