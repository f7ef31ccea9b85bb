#include "model_host.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "udp_socket.hpp"

namespace netcluster::daemon::link {
namespace {

// As in link_sending.cpp, link_hearing.cpp and link_impl.cpp.
constexpr int batchesPerTurn = 4;
constexpr std::chrono::milliseconds heldPause{5};
constexpr std::chrono::milliseconds firstTail{5};
constexpr std::chrono::milliseconds gonePause{5};
constexpr int requestsPatience = 10;
constexpr std::chrono::milliseconds requestsPause{1};
constexpr std::size_t datagramsPerRead = 32;

// The first bytes of an event's data say which it is.
constexpr std::size_t indexSize = 8;

// What an event's data are behind that: a piece out of place is noticed.
std::string_view patternOf(std::uint64_t index, std::size_t size) {
    static const std::string pattern = patterned(std::size_t{1} << 17);
    return std::string_view(pattern).substr(index * 7919 % (std::size_t{1} << 16), size);
}

}  // namespace

ModelHost::ModelHost(std::uint8_t id, std::string name, const ModelSettings& settings,
                     unsigned seed, Send send)
    : settings_(settings),
      session_(uuidOf(id)),
      name_(std::move(name)),
      send_(std::move(send)),
      buffer_(settings.queueRoom, settings.repairRoom),
      packer_(name_, settings.maxEvent, buffer_),
      sender_(buffer_, settings.rate),
      door_([this] {
          Nonce nonce{};
          nonce[0] = ++nonces_;
          return nonce;
      }),
      receiver_(settings.maxEvent, settings.heartbeat, seed + id, *this) {
    receiver_.setWindow(settings.window);
}

void ModelHost::open(Time now) {
    open_ = true;
    sendHeartbeat(now, false);
    heartbeatDue_ = now + settings_.heartbeat;
}

void ModelHost::close(Time now) {
    packer_.close();
    while (makeBatch(now)) sendBatch(now);
    std::string datagram = begin(Type::end);
    appendEnd(datagram, buffer_.sent());
    sendOnce(now, std::move(datagram));
    open_ = false;
}

// -- events ------------------------------------------------------------------------------------

std::string ModelHost::messageOf(std::size_t size) const {
    std::string data(indexSize, '\0');
    wire::storeLittle(data.data(), std::uint64_t{sent_.size()});
    data += patternOf(sent_.size(), std::max(size, indexSize) - indexSize);
    return frameOf(bytesNamed("e", data));
}

bool ModelHost::emit(std::size_t size) {
    const std::string message = messageOf(size);
    if (!packer_.hasRoom(runOf(message))) return false;
    add(size);
    keptPromises_ = keptPromises_ && packer_.counts().dropped == 0;
    return true;
}

void ModelHost::push(std::size_t size) {
    const std::uint64_t dropped = packer_.counts().dropped;
    add(size);
    if (packer_.counts().dropped != dropped) sent_.pop_back();
}

void ModelHost::add(std::size_t size) {
    const std::string message = messageOf(size);
    Sent sent{buffer_.openSequence(), 0, std::max(size, indexSize)};
    packer_.add(runOf(message));
    sent.last = buffer_.isOpen() ? buffer_.openSequence() : buffer_.highest();
    sent_.push_back(sent);
}

void ModelHost::flush(Time now) {
    if (open_ && paceDue_ == never) pump(now);
}

// -- sending -----------------------------------------------------------------------------------

void ModelHost::pump(Time now) {
    Time free = now;
    for (int batches = 0; batches < batchesPerTurn; ++batches) {
        if (!makeBatch(now)) return waitToSend(now);
        free += settings_.wireTime * static_cast<int>(chosen_.size());
        sendBatch(now);
    }
    paceDue_ = free;
}

bool ModelHost::makeBatch(Time now) {
    if (!sender_.wants()) packer_.close();
    sender_.choose(now, batchDatagrams, chosen_);
    if (chosen_.empty() && !sender_.wants() && packer_.close()) {
        sender_.choose(now, batchDatagrams, chosen_);
    }
    return !chosen_.empty();
}

void ModelHost::sendBatch(Time now) {
    const std::uint64_t before = buffer_.sent();
    std::uint64_t bytes = 0;
    const std::size_t size = buffer_.body(chosen_.front()).size();
    for (const std::uint64_t sequence : chosen_) {
        const std::string_view body = buffer_.body(sequence);
        batchesFit_ = batchesFit_ && body.size() <= size &&
                      (body.size() == size || sequence == chosen_.back());
        if (sequence > before) keptWindows_ = keptWindows_ && everyWindowHolds(sequence);
        std::string datagram = begin(Type::data, sequence <= before);
        datagram += body;
        bytes += datagram.size();
        sendOnce(now, std::move(datagram));
    }
    sender_.onSent(now, chosen_, bytes);
    if (heldSince_ && buffer_.sent() != before) {
        longestHeld_ = std::max(longestHeld_, now - *heldSince_);
        heldSince_.reset();
    }
    if (buffer_.sent() == before) return;
    tailDelay_ = firstTail;
    tailDue_ = now + tailDelay_;
}

bool ModelHost::everyWindowHolds(std::uint64_t sequence) const {
    const auto& remotes = receiver_.remotes();
    return std::all_of(remotes.begin(), remotes.end(), [&](const auto& remote) {
        const auto* receiver = sender_.flow().find(remote.first);
        return !receiver || receiver->lagging ||
               sequence < receiver->next + std::max<std::uint32_t>(receiver->window, 1);
    });
}

void ModelHost::waitToSend(Time now) {
    if (!sender_.wants()) {
        keptPromises_ = keptPromises_ && !buffer_.isOpen();
        return;
    }
    if (!sender_.held()) {
        CHECK(sender_.rateAllowsAt() > now);
        paceDue_ = sender_.rateAllowsAt();
        return;
    }
    if (!heldSince_) heldSince_ = now;
    if (now - heldAsked_ >= heldPause) {
        heldAsked_ = now;
        sendHeartbeat(now, true);
    }
    paceDue_ = sender_.onHeld(now) ? now : now + heldPause;
}

std::string ModelHost::begin(Type type, bool repeated) {
    ++sentByType_[static_cast<std::size_t>(type)];
    std::string datagram;
    appendHeader(datagram, {type, 0, session_, ++packet_, repeated});
    return datagram;
}

void ModelHost::sendOnce(Time now, std::string datagram) {
    batchesFit_ = batchesFit_ && datagram.size() + tagSize <= datagramSize;
    send_(now, std::move(datagram));
}

void ModelHost::sendHeartbeat(Time now, bool wantsStatus) {
    Heartbeat heartbeat;
    heartbeat.highest = buffer_.sent();
    heartbeat.oldest = std::min(buffer_.oldest(), buffer_.sent() + 1);
    heartbeat.host = session_;
    heartbeat.wantsStatus = wantsStatus;
    heartbeat.name = name_;
    heartbeat.version = "2.0";
    std::string datagram = begin(Type::heartbeat);
    appendHeartbeat(datagram, heartbeat);
    sendOnce(now, std::move(datagram));
}

void ModelHost::onTail(Time now) {
    sendHeartbeat(now, false);
    tailDelay_ *= 2;
    tailDue_ = tailDelay_ < settings_.heartbeat ? now + tailDelay_ : never;
}

// -- hearing -----------------------------------------------------------------------------------

void ModelHost::arrive(Time now, std::string_view datagram) {
    if (!open_) return;
    if (inbox_.size() >= 2 * std::size_t{settings_.window}) {
        ++overflowed_;
        return;
    }
    inbox_.emplace_back(datagram);
    if (readDue_ == never) readDue_ = now;
}

// True when nothing is left to read.
bool ModelHost::readBatch(Time now) {
    const std::size_t count = std::min(inbox_.size(), datagramsPerRead);
    for (std::size_t i = 0; i < count; ++i) {
        // A copy of its own, so that what outlives it is noticed.
        const std::string datagram = std::move(inbox_.front());
        inbox_.pop_front();
        read(now, datagram);
    }
    if (count != 0) endBatch(now);
    busyUntil_ = now + settings_.readingTime * static_cast<int>(count);
    const bool more = !inbox_.empty();
    readDue_ = more ? busyUntil_ : never;
    return !more;
}

void ModelHost::read(Time now, std::string_view datagram) {
    Header header;
    if (const Bad bad = readHeader(datagram, header); bad != Bad::none) return onBad(bad);
    const std::string_view body = datagram.substr(headerSize);
    if (!settings_.askForProofs) return take(now, header, body);
    if (header.type == Type::challenge) {
        Challenge challenge;
        REQUIRE(readChallenge(body, challenge) == Bad::none);
        if (challenge.target == session_ && proofs_.size() < maxProofs) {
            proofs_.push_back(challenge.nonce);
        }
        return;
    }
    if (header.type == Type::proof) {
        std::vector<Nonce> nonces;
        REQUIRE(readProof(body, nonces) == Bad::none);
        return door_.onProof(now, header, nonces);
    }
    if (door_.judge(now, header) == Doorkeeper::Verdict::pass) take(now, header, body);
}

void ModelHost::take(Time now, const Header& header, std::string_view body) {
    if (header.type == Type::nak) return onNak(now, header, body);
    if (header.type == Type::status) return onStatus(now, header, body);
    receiver_.onDatagram(now, header, body, somewhere());
}

void ModelHost::onNak(Time now, const Header& header, std::string_view body) {
    if (const Bad bad = readNak(body, nak_); bad != Bad::none) return onBad(bad);
    if (nak_.target != session_) return receiver_.onDatagram(now, header, body, somewhere());
    if (sender_.onNak(nak_) || now - toldOldest_ < gonePause) return;
    toldOldest_ = now;
    sendHeartbeat(now, false);
}

void ModelHost::onStatus(Time now, const Header& header, std::string_view body) {
    std::vector<Status> statuses;
    REQUIRE(readStatus(body, statuses) == Bad::none);
    for (const Status& status : statuses) {
        if (status.target != session_) continue;
        sender_.flow().onStatus(now, header.session, status, buffer_.sent());
    }
}

void ModelHost::endBatch(Time now) {
    sendRequests(now);
    endTurn(now);
    if (open_ && sender_.wants() && !sender_.held()) pump(now);
    watchRequests();
}

void ModelHost::endTurn(Time now) {
    receiver_.endBatch();
    flush(now);  // the router does so at the end of its turn
    receiver_.forgetEvents();
    readyDue_ = receiver_.ready() ? std::max(now, busyUntil_) : never;
}

void ModelHost::onReady(Time now) {
    receiver_.deliverReady(now);
    sendRequests(now);
    endTurn(now);
}

void ModelHost::sendRequests(Time now) {
    receiver_.requests(now, requests_);
    for (const Nak& nak : requests_.naks) {
        std::string datagram = begin(Type::nak);
        appendNak(datagram, nak.target, nak.ranges);
        sendOnce(now, std::move(datagram));
    }
    if (!requests_.statuses.empty()) {
        std::string datagram = begin(Type::status);
        appendStatus(datagram, requests_.statuses);
        sendOnce(now, std::move(datagram));
    }
    requests_ = {};
    if (!settings_.askForProofs) return;
    door_.ask(now, challenges_);
    for (const Challenge& challenge : std::exchange(challenges_, {})) {
        std::string datagram = begin(Type::challenge);
        appendChallenge(datagram, challenge);
        sendOnce(now, std::move(datagram));
    }
    if (proofs_.empty()) return;
    std::string datagram = begin(Type::proof);
    appendProof(datagram, std::exchange(proofs_, {}));
    sendOnce(now, std::move(datagram));
    sendHeartbeat(now, false);
}

void ModelHost::watchRequests() {
    requestsDue_ = receiver_.deadline().value_or(never);
    if (!settings_.askForProofs) return;
    requestsDue_ = std::min(requestsDue_, door_.deadline().value_or(never));
}

void ModelHost::onRequestsDue(Time now) {
    if (!readBatch(now) && ++requestsPutOff_ < requestsPatience) {
        requestsDue_ = now + requestsPause;
        return;
    }
    requestsPutOff_ = 0;
    sendRequests(now);
    endTurn(now);
    watchRequests();
}

void ModelHost::onHeartbeatDue(Time now) {
    heartbeatDue_ = now + settings_.heartbeat;
    sendHeartbeat(now, false);
    const bool allRead = readBatch(now);
    receiver_.expireSilent(now, allRead);
    endTurn(now);
}

// -- time --------------------------------------------------------------------------------------

Time ModelHost::deadline() const {
    if (!open_) return never;
    const Time first =
        std::min({readDue_, readyDue_, paceDue_, tailDue_, heartbeatDue_, requestsDue_});
    return std::max({first, stoppedUntil_, busyUntil_});
}

void ModelHost::run(Time now) {
    if (readDue_ <= now) {
        readBatch(now);
    } else if (readyDue_ <= now) {
        onReady(now);
    } else if (requestsDue_ <= now) {
        onRequestsDue(now);
    } else if (paceDue_ <= now) {
        paceDue_ = never;
        pump(now);
    } else if (tailDue_ <= now) {
        onTail(now);
    } else if (heartbeatDue_ <= now) {
        onHeartbeatDue(now);
    }
}

// -- what happened -----------------------------------------------------------------------------

void ModelHost::onEvents(const wire::EventRun& events) {
    wire::forEachFrame(events.frames, [&](std::string_view frame) {
        const wire::EventView event = events.event(frame);
        Heard& heard = heard_[std::string(event.host)];
        if (event.payload.size() < indexSize) return onBad(Bad::event);
        const auto index = wire::loadLittle<std::uint64_t>(event.payload.data());
        // Never twice and never back.
        REQUIRE(index >= heard.next);
        REQUIRE(event.payload.substr(indexSize) ==
                patternOf(index, event.payload.size() - indexSize));
        for (; heard.next < index; ++heard.next) heard.missed.push_back(heard.next);
        ++heard.next;
        ++heard.events;
    });
}

void ModelHost::onGap(const Remote& remote, const GapReport& gap) {
    Heard& heard = heard_[remote.name()];
    switch (gap.why) {
        case GapReport::Why::lost:
        case GapReport::Why::gone:
            heard.gaps.push_back({gap.first, gap.last});
            CHECK(gap.count == heard.gaps.back().count());
            return;
        case GapReport::Why::dropped:
            heard.dropped += gap.count;
            return;
        case GapReport::Why::reset:
            ++heard.resets;
            return;
    }
}

void ModelHost::onHostOnline(const Remote& remote) {
    sender_.flow().join(remote.session(), buffer_.sent());
    notices_.push_back("+" + remote.name());
}

void ModelHost::onHostExpired(const Remote& remote, std::string_view why) {
    sender_.flow().leave(remote.session());
    notices_.push_back("-" + remote.name() + ":" + std::string(why));
}

const ModelHost::Heard& ModelHost::heard(const ModelHost& other) const {
    static const Heard nothing;
    const auto found = heard_.find(other.name());
    return found == heard_.end() ? nothing : found->second;
}

bool ModelHost::agreesWith(const ModelHost& other, std::uint64_t from) const {
    const Heard& heard = this->heard(other);
    std::vector<std::uint64_t> missed = heard.missed;
    for (std::uint64_t index = heard.next; index < other.sent_.size(); ++index) {
        missed.push_back(index);
    }
    std::erase_if(missed, [&](std::uint64_t index) { return index < from; });
    std::vector<std::uint64_t> covered;
    for (std::uint64_t index = from; index < other.sent_.size(); ++index) {
        const Sent& event = other.sent_[index];
        const bool inGap = std::any_of(heard.gaps.begin(), heard.gaps.end(), [&](const Range& gap) {
            return gap.first <= event.last && event.first <= gap.last;
        });
        if (inGap) covered.push_back(index);
    }
    return missed == covered;
}

bool ModelHost::knowsAllOf(const ModelHost& other) const {
    if (other.sent_.empty()) return true;
    const Heard& heard = this->heard(other);
    const bool lostLast = !heard.gaps.empty() && heard.gaps.back().last >= other.sent_.back().last;
    return heard.next == other.sent_.size() || lostLast;
}

bool ModelHost::quiet() const {
    return inbox_.empty() && !sender_.wants() && !buffer_.isOpen() && !receiver_.deadline() &&
           !receiver_.ready();
}

}  // namespace netcluster::daemon::link
