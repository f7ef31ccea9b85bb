#include "doorkeeper.hpp"

#include <algorithm>

namespace netcluster::daemon::link {

Doorkeeper::Verdict Doorkeeper::judge(Time now, const Header& header, std::string_view datagram,
                                      const Endpoint& from) {
    const auto found = known_.find(header.session);
    if (found == known_.end()) return keep(now, header, datagram, from);
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
    unproven_ += most->second.said.size();
    waiting_.erase(most);
}

Doorkeeper::Verdict Doorkeeper::keep(Time now, const Header& header, std::string_view datagram,
                                     const Endpoint& from) {
    auto found = waiting_.find(header.session);
    if (found == waiting_.end()) {
        if (waiting_.size() >= maxWaiting) forgetMostAsked();
        found = waiting_.try_emplace(header.session).first;
        found->second.nonce = makeNonce_();
        found->second.due = now;
    }
    Waiting& waiting = found->second;
    if (waiting.bytes + datagram.size() <= maxWaitingBytes) {
        waiting.bytes += datagram.size();
        waiting.said.emplace_back(datagram, from);
    }
    return Verdict::wait;
}

void Doorkeeper::onProof(Time now, const wire::Uuid& session, const std::vector<Nonce>& nonces,
                         const Pass& pass) {
    const auto found = waiting_.find(session);
    if (found == waiting_.end()) return;
    if (std::find(nonces.begin(), nonces.end(), found->second.nonce) == nonces.end()) return;
    const auto waited = waiting_.extract(found);
    Known& known = admit(now, session);
    for (const auto& [datagram, from] : waited.mapped().said) {
        Header header;
        if (readHeader(datagram, header) != Bad::none || !known.window.fresh(header.packet)) {
            continue;
        }
        known.window.set(header.packet);
        pass(datagram, from);
    }
}

// The one silent for longest gives way; it will have to prove itself again.
Doorkeeper::Known& Doorkeeper::admit(Time now, const wire::Uuid& session) {
    if (known_.size() >= maxKnown) {
        known_.erase(std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
            return a.second->heard < b.second->heard;
        }));
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
            unproven_ += waiting.said.size();
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
    return std::min_element(waiting_.begin(), waiting_.end(),
                            [](const auto& a, const auto& b) {
                                return a.second.due < b.second.due;
                            })
        ->second.due;
}

}  // namespace netcluster::daemon::link
