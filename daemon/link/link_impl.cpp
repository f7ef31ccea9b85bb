#include "link_impl.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "log.hpp"
#include "message.hpp"

namespace netcluster::daemon {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds housekeepingTick{1};
// Housekeeping turns between two looks at the interfaces: a cable plugged in works within 5 s.
constexpr int scanTurns = 5;
// How often requests may wait for sockets that are never empty before they are sent all the same.
constexpr int requestsPatience = 10;
// Between two of these tries.
constexpr std::chrono::milliseconds requestsPause{1};
// ECHOs per second, to all. Reason: a `doctor` on each of 64 hosts; beyond that it is no question.
constexpr int echoesPerSecond = 2 * static_cast<int>(link::maxSessions);
// Nonces answered per second. Reason: 64 hosts that start at once ask a few times each; whoever
// repeats recorded questions is not to make us answer without end.
constexpr int proofsPerSecond = 8 * static_cast<int>(link::maxSessions);
// Bytes of receive buffer that Linux charges for one full datagram.
constexpr std::uint64_t datagramCharge = 2304;

std::string linkName(const std::string& name) {
    const std::string cut = name.substr(0, link::maxHostName);
    return link::validHostName(cut) ? cut : "unnamed";
}

link::Nonce randomNonce() {
    std::random_device system;
    link::Nonce nonce;
    for (std::uint8_t& byte : nonce) byte = static_cast<std::uint8_t>(system());
    return nonce;
}

}  // namespace

Link::Impl::Impl(boost::asio::io_context& io, config::LinkSettings settings, LinkIdentity identity,
                 link::Keyring keys, std::size_t maxEvent, NetSink& sink)
    : io_(io),
      settings_(std::move(settings)),
      identity_(std::move(identity)),
      sink_(sink),
      // A relay's own events have half of it.
      buffer_(link::SendBuffer::queueRoomFor(maxEvent) * (settings_.relay ? 2 : 1),
              settings_.repairBuffer),
      packer_(linkName(identity_.name), maxEvent, buffer_),
      sender_(buffer_, settings_.netRate),
      sealer_(std::move(keys), identity_.session),
      door_(randomNonce),
      receiver_(maxEvent, settings_.heartbeat, std::random_device{}(), *this),
      relay_(identity_.host, identity_.session, settings_.heartbeat, settings_.relay, *this),
      paceTimer_(io),
      tailTimer_(io),
      heartbeatTimer_(io),
      requestsTimer_(io),
      housekeepingTimer_(io),
      batch_(link::batchDatagrams * link::datagramSize) {
    identity_.name = linkName(identity_.name);
    largest_ = link::messageLimit(maxEvent) * 9 / 8 / link::bodyRoom;
    receiver_.setRelay(relay_);
    link::TransportEvents& events = *this;
    transport_ = std::make_shared<link::Transport>(io, settings_, identity_.session, events);
    reader_ = std::make_shared<Reader>(*this);
}

Link::Impl::~Impl() {
    reader_->link = nullptr;
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
    open_ = true;
    opened_ = now;
    scanIn_ = scanTurns;
    echoesLeft_ = echoesPerSecond;
    proofsLeft_ = proofsPerSecond;
    adoptBuffers();
    describeHost();
    sendHeartbeat(now, false);
    after(heartbeatTimer_, now + settings_.heartbeat, &Impl::onHeartbeatDue);
    after(housekeepingTimer_, now + housekeepingTick, &Impl::onHousekeeping);
}

void Link::Impl::close() {
    if (!open_) return;
    open_ = false;
    const Time now = steady_clock::now();
    sendLeftovers();
    sendEnd(now);
    for (Timer* timer :
         {&paceTimer_, &tailTimer_, &heartbeatTimer_, &requestsTimer_, &housekeepingTimer_}) {
        timer->cancel();
    }
    probes_.clear();
    transport_->close();
    log_.tick(now + link::LinkLog::badPause);
    for (const auto& waiting : std::exchange(held_, {})) {
        if (const auto sender = waiting.lock()) sender->resume();
    }
}

