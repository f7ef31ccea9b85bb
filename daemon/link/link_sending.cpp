// The half of Link that sends: events into the buffer, datagrams out of it, and what the link has
// to say by itself.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "link_impl.hpp"
#include "log.hpp"

namespace netcluster::daemon {
namespace {

using std::chrono::steady_clock;

// Between two tries while a socket is full.
constexpr std::chrono::milliseconds fullPause{1};
// Batches sent before others have their turn. Reason: 240 KB, as much as is read from a client.
constexpr int batchesPerTurn = 4;
// While the receivers' windows hold us up, they are asked where they are, and looked at, so often.
constexpr std::chrono::milliseconds heldPause{5};
// The first heartbeat behind DATA reveals that the last of it was lost; each next comes after twice
// the time, up to `heartbeat` (PGM's SPM, RFC 3208).
constexpr std::chrono::milliseconds firstTail{5};

std::uint64_t wallClock() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

}  // namespace

// -- events ------------------------------------------------------------------------------------

void Link::Impl::send(const wire::EventRun& events) {
    if (!open_) return;
    if (const std::uint64_t dropped = packer_.add(events); dropped != 0) {
        log_.queueFull(steady_clock::now(), dropped);
    }
}

void Link::Impl::flush() {
    if (open_ && !pacing_) pump();
}

bool Link::Impl::holdsSenders(const wire::EventRun& events) const {
    if (!open_) return false;
    return !packer_.hasRoom(events) || (relay_.passesOn() && !buffer_.drained());
}

void Link::Impl::awaitRoom(Waiter& sender) {
    held_.push_back(sender.weak_from_this());
}

void Link::Impl::releaseSenders() {
    if (held_.empty() || !buffer_.drained()) return;
    for (const auto& waiting : std::exchange(held_, {})) {
        if (const auto sender = waiting.lock()) sender->resume();
    }
}

// -- datagrams ---------------------------------------------------------------------------------

// While the buffer waits, the datagram under construction stays open: it takes more events without
// being late, because those before it are not gone yet.
void Link::Impl::pump() {
    for (int batches = 0; batches < batchesPerTurn; ++batches) {
        const Time now = steady_clock::now();
        if (batchSize_ == 0 && !makeBatch(now)) {
            releaseSenders();
            return waitToSend(now);
        }
        const std::string_view bytes(batch_.data(), batchSize_);
        if (!transport_->send(now, link::Batch(bytes, stride_))) {
            pacing_ = true;
            return after(paceTimer_, now + fullPause, &Impl::onPace);
        }
        batchSent(now);
    }
    releaseSenders();
    pacing_ = true;
    if (!std::exchange(pumpPosted_, true)) later(&Impl::onPumpPosted);
}

void Link::Impl::onPumpPosted(Time now) {
    pumpPosted_ = false;
    onPace(now);
}

void Link::Impl::onPace(Time) {
    pacing_ = false;
    pump();
}

// Datagrams as they go over the wire, one behind the other.
bool Link::Impl::makeBatch(Time now) {
    if (!sender_.wants()) packer_.close();
    sender_.choose(now, link::batchDatagrams, chosen_);
    // All that was asked for again may be on its way already: then nothing comes before what is
    // new.
    if (chosen_.empty() && !sender_.wants() && packer_.close()) {
        sender_.choose(now, link::batchDatagrams, chosen_);
    }
    std::string header;  // one for all, for its memory
    for (const std::uint64_t sequence : chosen_) {
        const std::string_view body = buffer_.body(sequence);
        char* datagram = batch_.data() + batchSize_;
        header.clear();
        link::appendHeader(header, nextHeader(link::Type::data, sequence <= buffer_.sent()));
        std::memcpy(datagram, header.data(), header.size());
        std::memcpy(datagram + header.size(), body.data(), body.size());
        std::size_t size = header.size() + body.size();
        if (sealer_.active()) {
            sealer_.seal(datagram, size);
            size += link::tagSize;
        }
        if (batchSize_ == 0) stride_ = size;
        batchSize_ += size;
    }
    return batchSize_ != 0;
}

void Link::Impl::batchSent(Time now) {
    const std::uint64_t before = buffer_.sent();
    sentDatagrams_ += chosen_.size();
    sentBytes_ += batchSize_;
    sender_.onSent(now, chosen_, std::exchange(batchSize_, 0));
    if (buffer_.sent() != before) promiseTail(now);
}

// Nothing may be sent now; if something wants to be, it is known when to try again.
void Link::Impl::waitToSend(Time now) {
    if (!sender_.wants()) return;
    pacing_ = true;
    if (!sender_.held()) return after(paceTimer_, sender_.rateAllowsAt(), &Impl::onPace);
    if (now - heldAsked_ >= heldPause) {
        heldAsked_ = now;
        sendHeartbeat(now, true);
    }
    if (sender_.onHeld(now)) return after(paceTimer_, now, &Impl::onPace);
    after(paceTimer_, now + heldPause, &Impl::onPace);
}

// -- what the link says by itself --------------------------------------------------------------

void Link::Impl::promiseTail(Time now) {
    tailDelay_ = firstTail;
    tailDue_ = now + tailDelay_;
    if (std::exchange(tailing_, true)) return;
    after(tailTimer_, tailDue_, &Impl::onTail);
}

void Link::Impl::onTail(Time now) {
    if (now >= tailDue_) {
        sendHeartbeat(now, false);
        tailDelay_ *= 2;
        tailDue_ = now + tailDelay_;
    }
    tailing_ = tailDelay_ < settings_.heartbeat;
    if (tailing_) after(tailTimer_, tailDue_, &Impl::onTail);
}

link::Header Link::Impl::nextHeader(link::Type type, bool repeated) {
    return {type, sealer_.keyId(), identity_.session, ++packet_, repeated};
}

std::string Link::Impl::begin(link::Type type) {
    std::string datagram;
    link::appendHeader(datagram, nextHeader(type));
    return datagram;
}

void Link::Impl::sendOnce(Time now, std::string datagram) {
    if (sealer_.active()) {
        const std::size_t size = datagram.size();
        datagram.resize(size + link::tagSize);
        sealer_.seal(datagram.data(), size);
    }
    ++sentDatagrams_;
    sentBytes_ += datagram.size();
    transport_->sendOnce(now, datagram);
}

void Link::Impl::sendHeartbeat(Time now, bool wantsStatus) {
    link::Heartbeat heartbeat;
    heartbeat.highest = buffer_.sent();
    heartbeat.oldest = std::min(buffer_.oldest(), buffer_.sent() + 1);
    const auto uptime = std::chrono::duration_cast<std::chrono::milliseconds>(now - opened_);
    heartbeat.uptime = static_cast<std::uint64_t>(uptime.count());
    heartbeat.host = identity_.host;
    heartbeat.wantsStatus = wantsStatus;
    heartbeat.name = identity_.name;
    heartbeat.version = NETCLUSTER_VERSION;
    heartbeat.clock = wallClock();
    const HostDescription& own = described_;
    heartbeat.load = static_cast<std::uint32_t>(own.load * 100);
    heartbeat.cpus = own.cpus;
    heartbeat.memoryTotal = own.memoryTotal;
    heartbeat.memoryAvailable = own.memoryAvailable;
    heartbeat.rss = own.rss;
    heartbeat.clients = own.clients;
    heartbeat.channels.assign(own.channels.begin(), own.channels.end());
    for (const auto& [session, remote] : receiver_.remotes()) {
        if (remote->online) heartbeat.heard.push_back(link::sessionPrefix(session));
    }
    std::string datagram = begin(link::Type::heartbeat);
    link::appendHeartbeat(datagram, heartbeat);
    sendOnce(now, std::move(datagram));
}

void Link::Impl::sendEnd(Time now) {
    std::string datagram = begin(link::Type::end);
    link::appendEnd(datagram, buffer_.sent());
    sendOnce(now, std::move(datagram));
}

// The last moment: nobody is waited for any more. What the sockets do not take is lost.
void Link::Impl::sendLeftovers() {
    packer_.close();
    const Time now = steady_clock::now();
    while (batchSize_ != 0 || makeBatch(now)) {
        if (!transport_->send(now, link::Batch({batch_.data(), batchSize_}, stride_))) break;
        batchSent(now);
    }
    if (buffer_.waiting() == 0) return;
    log::warn("link: {} datagrams still waiting at the end were dropped", buffer_.waiting());
}

}  // namespace netcluster::daemon
