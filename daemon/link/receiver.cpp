#include "receiver.hpp"

#include <algorithm>

namespace netcluster::daemon::link {
namespace {

void addCounts(Remote::Counts& sum, const Remote::Counts& counts) {
    sum.datagrams += counts.datagrams;
    sum.events += counts.events;
    sum.duplicates += counts.duplicates;
    sum.gaps += counts.gaps;
    sum.lost += counts.lost;
    sum.droppedByHost += counts.droppedByHost;
    sum.resets += counts.resets;
}

}  // namespace

Receiver::Receiver(std::size_t maxEvent, std::chrono::milliseconds heartbeat,
                   ReceiverEvents& events)
    : silence_(heartbeatsMissed * heartbeat),
      // With slow heartbeats a session must outlive the silence between them.
      idle_(std::max<std::chrono::milliseconds>(sessionIdle, silence_)),
      budget_(memoryLimit(maxEvent)),
      context_{maxEvent, budget_, events} {}

void Receiver::onDatagram(Time now, const Header& header, std::string_view body,
                          const Endpoint& from) {
    switch (header.type) {
        case Type::data:
            return onData(now, header, body, from);
        case Type::heartbeat:
            return onHeartbeat(now, header, body, from);
        case Type::end:
            return onEnd(now, header, body);
    }
}

void Receiver::onData(Time now, const Header& header, std::string_view body, const Endpoint& from) {
    Data data;
    if (const Bad bad = readData(body, data); bad != Bad::none) return context_.events.onBad(bad);
    if (Remote* remote = heard(now, header.session, data.host, from)) {
        remote->onData(now, data, body);
    }
}

void Receiver::onHeartbeat(Time now, const Header& header, std::string_view body,
                           const Endpoint& from) {
    Heartbeat heartbeat;
    if (const Bad bad = readHeartbeat(body, heartbeat); bad != Bad::none) {
        return context_.events.onBad(bad);
    }
    if (Remote* remote = heard(now, header.session, heartbeat.name, from)) {
        remote->onHeartbeat(now, heartbeat);
    }
}

void Receiver::onEnd(Time now, const Header& header, std::string_view body) {
    std::uint64_t highest = 0;
    if (const Bad bad = readEnd(body, highest); bad != Bad::none) {
        return context_.events.onBad(bad);
    }
    const auto found = remotes_.find(header.session);
    if (found == remotes_.end()) return;  // never heard: nothing ends
    found->second->onEnd(now, highest);
    gone(*found->second, "it said goodbye");
}

Remote* Receiver::heard(Time now, const wire::Uuid& session, std::string_view name,
                        const Endpoint& from) {
    auto found = remotes_.find(session);
    if (found == remotes_.end()) {
        if (!makeRoom(now)) {
            context_.events.onBad(Bad::tooManySessions);
            return nullptr;
        }
        found = remotes_.emplace(session, std::make_unique<Remote>(context_, session, name)).first;
    }
    Remote& remote = *found->second;
    if (remote.name() != name) {
        context_.events.onBad(Bad::hostName);
        return nullptr;
    }
    remote.lastHeard = now;
    if (remote.ended) return &remote;  // stragglers of a host that said goodbye
    if (remote.address != from) remote.address = from;
    if (!remote.online) {
        remote.online = true;
        context_.events.onHostOnline(remote.name(), from);
    }
    return &remote;
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
    gone(*oldest->second, "it was silent");
    addCounts(forgotten_, oldest->second->counts());
    forgottenIncomplete_ += oldest->second->incomplete();
    remotes_.erase(oldest);
    return true;
}

void Receiver::gone(Remote& remote, std::string_view why) {
    if (!remote.online) return;
    remote.online = false;
    context_.events.onHostGone(remote.name(), why);
}

void Receiver::expireHoles(Time now) {
    for (const auto& [session, remote] : remotes_) remote->expire(now);
}

void Receiver::expireSilent(Time now) {
    for (const auto& [session, remote] : remotes_) {
        if (now - remote->lastHeard > silence_) gone(*remote, "it was silent");
        if (now - remote->lastHeard > idle_) remote->dropUnfinished();
    }
}

std::optional<Time> Receiver::deadline() const {
    std::optional<Time> first;
    for (const auto& [session, remote] : remotes_) {
        const auto next = remote->deadline();
        if (next && (!first || *next < *first)) first = next;
    }
    return first;
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
