#include "doorkeeper.hpp"

#include <algorithm>

namespace netcluster::daemon::link {

Doorkeeper::Verdict Doorkeeper::judge(Time now, const Header& header) {
    const auto found = known_.find(header.session);
    if (found == known_.end()) {
        await(now, header.session);
        return Verdict::unproven;
    }
    Known& known = *found->second;
    if (!known.window.fresh(header.packet)) return Verdict::duplicate;
    known.window.set(header.packet);
    known.heard = now;
    return Verdict::pass;
}

bool Doorkeeper::seenBefore(const Header& header) {
    const auto found = known_.find(header.session);
    if (found == known_.end()) return false;
    const bool seen = !found->second->window.fresh(header.packet);
    found->second->window.set(header.packet);
    return seen;
}

// Who is alive answers the first asking.
void Doorkeeper::forgetMostAsked() {
    const auto most = std::max_element(
        waiting_.begin(), waiting_.end(),
        [](const auto& a, const auto& b) { return a.second.tries < b.second.tries; });
    unproven_ += most->second.said;
    waiting_.erase(most);
}

void Doorkeeper::await(Time now, const wire::Uuid& session) {
    auto found = waiting_.find(session);
    if (found == waiting_.end()) {
        if (waiting_.size() >= maxWaiting) forgetMostAsked();
        found = waiting_.try_emplace(session).first;
        found->second.nonce = makeNonce_();
        found->second.due = now;
    }
    ++found->second.said;
}

void Doorkeeper::onProof(Time now, const Header& header, const std::vector<Nonce>& nonces) {
    const auto found = waiting_.find(header.session);
    if (found == waiting_.end()) return;
    if (std::find(nonces.begin(), nonces.end(), found->second.nonce) == nonces.end()) return;
    waiting_.erase(found);
    admit(now, header.session).window.begin(header.packet);
}

// The one silent for longest gives way; it will have to prove itself again.
Doorkeeper::Known& Doorkeeper::admit(Time now, const wire::Uuid& session) {
    if (known_.size() >= maxKnown) {
        known_.erase(std::min_element(
            known_.begin(), known_.end(),
            [](const auto& a, const auto& b) { return a.second->heard < b.second->heard; }));
    }
    auto& known = known_[session];
    known = std::make_unique<Known>();
    known->heard = now;
    return *known;
}

void Doorkeeper::ask(Time now, std::vector<Challenge>& challenges) {
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        Waiting& waiting = at->second;
        if (waiting.due > now) {
            ++at;
        } else if (waiting.tries >= challengeTries) {
            unproven_ += waiting.said;
            at = waiting_.erase(at);
        } else {
            ++waiting.tries;
            waiting.due = now + challengePause;
            challenges.push_back({at->first, waiting.nonce});
            ++at;
        }
    }
}

std::optional<Time> Doorkeeper::deadline() const {
    if (waiting_.empty()) return {};
    return std::min_element(
               waiting_.begin(), waiting_.end(),
               [](const auto& a, const auto& b) { return a.second.due < b.second.due; })
        ->second.due;
}

}  // namespace netcluster::daemon::link