// Half of what the receive buffer holds, for the system's count is coarse and there is more on the
// way than DATA. Half of that where our own datagrams come back to us and take as much room.
void Link::Impl::adoptBuffers() {
    if (const std::uint64_t granted = transport_->grantedBuffer(); granted != 0) {
        const std::uint64_t share = transport_->hearsItself() ? 4 : 2;
        receiver_.setWindow(static_cast<std::uint32_t>(granted / datagramCharge / share));
    }
}

// What others send to a relay goes out again, so it takes no more than there is room for. Half of
// that, for what was granted before may still come.
void Link::Impl::adaptRoom() {
    if (!relay_.passesOn()) return;
    const std::uint64_t free = buffer_.free();
    const std::uint64_t room = free > largest_ ? (free - largest_) / 2 : 0;
    receiver_.setRoom(static_cast<std::uint32_t>(room));
}

void Link::Impl::after(Timer& timer, Time when, void (Impl::*then)(Time)) {
    timer.expires_at(when);
    timer.async_wait([weak = weak_from_this(), then](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (!error && self && self->open_) (self.get()->*then)(steady_clock::now());
    });
}

// After the others of this turn.
void Link::Impl::later(void (Impl::*then)(Time)) {
    boost::asio::post(io_, [weak = weak_from_this(), then] {
        const auto self = weak.lock();
        if (self && self->open_) (self.get()->*then)(steady_clock::now());
    });
}

// A batch that waits for a full socket was made with the old keys, or in the clear: it is made
// anew.
void Link::Impl::setKeys(link::Keyring keys) {
    sealer_.setKeys(std::move(keys));
    transport_->forgetBatch();
    batchSize_ = 0;
}

// A client that held us up has caught up.
void Link::Impl::Reader::resume() {
    if (!link) return;
    link->transport_->resume();
    if (link->receiver_.ready()) link->later(&Impl::onReady);
}

void Link::Impl::describeHost() {
    if (describe_) described_ = describe_();
}

void Link::Impl::onHeartbeatDue(Time now) {
    describeHost();
    sendHeartbeat(now, false);
    // What a host said may lie unread here.
    const bool allRead = transport_->drain();
    if (!transport_->paused()) {
        receiver_.expireSilent(now, allRead);
        relay_.onTurn(allRead);
    }
    if (!open_) return;
    endTurn();
    if (!open_) return;
    after(heartbeatTimer_, now + settings_.heartbeat, &Impl::onHeartbeatDue);
}

void Link::Impl::onHousekeeping(Time now) {
    log_.tick(now);
    echoesLeft_ = echoesPerSecond;
    proofsLeft_ = proofsPerSecond;
    if (--scanIn_ <= 0) {
        scanIn_ = scanTurns;
        transport_->rescan(now);
        adoptBuffers();
    }
    after(housekeepingTimer_, now + housekeepingTick, &Impl::onHousekeeping);
}

void Link::Impl::watchRequests() {
    if (!open_) return;
    auto deadline = receiver_.deadline();
    for (const auto& other : {door_.deadline(), relay_.deadline()}) {
        if (other && (!deadline || *other < *deadline)) deadline = other;
    }
    if (!deadline || (watching_ && watchedUntil_ <= *deadline)) return;
    watching_ = true;
    watchedUntil_ = *deadline;
    after(requestsTimer_, *deadline, &Impl::onRequestsDue);
}

// What is missing may lie unread in a socket, if this loop was busy elsewhere: reads first, and
// asks only for what is still missing when nothing is left to read.
void Link::Impl::onRequestsDue(Time now) {
    watching_ = false;
    const bool allRead = transport_->drain();
    if (!open_) return;
    if (transport_->paused() || (!allRead && ++requestsPutOff_ < requestsPatience)) {
        watching_ = true;
        watchedUntil_ = now + requestsPause;
        return after(requestsTimer_, watchedUntil_, &Impl::onRequestsDue);
    }
    requestsPutOff_ = 0;
    sendRequests(steady_clock::now());
    relay_.releaseDue(steady_clock::now());
    endTurn();  // events may have passed a hole that was given up
    watchRequests();
}

}  // namespace netcluster::daemon
