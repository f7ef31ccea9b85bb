#include "around.hpp"

namespace netcluster {
namespace {

using Presences = Told::Presences;

std::shared_ptr<const Presence> changed(const Presence& online, Presence::Kind kind,
                                        std::string why) {
    auto presence = std::make_shared<Presence>(online);
    presence->kind = kind;
    presence->reason = std::move(why);
    return presence;
}

std::shared_ptr<const Presence> expired(const Presence& online, std::string why) {
    const bool isNode = online.kind == Presence::Kind::nodeOnline;
    return changed(online, isNode ? Presence::Kind::nodeExpired : Presence::Kind::hostExpired,
                   std::move(why));
}

// How a node is doing is not what it says of itself.
bool saysTheSame(const Presence& one, const Presence& other) {
    return &one == &other ||
           (one.node.regions == other.node.regions && one.node.info == other.node.info &&
            one.node.services == other.node.services);
}

// `told` is one who may have gone since. Returns where to go on.
KnownById::iterator tellIfGone(KnownById& told, KnownById::iterator one, const KnownById& now,
                               const std::string& why, Presences& changes) {
    const auto still = now.find(one->first);
    if (still != now.end() && still->second.session == one->second.session) return std::next(one);
    const Presence& online = *one->second.presence;
    // A node that is there anew went while nobody told us of it.
    const bool restarted = still != now.end() && online.kind == Presence::Kind::hostOnline;
    changes.push_back(expired(online, restarted ? wasRestarted : why.empty() ? wentAway : why));
    return told.erase(one);
}

// `one` may be new, or say something new. To be called after tellIfGone.
void tellIfNew(KnownById& told, const KnownById::value_type& one, Presences& changes) {
    const auto& [id, known] = one;
    if (!known.confirmed) return;
    const auto [before, isNew] = told.try_emplace(id, known);
    if (isNew) {
        changes.push_back(known.presence);
    } else if (!saysTheSame(*before->second.presence, *known.presence)) {
        changes.push_back(changed(*known.presence, Presence::Kind::nodeChanged, {}));
        before->second = known;
    }
}

void tellGone(KnownById& told, const KnownById& now, const std::string& why, Presences& changes) {
    for (auto one = told.begin(); one != told.end();) {
        one = tellIfGone(told, one, now, why, changes);
    }
}

void tellNew(KnownById& told, const KnownById& now, Presences& changes) {
    for (const auto& one : now) tellIfNew(told, one, changes);
}

void tellOne(KnownById& told, const KnownById& now, const Change& change, Presences& changes) {
    const auto before = told.find(change.id);
    if (before != told.end()) tellIfGone(told, before, now, change.why, changes);
    const auto one = now.find(change.id);
    if (one != now.end()) tellIfNew(told, *one, changes);
}

}  // namespace

void Around::doubtAll() {
    for (KnownById* known : {&hosts, &nodes}) {
        for (auto& [id, one] : *known) one.confirmed = false;
    }
}

void Around::forgetDoubtful() {
    for (KnownById* known : {&hosts, &nodes}) {
        std::erase_if(*known, [](const auto& one) { return !one.second.confirmed; });
    }
}

Presences Told::learn(const Around& now, const Change& change) {
    Presences changes;
    switch (change.what) {
        case Change::What::nothing:
            break;
        case Change::What::host:
            tellOne(told_.hosts, now.hosts, change, changes);
            break;
        case Change::What::node:
            tellOne(told_.nodes, now.nodes, change, changes);
            break;
        case Change::What::all:
            tellGone(told_.nodes, now.nodes, change.why, changes);
            tellGone(told_.hosts, now.hosts, change.why, changes);
            tellNew(told_.hosts, now.hosts, changes);
            tellNew(told_.nodes, now.nodes, changes);
            break;
    }
    return changes;
}

void Told::clear() {
    told_ = {};
}

}  // namespace netcluster
