#include "peers.hpp"

#include <boost/asio/post.hpp>
#include <charconv>
#include <netcluster/error.hpp>
#include <thread>
#include <utility>

#include "log.hpp"

namespace netcluster::daemon::link {

namespace ip = boost::asio::ip;

std::optional<PeerName> parsePeer(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return {};
    PeerName name;
    name.host = text.substr(0, colon);
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, name.port);
    if (error != std::errc{} || stop != end || name.port == 0) return {};
    const bool bracketed = name.host.front() == '[' && name.host.back() == ']';
    if (bracketed) name.host = name.host.substr(1, name.host.size() - 2);
    // Without brackets nobody can tell where an IPv6 address ends and the port begins.
    const bool hasColon = name.host.find(':') != std::string::npos;
    if (name.host.empty() || hasColon != bracketed) return {};
    if (name.host.find_first_of("[] \t/") != std::string::npos) return {};
    return name;
}

Peers::Peers(boost::asio::io_context& io, const std::vector<std::string>& configured,
             std::function<void()> changed)
    : way_(std::make_shared<Way>()), changed_(std::move(changed)) {
    way_->io = &io;
    for (const std::string& text : configured) {
        auto name = parsePeer(text);
        if (!name) throw Error("peers: \"" + text + "\" is not host:port");
        peers_.push_back({text, std::move(*name), {}});
    }
    due_.assign(peers_.size(), Time::max());
    complained_.resize(peers_.size());
}

void Peers::start() {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        boost::system::error_code notDigits;
        const auto address = ip::make_address(peers_[i].name.host, notDigits);
        if (notDigits) {
            resolve(i);
        } else {
            peers_[i].address = Endpoint(address, peers_[i].name.port);
        }
    }
}

void Peers::refresh(Time now) {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        if (now >= due_[i]) resolve(i);
    }
}

void Peers::stop() {
    changed_ = nullptr;
    const std::lock_guard lock(way_->mutex);
    way_->io = nullptr;
}

// A look-up has a thread of its own that nobody waits for: getaddrinfo cannot be cancelled, and
// with a silent name server it would hold up the daemon's end for as long as that server may take.
void Peers::resolve(std::size_t index) {
    due_[index] = Time::max();
    std::thread([way = way_, weak = weak_from_this(), index, name = peers_[index].name] {
        boost::asio::io_context own;
        boost::system::error_code error;
        auto found = ip::udp::resolver(own).resolve(name.host, std::to_string(name.port),
                                                    ip::resolver_base::numeric_service, error);
        const std::lock_guard lock(way->mutex);
        if (!way->io) return;
        boost::asio::post(*way->io, [weak, index, error, found = std::move(found)] {
            const auto self = weak.lock();
            if (self && self->changed_) self->resolved(index, error, found);
        });
    }).detach();
}

void Peers::resolved(std::size_t index, const boost::system::error_code& error,
                     const ip::udp::resolver::results_type& found) {
    const Time now = std::chrono::steady_clock::now();
    Peer& peer = peers_[index];
    if (error || found.empty()) {
        due_[index] = now + resolveRetry;
        const std::string why = error ? error.message() : "it has no address";
        if (std::exchange(complained_[index], why) == why) return;
        log::warn("link: peer {} cannot be looked up: {}; trying again every {} s", peer.text, why,
                  resolveRetry.count());
        return;
    }
    due_[index] = now + resolveAgain;
    complained_[index].clear();
    const Endpoint address = found.begin()->endpoint();
    if (peer.address == address) return;
    log::info("link: peer {} is at {}", peer.text, address.address().to_string());
    peer.address = address;
    changed_();
}

}  // namespace netcluster::daemon::link
