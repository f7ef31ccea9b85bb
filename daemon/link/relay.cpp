// Events: which are new, and which are passed on. Hosts are in relay_hosts.cpp.
#include "relay.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "receiver.hpp"

namespace netcluster::daemon::link {
namespace {

// What `message_` may keep for the next event, as in Packer.
constexpr std::size_t keptCapacity = std::size_t{64} << 10;

std::uint64_t turnsIn(std::chrono::milliseconds time, std::chrono::milliseconds heartbeat) {
    return static_cast<std::uint64_t>(time / heartbeat) + 1;
}

}  // namespace

Relayed ofOrigin(const Origin& origin, Relayed::Kind kind, std::uint64_t number) {
    Relayed relayed;
    relayed.kind = kind;
    relayed.number = number;
    relayed.host = origin.host;
    relayed.session = origin.session;
    relayed.name = origin.name;
    return relayed;
}

// With slow heartbeats a session must outlive the silence between them.
Relay::Relay(const wire::Uuid& host, const wire::Uuid& session, std::chrono::milliseconds heartbeat,
             bool passesOn, RelayEvents& events)
    : host_(host),
      session_(session),
      passesOn_(passesOn),
      idleTurns_(std::max<std::uint64_t>(turnsIn(originIdle, heartbeat), 2 * maxHops)),
      events_(events) {}

Origin* Relay::find(const wire::Uuid& session) {
    if (last_ && last_->session == session) return last_;
    const auto found = origins_.find(session);
    if (found == origins_.end()) return nullptr;
    return last_ = &found->second;
}

Origin* Relay::findOrMake(const wire::Uuid& session, std::string_view name) {
    if (Origin* known = find(session)) return known;
    if (!makeRoom()) {
        ++counts_.noRoom;
        return nullptr;
    }
    return &make(session, name);
}

Origin& Relay::make(const wire::Uuid& session, std::string_view name) {
    Origin& made = origins_[session];
    made.session = session;
    made.name = name;
    made.usedTurn = turn_;
    return *(last_ = &made);
}

bool Relay::makeRoom() {
    if (origins_.size() < maxOrigins) return true;
    forgetIdle();
    return origins_.size() < maxOrigins || forgetOne(false);
}

// There is always one to forget: fewer are heard directly than have a place beyond the others.
void Relay::makeRoomForDirect() {
    if (origins_.size() >= maxOrigins + maxSessions) (void)forgetOne(true);
}

// The longest unused, of those that are gone and of whose events nobody has copies: of these
// nothing is lost. If there is none, and `alsoWhatCounts`, of those that are gone, and then of
// those that others say are there.
bool Relay::forgetOne(bool alsoWhatCounts) {
    const auto worth = [](const Origin& origin) {
        return std::tuple(origin.behind, origin.watched, origin.usedTurn);
    };
    auto least = origins_.end();
    for (auto it = origins_.begin(); it != origins_.end(); ++it) {
        const Origin& origin = it->second;
        if (origin.direct || (!alsoWhatCounts && (origin.behind || origin.watched))) continue;
        if (least == origins_.end() || worth(origin) < worth(least->second)) least = it;
    }
    if (least == origins_.end()) return false;
    Origin& origin = least->second;
    while (!origin.held.empty()) releaseFirst(origin);
    if (std::exchange(origin.behind, false)) retell(origin.host, "silent");
    if (origin.watched) --watchedCount_;
    last_ = nullptr;
    origins_.erase(least);
    return true;
}

void Relay::forgetIdle() {
    last_ = nullptr;
    std::erase_if(origins_, [&](const auto& entry) {
        const Origin& origin = entry.second;
        const bool idle = !origin.direct && !origin.behind && turn_ - origin.usedTurn > idleTurns_;
        if (idle && origin.watched) --watchedCount_;
        return idle;
    });
}

// -- events of the sessions that we hear ourselves ---------------------------------------------

Origin* Relay::watched(const wire::Uuid& session, std::string_view name) {
    if (!passesOn_ && watchedCount_ == 0) return nullptr;
    Origin* origin = passesOn_ ? findOrMake(session, name) : find(session);
    if (!origin) return nullptr;
    if (passesOn_ && !origin->watched) {
        origin->watched = true;
        ++watchedCount_;
    }
    return origin->watched ? origin : nullptr;
}

Relay::Verdict Relay::takeDirect(Origin& origin, const Relayed& event) {
    return place(origin.session, event, origin);
}

Relay::Verdict Relay::place(const wire::Uuid& from, const Relayed& event, Origin& origin) {
    origin.usedTurn = turn_;
    const auto result = origin.window.judge(event.number, event.back);
    const auto held = origin.held.find(event.number);
    if (result == OriginWindow::Result::seen || held != origin.held.end()) {
        ++counts_.duplicates;
        // This copy may know what came before it, and that may be here by now.
        if (held != origin.held.end() && held->second.back == 0) {
            held->second.back = event.back;
            releaseInOrder(origin);
        }
        return Verdict::drop;
    }
    if (result == OriginWindow::Result::ahead) {
        hold(from, event, origin);
        return Verdict::drop;
    }
    origin.window.add(event.number, event.back);
    return Verdict::take;
}

// -- events that wait --------------------------------------------------------------------------

void Relay::hold(const wire::Uuid& from, const Relayed& event, Origin& origin) {
    ++counts_.held;
    ++heldCount_;
    heldBytes_ += event.content.size();
    origin.held.emplace(event.number, HeldEvent{now_ + holdTime, from, event.hops, event.back,
                                                std::string(event.content)});
    while (heldBytes_ > maxHeld && !origin.held.empty()) releaseFirst(origin);
}

void Relay::releaseInOrder(Origin& origin) {
    while (!origin.held.empty()) {
        const auto& [number, first] = *origin.held.begin();
        if (origin.window.judge(number, first.back) == OriginWindow::Result::ahead) return;
        releaseFirst(origin);
    }
}

void Relay::releaseFirst(Origin& origin) {
    const auto taken = origin.held.extract(origin.held.begin());
    const HeldEvent& event = taken.mapped();
    --heldCount_;
    heldBytes_ -= event.content.size();
    using Result = OriginWindow::Result;
    if (origin.window.judge(taken.key(), event.back) == Result::ahead) {
        ++counts_.outOfOrder;
        // Of its own stream a gap has been told already.
        if (event.from != origin.session) events_.onHole(origin);
    }
    origin.window.add(taken.key(), event.back);
    if (!events_.onHeld(event.from, event.content, origin.name)) return;
    Relayed relayed = ofOrigin(origin, Relayed::Kind::event, taken.key());
    relayed.hops = event.hops;
    relayed.back = event.back;
    relayed.content = event.content;
    passOn(event.from, relayed, origin);
}

// Numbers are in the order of sending, and of those behind one hole the first waits for longest but
// for a moment.
std::optional<Time> Relay::deadline() const {
    if (heldCount_ == 0) return {};
    std::optional<Time> first;
    for (const auto& [session, origin] : origins_) {
        if (origin.held.empty()) continue;
        const Time until = origin.held.begin()->second.until;
        if (!first || until < *first) first = until;
    }
    return first;
}

void Relay::releaseDue(Time now) {
    if (heldCount_ == 0) return;
    for (auto& [session, origin] : origins_) {
        while (!origin.held.empty() && origin.held.begin()->second.until <= now) {
            releaseFirst(origin);
            releaseInOrder(origin);
        }
    }
}

// -- what neighbours pass on -------------------------------------------------------------------

Relay::Verdict Relay::judge(const wire::Uuid& from, std::string_view fromName,
                            const Relayed& relayed, Origin*& origin) {
    // Also what an earlier session of this host said: its clients are not to hear themselves.
    if (relayed.session == session_ || relayed.host == host_) {
        if (relayed.kind == Relayed::Kind::event) ++counts_.returned;
        return Verdict::drop;
    }
    if (relayed.session == from) return Verdict::malformed;
    switch (relayed.kind) {
        case Relayed::Kind::event:
            return takeEvent(from, relayed, origin);
        case Relayed::Kind::alive:
            return takeSign(from, fromName, relayed);
        case Relayed::Kind::end:
            return takeEnd(from, relayed);
    }
    return Verdict::malformed;
}

Relay::Verdict Relay::takeEvent(const wire::Uuid& from, const Relayed& relayed, Origin*& origin) {
    origin = findOrMake(relayed.session, relayed.name);
    if (!origin) return Verdict::drop;
    if (!origin->watched) {
        // What came directly until now was not noted.
        origin->watched = true;
        ++watchedCount_;
        origin->window.seenUpTo(events_.directPosition(origin->session));
    }
    return place(from, relayed, *origin);
}

void Relay::passOn(const wire::Uuid& from, const Relayed& relayed, Origin& origin) {
    if (!passesOn_) return;
    if (!wanted(origin, from)) {
        ++counts_.covered;
    } else if (relayed.hops >= maxHops) {
        ++counts_.hopLimit;
    } else {
        ++counts_.passedOn;
        write(relayed);
    }
}

void Relay::write(Relayed relayed) {
    ++relayed.hops;
    message_.clear();
    appendRelayed(message_, relayed);
    events_.onPassOn(message_);
    if (message_.capacity() > keptCapacity) std::string().swap(message_);
}

// -- who would not hear it otherwise -----------------------------------------------------------

const std::vector<wire::Uuid>& Relay::lacking(Origin& origin) {
    if (origin.lackingAsOf == neighboursAsOf_) return origin.lacking;
    origin.lackingAsOf = neighboursAsOf_;
    origin.lacking.clear();
    const std::uint64_t prefix = sessionPrefix(origin.session);
    for (const auto& [session, heard] : neighbours_) {
        if (session == origin.session) continue;
        if (!std::binary_search(heard.begin(), heard.end(), prefix)) {
            origin.lacking.push_back(session);
        }
    }
    return origin.lacking;
}

// Whoever it came from has it.
bool Relay::wanted(Origin& origin, const wire::Uuid& from) {
    const auto& without = lacking(origin);
    return std::any_of(without.begin(), without.end(),
                       [&](const wire::Uuid& session) { return session != from; });
}

}  // namespace netcluster::daemon::link
