// Relay: hosts that are there, directly or behind relays. A relay passes on the newest heartbeat of
// each, once in each of its own; whose do not come any more, is gone.
#include <algorithm>
#include <utility>

#include "receiver.hpp"
#include "relay.hpp"

namespace netcluster::daemon::link {
namespace {

std::int64_t startOf(const Heartbeat& heartbeat) {
    return static_cast<std::int64_t>(heartbeat.clock - heartbeat.uptime);
}

void take(Origin& origin, const Heartbeat& heartbeat, std::uint64_t packet, std::string_view body) {
    origin.host = heartbeat.host;
    origin.started = startOf(heartbeat);
    origin.packet = packet;
    origin.said = body;
    origin.saidOn = false;
}

}  // namespace

void Relay::onNeighbour(const wire::Uuid& session, std::string_view name,
                        const Heartbeat& heartbeat, std::uint64_t packet, std::string_view body) {
    const bool isNew = !neighbours_.contains(session);
    std::vector<std::uint64_t> heard = heartbeat.heard;
    std::sort(heard.begin(), heard.end());
    if (auto& before = neighbours_[session]; isNew || before != heard) {
        before = std::move(heard);
        ++neighboursAsOf_;
    }
    Origin* const known = find(session);
    if (known) correct(*known, name, heartbeat.host);
    if (!known) makeRoomForDirect();
    Origin& origin = known ? *known : make(session, name);
    const bool wasThere = origin.direct || origin.behind;
    origin.direct = true;
    origin.usedTurn = turn_;
    if (packet > origin.packet || !wasThere) {
        take(origin, heartbeat, packet, body);
        origin.saidBy = session;
        origin.saidHops = 0;
    }
    if (isNew || !wasThere) retell(origin.host, "");
    if (!wasThere) passOnSign(origin);
    if (!isNew || !passesOn_ || greetingsLeft_ == 0) return;
    --greetingsLeft_;
    // It is to know of the others at once.
    for (auto& [id, other] : origins_) {
        if (id != session && (other.direct || other.behind)) passOnSign(other);
    }
}

// What relays said of it was not so. Its host is told of as it was, before it is another's.
void Relay::correct(Origin& origin, std::string_view name, const wire::Uuid& host) {
    if (origin.name == name && (origin.said.empty() || origin.host == host)) return;
    origin.direct = origin.behind = false;
    origin.packet = 0;
    retell(origin.host, "silent");
    origin.name = name;
}

void Relay::onNeighbourGone(const wire::Uuid& session, std::string_view why) {
    if (neighbours_.erase(session) != 0) ++neighboursAsOf_;
    Origin* origin = find(session);
    if (!origin || !origin->direct) return;
    origin->direct = false;
    if (why == "goodbye") end(*origin, session, 0);
    retell(origin->host, why);
}

Relay::Verdict Relay::takeSign(const wire::Uuid& from, std::string_view fromName,
                               const Relayed& relayed) {
    Heartbeat heartbeat;
    if (readHeartbeat(relayed.content, heartbeat) != Bad::none) return Verdict::malformed;
    if (heartbeat.host != relayed.host || heartbeat.name != relayed.name) return Verdict::malformed;
    Origin* origin = findOrMake(relayed.session, relayed.name);
    if (!origin) return Verdict::drop;
    // A session is of one host: what was heard first counts, or what it says itself.
    const bool differs =
        origin->name != relayed.name || (!origin->said.empty() && origin->host != relayed.host);
    if (differs) return Verdict::malformed;
    if (origin->ended || relayed.number <= origin->packet) return Verdict::drop;
    const bool wasThere = origin->direct || origin->behind;
    take(*origin, heartbeat, relayed.number, relayed.content);
    origin->saidBy = from;
    origin->saidHops = relayed.hops;
    origin->via = from;
    origin->viaName = fromName;
    origin->hops = relayed.hops;
    origin->aliveTurn = origin->usedTurn = turn_;
    origin->behind = true;
    if (wasThere) return Verdict::drop;
    retell(origin->host, "");
    passOnSign(*origin);
    return Verdict::drop;
}

Relay::Verdict Relay::takeEnd(const wire::Uuid& from, const Relayed& relayed) {
    Origin* origin = find(relayed.session);
    if (!origin || origin->ended || origin->host != relayed.host) return Verdict::drop;
    end(*origin, from, relayed.hops);
    retell(origin->host, "goodbye");
    return Verdict::drop;
}

// One that we hear ourselves says it to us as well, or falls silent.
void Relay::end(Origin& origin, const wire::Uuid& from, std::uint8_t hops) {
    origin.behind = false;
    if (std::exchange(origin.ended, true)) return;
    if (!passesOn_ || hops >= maxHops || !wanted(origin, from)) return;
    Relayed relayed =
        ofOrigin(origin, Relayed::Kind::end, std::max<std::uint64_t>(origin.packet, 1));
    relayed.hops = hops;
    write(relayed);
}

void Relay::passOnSign(Origin& origin) {
    origin.saidOn = true;
    if (!passesOn_ || origin.said.empty() || origin.ended) return;
    if (origin.saidHops >= maxHops || !wanted(origin, origin.saidBy)) return;
    Relayed relayed = ofOrigin(origin, Relayed::Kind::alive, origin.packet);
    relayed.hops = origin.saidHops;
    relayed.content = origin.said;
    write(relayed);
}

// A sign of life waits at each relay for its next heartbeat, so one that came by way of many may be
// late by as many.
void Relay::onTurn(bool allRead) {
    ++turn_;
    greetingsLeft_ = greetingsPerTurn;
    const std::uint64_t missed = allRead ? heartbeatsMissed : turnsUnread;
    std::vector<wire::Uuid> silent;
    for (auto& [session, origin] : origins_) {
        if (origin.behind && turn_ - origin.aliveTurn > missed + origin.hops) {
            origin.behind = false;
            silent.push_back(origin.host);
        } else if ((origin.direct || origin.behind) && !origin.saidOn) {
            passOnSign(origin);
        }
    }
    for (const wire::Uuid& host : silent) retell(host, "silent");
    if (turn_ % idleTurns_ == 0) forgetIdle();
}

// A host that was restarted has two sessions for a while. The one that counts is heard directly if
// any is, and began last; the owner hears of one at a time.
void Relay::retell(const wire::Uuid& host, std::string_view why) {
    Origin* told = nullptr;
    Origin* best = nullptr;
    for (auto& [session, origin] : origins_) {
        if (origin.host != host) continue;
        if (origin.told) told = &origin;
        if (!origin.direct && !origin.behind) continue;
        const bool better =
            !best ||
            (origin.direct != best->direct ? origin.direct : origin.started > best->started);
        if (better) best = &origin;
    }
    if (told == best) return;
    if (told) {
        told->told = false;
        events_.onGone(*told, best ? std::string_view("restarted") : why);
    }
    if (best) {
        best->told = best->wasTold = true;
        events_.onThere(*best);
    }
}

}  // namespace netcluster::daemon::link
