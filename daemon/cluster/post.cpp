// What the program and the link tell; post_sending.cpp has what follows from it.
#include "post.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace netcluster::cluster {

std::string_view nameOf(Undelivered::Why why) {
    switch (why) {
        case Undelivered::Why::unreachable:
            return "unreachable";
        case Undelivered::Why::unconfirmed:
            return "unconfirmed";
        case Undelivered::Why::full:
            return "full";
        case Undelivered::Why::blacklisted:
            return "blacklisted";
        case Undelivered::Why::refused:
            return "refused";
        case Undelivered::Why::stopped:
            return "stopped";
    }
    return "unknown";
}

std::optional<Pid> pidOfName(std::string_view name) {
    Pid pid = -1;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data(), end, pid);
    if (error != std::errc{} || stop == end || *stop != '-' || pid < 0) return {};
    return pid;
}

std::string Post::eventFor(Pid pid) {
    return "envelope." + std::to_string(pid);
}

Post::Post(std::string name, const std::vector<Pid>& peers, Limits limits)
    : name_(std::move(name)), limits_(limits) {
    for (const Pid pid : peers) peers_[pid].pid = pid;
}

Post::Peer* Post::find(const std::string& name) {
    const auto pid = pidOfName(name);
    const auto found = pid ? peers_.find(*pid) : peers_.end();
    return found == peers_.end() ? nullptr : &found->second;
}

// -- from the program --------------------------------------------------------------------------

void Post::setBlacklist(std::set<Pid> pids) {
    blacklist_ = std::move(pids);
    for (const Pid pid : blacklist_) dropHeld(peers_.at(pid), Undelivered::Why::blacklisted);
}

// Whoever takes nothing at all is waited for as long as an envelope is, once.
bool Post::stuck(Time now, const Peer& peer) const {
    return now - peer.moved >= limits_.holdTime;
}

bool Post::takesMore(Time now) const {
    return std::none_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
        const Peer& peer = entry.second;
        return peer.up && peer.heldBytes >= limits_.holdLimit && !stuck(now, peer);
    });
}

void Post::accept(Time now, Envelope envelope, std::size_t bytes) {
    const Pid pid = envelope.pid;
    const auto letter =
        std::make_shared<const Letter>(Letter{envelope.msgId, std::move(envelope.msg), bytes});
    if (pid == BROADCAST) return sendToAll(now, letter);
    Peer& peer = peers_.at(pid);
    if (listed(pid)) return report(peer, letter->msgId, Undelivered::Why::blacklisted);
    hold(now, peer, letter);
}

void Post::refuse(Pid pid, std::int64_t msgId) {
    for (const auto& [other, peer] : peers_) {
        if (other == pid && listed(other)) {
            report(peer, msgId, Undelivered::Why::blacklisted);
        } else if (other == pid || (pid == BROADCAST && !listed(other))) {
            report(peer, msgId, Undelivered::Why::refused);
        }
    }
}

void Post::hold(Time now, Peer& peer, const std::shared_ptr<const Letter>& letter) {
    const bool full = peer.heldBytes + letter->bytes > limits_.holdLimit && !peer.held.empty();
    if (full && (!peer.up || stuck(now, peer))) {
        return report(peer, letter->msgId, Undelivered::Why::full);
    }
    peer.held.push_back({letter, now});
    peer.heldBytes += letter->bytes;
}

// One event for all who can have it now; it says who is not meant, for their link brings it as
// well.
void Post::sendToAll(Time now, const std::shared_ptr<const Letter>& letter) {
    std::vector<Peer*> meant;
    Json notFor = Json::array();
    for (auto& [pid, peer] : peers_) {
        if (!listed(pid) && peer.up && peer.held.empty() && hasRoom(peer, letter->bytes)) {
            meant.push_back(&peer);
            continue;
        }
        notFor.push_back(pid);
        if (!listed(pid)) hold(now, peer, letter);
    }
    if (meant.empty()) return;
    const std::uint64_t serial = ++serial_;
    for (Peer* peer : meant) fly(now, *peer, *letter, serial);
    ready_.push_back(envelope(std::string(eventForAll), *letter, serial));
    if (!notFor.empty()) ready_.back().data["not"] = std::move(notFor);
}

// -- from the link -----------------------------------------------------------------------------

void Post::onOnline(Time now, const std::string& name) {
    if (!find(name)) return;
    online_.insert(name);
    greet_ = true;
    greetPause_ = firstGreeting;
    greetAgain_ = now + greetPause_;
}

void Post::onExpired(Time now, const std::string& name, bool forGood) {
    Peer* peer = find(name);
    if (!peer) return;
    online_.erase(name);
    heard_.erase(name);
    if (peer->name != name) return;
    peer->up = false;
    peer->moved = now;
    if (forGood) dropFlying(*peer);
}

void Post::onHello(Time now, const std::string& name, const std::vector<std::string>& heard) {
    Peer* peer = find(name);
    if (!peer || !online_.contains(name))
        return;  // of the past, or before its time: it comes again
    if (heard_.insert(name).second) greet_ = true;
    if (std::find(heard.begin(), heard.end(), name_) == heard.end()) {
        greet_ = true;
        return;
    }
    if (peer->name == name && peer->up) return;
    if (peer->name != name) dropFlying(*peer);
    peer->name = name;
    peer->up = true;
    peer->moved = now;
}

void Post::onAck(Time now, const std::string& name, std::uint64_t upTo) {
    Peer* peer = find(name);
    if (!peer || peer->name != name) return;
    while (!peer->flying.empty() && peer->flying.front().serial <= upTo) {
        peer->flyingBytes -= peer->flying.front().bytes;
        peer->flying.pop_front();
        peer->moved = now;
        ++counters_.confirmed;
    }
}

bool Post::onEnvelope(Time now, const std::string& name, std::uint64_t serial, std::size_t bytes,
                      const std::vector<Pid>& notFor) {
    Peer* peer = find(name);
    if (!peer) return false;
    const auto own = pidOfName(name_);
    if (own && std::find(notFor.begin(), notFor.end(), *own) != notFor.end()) return false;
    if (peer->from != name) {
        peer->from = name;
        peer->taken = peer->confirmed = 0;
        peer->unconfirmedBytes = 0;
    }
    if (serial <= peer->taken) return false;  // the link has none twice; then nobody has
    peer->taken = serial;
    peer->unconfirmedBytes += bytes;
    if (!peer->confirmDue) peer->confirmDue = now + confirmAfter;
    if (peer->unconfirmedBytes >= window / 4 || peer->taken - peer->confirmed >= windowCount / 4) {
        peer->confirmDue = now;
    }
    ++(listed(peer->pid) ? counters_.ignored : counters_.received);
    return !listed(peer->pid);
}

std::vector<Pid> Post::online() const {
    std::vector<Pid> pids;
    for (const auto& [pid, peer] : peers_) {
        if (peer.up) pids.push_back(pid);
    }
    return pids;
}

}  // namespace netcluster::cluster
