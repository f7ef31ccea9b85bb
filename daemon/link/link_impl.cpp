#include "link_impl.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace netcluster::daemon {
namespace {

using std::chrono::steady_clock;

// Between two looks at the queue while it waits for the rate or for a full socket. Reason: 40 KB at
// the full rate, less than one burst, so the rate is kept without waking up more often.
constexpr std::chrono::milliseconds paceTick{1};
constexpr std::chrono::seconds housekeepingTick{1};
// Housekeeping turns between two looks at the interfaces: a cable plugged in works within 5 s.
constexpr int scanTurns = 5;
// How often holes may wait for sockets that are never empty before they are given up all the same.
constexpr int holesPatience = 50;

std::string linkName(const std::string& name) {
    const std::string cut = name.substr(0, link::maxHostName);
    return link::validHostName(cut) ? cut : "unnamed";
}

}  // namespace

Link::Impl::Impl(boost::asio::io_context& io, config::LinkSettings settings, LinkIdentity identity,
                 link::Keyring keys, std::size_t maxEvent, NetSink& sink)
    : settings_(std::move(settings)),
      identity_(std::move(identity)),
      sealer_(std::move(keys), identity_.session),
      sink_(sink),
      queue_(link::DatagramQueue::capacityFor(maxEvent)),
      packer_(identity_.session, linkName(identity_.name), maxEvent, queue_),
      bucket_(link::sendRate, link::sendBurst),
      receiver_(maxEvent, settings_.heartbeat, *this),
      paceTimer_(io),
      heartbeatTimer_(io),
      holesTimer_(io),
      housekeepingTimer_(io) {
    identity_.name = linkName(identity_.name);
    link::TransportEvents& events = *this;
    transport_ = std::make_shared<link::Transport>(io, settings_, events);
}

Link::Impl::~Impl() {
    transport_->close();
}

void Link::Impl::open() {
    if (open_) return;
    const Time now = steady_clock::now();
    try {
        transport_->open();
    } catch (...) {
        transport_->close();
        throw;
    }
    bucket_.setRate(link::sendRateFor(transport_->grantedBuffer()));
    open_ = true;
    opened_ = now;
    scanIn_ = scanTurns;
    sendHeartbeat(now);
    after(heartbeatTimer_, now + settings_.heartbeat, &Impl::onHeartbeatDue);
    after(housekeepingTimer_, now + housekeepingTick, &Impl::onHousekeeping);
}

void Link::Impl::close() {
    if (!open_) return;
    open_ = false;
    const Time now = steady_clock::now();
    sendLeftovers(now);
    sendEnd(now);
    for (Timer* timer : {&paceTimer_, &heartbeatTimer_, &holesTimer_, &housekeepingTimer_}) {
        timer->cancel();
    }
    transport_->close();
    log_.tick(now + link::LinkLog::badPause);
}

void Link::Impl::send(const wire::EventView& event) {
    if (!open_) return;
    if (!packer_.add(event)) log_.queueFull(steady_clock::now());
}

void Link::Impl::flush() {
    if (open_ && !pacing_) pump();
}

void Link::Impl::setKeys(link::Keyring keys) {
    sealer_.setKeys(std::move(keys));
}

nlohmann::json Link::Impl::keyStats() const {
    auto keys = nlohmann::json::array();
    for (const link::Sealer::Counter& key : sealer_.counters()) {
        keys.push_back(
            {{"id", key.id}, {"use", link::keyUseName(key.use)}, {"opened", key.opened}});
    }
    return {{"keys", std::move(keys)},
            {"forged", sealer_.forged()},
            {"unknownkey", sealer_.unknownKey()}};
}

// While the queue waits, the datagram under construction stays open: it takes more events without
// being late, because those before it are not gone yet.
void Link::Impl::pump() {
    const Time now = steady_clock::now();
    while (!queue_.empty() || packer_.close()) {
        if (bucket_.ready(now) && sendFront(now)) continue;
        pacing_ = true;
        return after(paceTimer_, now + paceTick, &Impl::onPace);
    }
}

bool Link::Impl::sendFront(Time now) {
    link::DatagramQueue::Entry& entry = queue_.front();
    if (!entry.numbered) link::stampPacket(entry.datagram, ++packet_);
    entry.numbered = true;
    if (!transport_->send(now, entry.datagram)) return false;
    highest_ = entry.sequence;
    countSent(entry.datagram);
    bucket_.spend(entry.datagram.size() + entry.rest);
    queue_.pop();
    return true;
}

void Link::Impl::countSent(const std::string& datagram) {
    ++sentDatagrams_;
    sentBytes_ += datagram.size();
}

std::string Link::Impl::begin(link::Type type) {
    link::Header header;
    header.type = type;
    header.session = identity_.session;
    header.packet = ++packet_;
    std::string datagram;
    link::appendHeader(datagram, header);
    return datagram;
}

