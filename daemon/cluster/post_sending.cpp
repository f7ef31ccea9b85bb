// What is to be emitted and when, and what becomes of envelopes that find nobody.
#include <algorithm>
#include <utility>

#include "post.hpp"

namespace netcluster::cluster {

bool Post::hasRoom(const Peer& peer, std::size_t bytes) const {
    if (peer.flying.empty()) return true;
    return peer.flyingBytes + bytes <= window && peer.flying.size() < windowCount;
}

void Post::fly(Time now, Peer& peer, const Letter& letter, std::uint64_t serial) {
    if (peer.flying.empty()) peer.moved = now;
    peer.flying.push_back({serial, letter.msgId, letter.bytes});
    peer.flyingBytes += letter.bytes;
    ++counters_.sent;
}

Post::Outgoing Post::envelope(std::string event, const Letter& letter, std::uint64_t serial) const {
    return {std::move(event),
            {{"serial", serial}, {"msgId", letter.msgId}, {"msg", letter.msg}},
            serial};
}

// -- next --------------------------------------------------------------------------------------

std::optional<Post::Outgoing> Post::next(Time now, bool confirm) {
    if (auto out = greeting(now)) return out;
    if (confirm) {
        if (auto out = confirmation(now)) return out;
    }
    if (!ready_.empty()) {
        Outgoing out = std::move(ready_.front());
        ready_.pop_front();
        return out;
    }
    return fromHeld(now);
}

// Somebody is there who has not said that it hears us.
bool Post::unanswered() const {
    return std::any_of(online_.begin(), online_.end(), [&](const std::string& name) {
        const Peer& peer = peers_.at(*pidOfName(name));
        return !peer.up || peer.name != name;
    });
}

std::optional<Post::Outgoing> Post::greeting(Time now) {
    const bool again = now >= greetAgain_ && unanswered();
    if (!greet_ && !again) return {};
    if (again) greetPause_ = std::min(2 * greetPause_, lastGreeting);
    greetAgain_ = now + greetPause_;
    greet_ = false;
    return Outgoing{std::string(hello), {{"heard", heard_}}, 0};
}

// Everything that is due, and what is not along with it.
std::optional<Post::Outgoing> Post::confirmation(Time now) {
    const bool due = std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
        return entry.second.confirmDue && *entry.second.confirmDue <= now;
    });
    if (!due) return {};
    Json upTo = Json::object();
    for (auto& [pid, peer] : peers_) {
        if (!std::exchange(peer.confirmDue, std::nullopt)) continue;
        peer.confirmed = peer.taken;
        peer.unconfirmedBytes = 0;
        upTo[peer.from] = peer.taken;
    }
    return Outgoing{std::string(ack), {{"upTo", std::move(upTo)}}, 0};
}

std::optional<Post::Outgoing> Post::fromHeld(Time now) {
    for (auto& [pid, peer] : peers_) {
        if (!peer.up || peer.held.empty()) continue;
        const auto letter = peer.held.front().letter;
        if (!hasRoom(peer, letter->bytes)) continue;
        peer.held.pop_front();
        peer.heldBytes -= letter->bytes;
        fly(now, peer, *letter, ++serial_);
        return envelope(eventFor(pid), *letter, serial_);
    }
    return {};
}

// -- what is not delivered ---------------------------------------------------------------------

void Post::report(const Peer& peer, std::int64_t msgId, Undelivered::Why why) {
    undelivered_.push_back({peer.pid, msgId, why});
    ++counters_.undelivered;
}

void Post::dropHeld(Peer& peer, Undelivered::Why why) {
    for (const Held& held : peer.held) report(peer, held.letter->msgId, why);
    peer.held.clear();
    peer.heldBytes = 0;
}

void Post::dropFlying(Peer& peer) {
    for (const Flying& one : peer.flying) {
        report(peer, one.msgId, Undelivered::Why::unconfirmed);
    }
    peer.flying.clear();
    peer.flyingBytes = 0;
}

void Post::onRefused(std::uint64_t serial) {
    for (auto& [pid, peer] : peers_) {
        const auto found =
            std::find_if(peer.flying.begin(), peer.flying.end(),
                         [&](const Flying& flying) { return flying.serial == serial; });
        if (found == peer.flying.end()) continue;
        report(peer, found->msgId, Undelivered::Why::refused);
        peer.flyingBytes -= found->bytes;
        peer.flying.erase(found);
        --counters_.sent;
    }
}

// What waits behind a server that takes some from time to time is not given up.
void Post::tick(Time now) {
    for (auto& [pid, peer] : peers_) {
        while (!peer.held.empty()) {
            const Held& oldest = peer.held.front();
            if (now < std::max(oldest.since, peer.moved) + limits_.holdTime) break;
            report(peer, oldest.letter->msgId, Undelivered::Why::unreachable);
            peer.heldBytes -= oldest.letter->bytes;
            peer.held.pop_front();
        }
        if (!peer.up && !peer.flying.empty() && stuck(now, peer)) dropFlying(peer);
    }
}

std::optional<Time> Post::deadline(bool confirm) const {
    std::optional<Time> soonest;
    const auto by = [&](Time when) {
        if (!soonest || when < *soonest) soonest = when;
    };
    if (unanswered()) by(greetAgain_);
    for (const auto& [pid, peer] : peers_) {
        if (confirm && peer.confirmDue) by(*peer.confirmDue);
        if (!peer.held.empty()) {
            by(std::max(peer.held.front().since, peer.moved) + limits_.holdTime);
        }
        if (!peer.up && !peer.flying.empty()) by(peer.moved + limits_.holdTime);
    }
    return soonest;
}

bool Post::settled() const {
    return ready_.empty() && std::all_of(peers_.begin(), peers_.end(), [](const auto& entry) {
               const Peer& peer = entry.second;
               return !peer.confirmDue && peer.held.empty() && peer.flying.empty();
           });
}

void Post::finish() {
    for (auto& [pid, peer] : peers_) {
        dropHeld(peer, Undelivered::Why::stopped);
        dropFlying(peer);
    }
}

}  // namespace netcluster::cluster
