#include "receiver.hpp"

#include <algorithm>
#include <utility>

#include "relay.hpp"

namespace netcluster::daemon::link {
namespace {

void addCounts(Remote::Counts& sum, const Remote::Counts& counts) {
    sum.datagrams += counts.datagrams;
    sum.events += counts.events;
    sum.duplicates += counts.duplicates;
    sum.repaired += counts.repaired;
    sum.ahead += counts.ahead;
    sum.gaps += counts.gaps;
    sum.lost += counts.lost;
    sum.droppedByHost += counts.droppedByHost;
    sum.resets += counts.resets;
}

}  // namespace

Receiver::Receiver(std::size_t maxEvent, std::chrono::milliseconds heartbeat, unsigned seed,
                   ReceiverEvents& events)
    : heartbeat_(heartbeat),
      // With slow heartbeats a session must outlive the silence between them.
      idle_(std::max<std::chrono::milliseconds>(sessionIdle, 2 * heartbeatsMissed * heartbeat)),
      budget_(memoryLimit(maxEvent)),
      events_(events),
      inflow_(maxEvent, events),
      context_{maxEvent, budget_, inflow_, events},
      random_(seed) {}

void Receiver::onDatagram(Time now, const Header& header, std::string_view body,
                          const Endpoint& from) {
    if (context_.relay) context_.relay->setTime(now);
    switch (header.type) {
        case Type::data:
            return onData(now, header, body, from);
        case Type::heartbeat:
            return onHeartbeat(now, header, body, from);
        case Type::end:
            return onEnd(now, header, body);
        case Type::nak:
            return onNak(now, body);
        case Type::status:
        case Type::challenge:
        case Type::proof:
        case Type::probe:
        case Type::echo:
            return;  // not the receiver's
    }
}

void Receiver::onData(Time now, const Header& header, std::string_view body, const Endpoint& from) {
    Data data;
    if (const Bad bad = readData(body, data); bad != Bad::none) return events_.onBad(bad);
    Remote* remote = heard(now, header.session, data.host, from);
    if (!remote || (header.repeated && !remote->joined())) return;
    remote->onData(now, data, body, backoff());
}

void Receiver::onHeartbeat(Time now, const Header& header, std::string_view body,
                           const Endpoint& from) {
    if (const Bad bad = readHeartbeat(body, said_); bad != Bad::none) return events_.onBad(bad);
    // A session is of one host for as long as it lives: others go by what it said first.
    const Remote* const known = find(header.session);
    if (known && known->introduced && known->said.host != said_.host) {
        return events_.onBad(Bad::hostName);
    }
    Remote* remote = heard(now, header.session, said_.name, from);
    if (!remote) return;
    remote->onHeartbeat(now, said_, backoff());
    if (remote->ended) return;
    expireEarlier(now, *remote);
    if (!std::exchange(remote->online, true)) {
        // What was heard before is told before.
        inflow_.flush();
        events_.onHostOnline(*remote);
    }
    if (context_.relay) {
        context_.relay->onNeighbour(remote->session(), remote->name(), said_, header.packet, body);
    }
}

void Receiver::onEnd(Time now, const Header& header, std::string_view body) {
    std::uint64_t highest = 0;
    if (const Bad bad = readEnd(body, highest); bad != Bad::none) return events_.onBad(bad);
    Remote* remote = find(header.session);
    if (!remote) return;  // never heard: nothing ends
    remote->onEnd(now, highest);
    expire(*remote, "goodbye");
}

void Receiver::onNak(Time now, std::string_view body) {
    if (const Bad bad = readNak(body, nak_); bad != Bad::none) return events_.onBad(bad);
    if (Remote* remote = find(nak_.target)) remote->othersAsked(now, nak_);
}

std::uint64_t Receiver::lastEventOf(const wire::Uuid& session) const {
    const auto found = remotes_.find(session);
    return found == remotes_.end() ? 0 : found->second->lastEvent();
}

bool Receiver::handOn(const wire::Uuid& session, std::string_view event, std::string_view host) {
    Remote* remote = find(session);
    wire::FrameView frame;
    wire::nextFrame(event, event.size(), frame);
    return remote && remote->handOn(frame, host);
}

Remote* Receiver::find(const wire::Uuid& session) {
    if (last_ && last_->session() == session) return last_;
    const auto found = remotes_.find(session);
    if (found == remotes_.end()) return nullptr;
    return last_ = found->second.get();
}

Remote* Receiver::heard(Time now, const wire::Uuid& session, std::string_view name,
                        const Endpoint& from) {
    Remote* remote = find(session);
    if (!remote) {
        if (!makeRoom(now)) {
            events_.onBad(Bad::tooManySessions);
            return nullptr;
        }
        auto made = std::make_unique<Remote>(context_, session, name);
        remote = remotes_.emplace(session, std::move(made)).first->second.get();
    }
    if (remote->name() != name) {
        events_.onBad(Bad::hostName);
        return nullptr;
    }
    remote->lastHeard = now;
    remote->turnsSilent = 0;
    if (remote->address != from) remote->address = from;
    return remote;
}

// The longest silent session gives way, if it is silent for long enough or has ended.
bool Receiver::makeRoom(Time now) {
    if (remotes_.size() < maxSessions) return true;
    auto oldest = remotes_.end();
    for (auto it = remotes_.begin(); it != remotes_.end(); ++it) {
        const Remote& remote = *it->second;
        const bool finished = remote.ended && !remote.deadline();
        if (!finished && now - remote.lastHeard < idle_) continue;
        if (oldest == remotes_.end() || remote.lastHeard < oldest->second->lastHeard) oldest = it;
    }
    if (oldest == remotes_.end()) return false;
    expire(*oldest->second, "silent");
    oldest->second->giveUp();
    addCounts(forgotten_, oldest->second->counts());
    forgottenIncomplete_ += oldest->second->incomplete();
    last_ = nullptr;
    remotes_.erase(oldest);
    return true;
}

void Receiver::expire(Remote& remote, std::string_view why) {
    if (!std::exchange(remote.online, false)) return;
    inflow_.flush();
    events_.onHostExpired(remote, why);
    if (context_.relay) context_.relay->onNeighbourGone(remote.session(), why);
}

// A daemon that died and is back has another session; nobody says goodbye for the old one.
void Receiver::expireEarlier(Time now, const Remote& remote) {
    for (const auto& [session, other] : remotes_) {
        const bool same =
            other.get() != &remote && other->online && other->said.host == remote.said.host;
        if (same && now - other->lastHeard > heartbeat_ * 3 / 2) expire(*other, "restarted");
    }
}

void Receiver::requests(Time now, Requests& due) {
    const std::uint32_t window = share(now);
    for (const auto& [session, remote] : remotes_) {
        const auto deadline = remote->deadline();
        if (deadline && *deadline <= now) {
            Nak nak{session, {}};
            remote->requests(now, window, nak.ranges);
            if (!nak.ranges.empty()) due.naks.push_back(std::move(nak));
        }
        if (remote->statusDue(window)) due.statuses.push_back(remote->status(window));
    }
}

void Receiver::expireSilent(Time now, bool allRead) {
    for (const auto& [session, remote] : remotes_) {
        if (++remote->turnsSilent <= turnsUnread && !allRead) continue;
        if (now - remote->lastHeard > heartbeatsMissed * heartbeat_) expire(*remote, "silent");
        if (now - remote->lastHeard > idle_) remote->giveUp();
    }
}

bool Receiver::ready() const {
    return std::any_of(remotes_.begin(), remotes_.end(),
                       [](const auto& one) { return one.second->ready(); });
}

void Receiver::deliverReady(Time now) {
    if (context_.relay) context_.relay->setTime(now);
    for (const auto& [session, remote] : remotes_) remote->deliverReady(now, backoff());
}

std::optional<Time> Receiver::deadline() const {
    std::optional<Time> first;
    for (const auto& [session, remote] : remotes_) {
        const auto next = remote->deadline();
        if (next && (!first || *next < *first)) first = next;
    }
    return first;
}

// Two hosts repair at once; of many, each waits a little, so that one speaks for those who lost the
// same.
std::chrono::microseconds Receiver::backoff() {
    const auto hosts = std::min<std::size_t>(remotes_.size(), nakBackoffHosts);
    return std::chrono::microseconds(
        random_() % (1 + static_cast<unsigned>(hosts) * static_cast<unsigned>(nakBackoff.count())));
}

std::uint32_t Receiver::share(Time now) const {
    if (room_ == 0) return 0;
    std::uint32_t active = 0;
    for (const auto& [session, remote] : remotes_) {
        if (remote->activeSince(now - activeTime)) ++active;
    }
    return std::clamp<std::uint32_t>(std::min(window_, room_) / std::max<std::uint32_t>(active, 1),
                                     16, maxWindow);
}

Remote::Counts Receiver::totals() const {
    Remote::Counts sum = forgotten_;
    for (const auto& [session, remote] : remotes_) addCounts(sum, remote->counts());
    return sum;
}

std::uint64_t Receiver::incomplete() const {
    std::uint64_t sum = forgottenIncomplete_;
    for (const auto& [session, remote] : remotes_) sum += remote->incomplete();
    return sum;
}

}  // namespace netcluster::daemon::link