void Link::Impl::sendHeartbeat(Time now) {
    link::Heartbeat heartbeat;
    heartbeat.highest = highest_;
    const auto uptime = std::chrono::duration_cast<std::chrono::milliseconds>(now - opened_);
    heartbeat.uptime = static_cast<std::uint64_t>(uptime.count());
    heartbeat.host = identity_.host;
    heartbeat.name = identity_.name;
    heartbeat.version = NETCLUSTER_VERSION;
    std::string datagram = begin(link::Type::heartbeat);
    link::appendHeartbeat(datagram, heartbeat);
    countSent(datagram);
    transport_->sendOnce(now, datagram);
}

void Link::Impl::sendEnd(Time now) {
    std::string datagram = begin(link::Type::end);
    link::appendEnd(datagram, highest_);
    countSent(datagram);
    transport_->sendOnce(now, datagram);
}

// The last moment: no rate any more, but no waiting either. What the sockets do not take is lost.
void Link::Impl::sendLeftovers(Time now) {
    packer_.close();
    while (!queue_.empty() && sendFront(now)) continue;
    if (queue_.empty()) return;
    spdlog::warn("link: {} datagrams still waiting at the end were dropped", queue_.size());
    queue_.clear();
}

void Link::Impl::onDatagram(std::string_view datagram, bool truncated, const link::Endpoint& from) {
    sender_ = from;
    if (truncated) return onBad(link::Bad::truncated);
    link::Header header;
    if (const link::Bad bad = link::readHeader(datagram, header); bad != link::Bad::none) {
        return onBad(bad);
    }
    if (header.session == identity_.session) {
        ++ownDatagrams_;
        return;
    }
    receiver_.onDatagram(steady_clock::now(), header, datagram.substr(link::headerSize), from);
}

void Link::Impl::onBatchEnd() {
    const std::uint64_t overflowed = transport_->overflowed();
    if (overflowed != overflowSeen_) {
        log_.overflowed(steady_clock::now(), overflowed - std::exchange(overflowSeen_, overflowed));
    }
    sink_.endTurn();
    watchHoles();
}

void Link::Impl::onEvent(const wire::EventView& event) {
    sink_.onNetEvent(event);
}

void Link::Impl::onGap(const link::GapReport& gap) {
    log_.gap(steady_clock::now(), gap);
}

void Link::Impl::onBad(link::Bad reason) {
    ++bad_[static_cast<std::size_t>(reason)];
    log_.bad(steady_clock::now(), reason, sender_);
}

void Link::Impl::onHostOnline(std::string_view host, const link::Endpoint& address) {
    spdlog::info("link: host {} is online at {}", host, address.address().to_string());
}

void Link::Impl::onHostGone(std::string_view host, std::string_view why) {
    spdlog::info("link: host {} is gone: {}", host, why);
}

void Link::Impl::after(Timer& timer, Time when, void (Impl::*then)(Time)) {
    timer.expires_at(when);
    timer.async_wait([weak = weak_from_this(), then](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (!error && self && self->open_) (self.get()->*then)(steady_clock::now());
    });
}

void Link::Impl::onPace(Time) {
    pacing_ = false;
    pump();
}

void Link::Impl::onHeartbeatDue(Time now) {
    sendHeartbeat(now);
    // A host is not silent while what it said lies unread here.
    if (transport_->drain()) receiver_.expireSilent(now);
    if (!open_) return;
    after(heartbeatTimer_, now + settings_.heartbeat, &Impl::onHeartbeatDue);
}

void Link::Impl::onHousekeeping(Time now) {
    log_.tick(now);
    if (--scanIn_ <= 0) {
        scanIn_ = scanTurns;
        transport_->rescan(now);
        bucket_.setRate(link::sendRateFor(transport_->grantedBuffer()));
    }
    after(housekeepingTimer_, now + housekeepingTick, &Impl::onHousekeeping);
}

void Link::Impl::watchHoles() {
    if (watchingHoles_ || !open_) return;
    const auto deadline = receiver_.deadline();
    if (!deadline) return;
    watchingHoles_ = true;
    after(holesTimer_, *deadline, &Impl::onHolesDue);
}

// What is missing may lie unread in a socket, if this loop was busy elsewhere: reads first, and
// gives up only what is still missing when nothing is left to read.
void Link::Impl::onHolesDue(Time now) {
    const bool allRead = transport_->drain();
    if (!open_) return;
    if (!allRead && ++holesPutOff_ < holesPatience) {
        return after(holesTimer_, now + paceTick, &Impl::onHolesDue);
    }
    holesPutOff_ = 0;
    watchingHoles_ = false;
    receiver_.expireHoles(now);
    sink_.endTurn();
    watchHoles();
}

}  // namespace netcluster::daemon
