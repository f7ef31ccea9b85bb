// What the link tells: counters, interfaces in use, peers, keys, strangers, and the hosts there
// are.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "link_impl.hpp"

namespace netcluster::daemon {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

std::int64_t milliseconds(steady_clock::duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

double rounded(double ms) {
    return std::round(ms * 1000) / 1000;
}

}  // namespace

json Link::Impl::stats() const {
    const link::Packer::Counts& packed = packer_.counts();
    const link::Sender::Counts& sent = sender_.counts();
    const link::Remote::Counts heard = receiver_.totals();
    return {{"session", wire::uuidText(identity_.session)},
            {"name", identity_.name},
            {"encrypted", sealer_.active()},
            {"sent",
             {{"datagrams", sentDatagrams_},
              {"bytes", sentBytes_},
              {"events", packed.events},
              {"dropped", packed.dropped},
              {"queued", buffer_.waiting() * link::bodyRoom},
              {"repaired", sent.repaired},
              {"asked", sent.asked},
              {"gone", sent.gone},
              {"held", sent.held},
              {"window", sender_.flow().window()}}},
            {"received",
             {{"datagrams", transport_->receivedDatagrams()},
              {"bytes", transport_->receivedBytes()},
              {"own", ownDatagrams_},
              {"duplicates", heard.duplicates + replayDuplicates_},
              {"repaired", heard.repaired},
              {"ahead", heard.ahead},
              {"events", heard.events},
              {"incomplete", receiver_.incomplete()},
              {"overflowed", transport_->overflowed()},
              {"held", receiver_.memoryUsed()}}},
            {"gaps",
             {{"count", heard.gaps},
              {"datagrams", heard.lost},
              {"events", heard.droppedByHost},
              {"resets", heard.resets}}},
            {"buffers",
             {{"receive",
               {{"asked", 2 * link::receiveBuffer}, {"granted", transport_->grantedBuffer()}}},
              {"send",
               {{"asked", 2 * link::sendBuffer}, {"granted", transport_->grantedSendBuffer()}}}}},
            {"relay", relayStats()},
            {"malformed", malformedStats()},
            {"interfaces", transport_->interfaceStats()},
            {"peers", transport_->peerStats()},
            {"unicast", transport_->unicastStats()},
            {"hosts", otherHosts()}};
}

json Link::Impl::malformedStats() const {
    auto counts = json::object();
    for (std::size_t i = 0; i < bad_.size(); ++i) {
        if (bad_[i] == 0) continue;
        counts[std::string(link::badName(static_cast<link::Bad>(i)))] = bad_[i];
    }
    return counts;
}

json Link::Impl::relayStats() const {
    const link::Relay::Counts& counts = relay_.counts();
    return {{"on", relay_.passesOn()},         {"forwarded", counts.passedOn},
            {"covered", counts.covered},       {"duplicates", counts.duplicates},
            {"returned", counts.returned},     {"held", counts.held},
            {"outoforder", counts.outOfOrder}, {"hoplimit", counts.hopLimit},
            {"noroom", counts.noRoom},         {"behind", hostsBehind().size()}};
}

json Link::Impl::strangers() const {
    const Time now = steady_clock::now();
    auto list = json::array();
    for (const auto& [address, stranger] : strangers_.all()) {
        list.push_back({{"address", address.to_string()},
                        {"reason", link::badName(stranger.reason)},
                        {"count", stranger.count},
                        {"lastms", milliseconds(now - stranger.last)}});
    }
    return list;
}

json Link::Impl::keyStats() const {
    auto list = json::array();
    for (const link::Sealer::Counter& key : sealer_.counters()) {
        list.push_back(
            {{"id", key.id}, {"use", link::keyUseName(key.use)}, {"opened", key.opened}});
    }
    return {{"keys", std::move(list)},
            {"forged", sealer_.forged()},
            {"unknownkey", sealer_.unknownKey()}};
}

json Link::Impl::hosts() const {
    auto list = otherHosts();
    list.insert(list.begin(), selfAsHost());
    return list;
}

json Link::Impl::otherHosts() const {
    const Time now = steady_clock::now();
    auto list = json::array();
    for (const auto& [session, remote] : receiver_.remotes()) {
        // A session that has ended, or was replaced by another of the same host, is history.
        if (remote->introduced && (remote->online || !replaced(*remote))) {
            list.push_back(remoteAsHost(now, *remote));
        }
    }
    for (const auto& [session, origin] : relay_.origins()) {
        if (origin.told && !origin.direct) list.push_back(originAsHost(origin));
    }
    return list;
}

// Ids of the hosts that are heard through relays only.
std::vector<std::string> Link::Impl::hostsBehind() const {
    std::vector<std::string> ids;
    for (const auto& [session, origin] : relay_.origins()) {
        if (origin.told && !origin.direct) ids.push_back(wire::uuidText(origin.host));
    }
    return ids;
}

bool Link::Impl::replaced(const link::Remote& remote) const {
    const auto& origins = relay_.origins();
    const bool isBehind = std::any_of(origins.begin(), origins.end(), [&](const auto& entry) {
        return entry.second.told && entry.second.host == remote.said.host;
    });
    if (isBehind) return true;
    const auto& all = receiver_.remotes();
    return std::any_of(all.begin(), all.end(), [&](const auto& other) {
        return other.second.get() != &remote && other.second->introduced &&
               other.second->said.host == remote.said.host &&
               other.second->lastHeard > remote.lastHeard;
    });
}

json Link::Impl::selfAsHost() const {
    const HostDescription& own = described_;
    return {{"self", true},
            {"id", wire::uuidText(identity_.host)},
            {"name", identity_.name},
            {"session", wire::uuidText(identity_.session)},
            {"address", ""},
            {"version", NETCLUSTER_VERSION},
            {"uptime", open_ ? milliseconds(steady_clock::now() - opened_) : 0},
            {"lastheard", 0},
            {"online", open_},
            {"hearsus", true},
            {"load", own.load},
            {"cpus", own.cpus},
            {"memory", {{"total", own.memoryTotal}, {"available", own.memoryAvailable}}},
            {"rss", own.rss},
            {"clients", own.clients},
            {"channels", own.channels},
            {"sent", {{"highest", buffer_.sent()}}},
            {"received", {{"datagrams", 0}, {"events", 0}, {"duplicates", 0}, {"repaired", 0}}},
            {"gaps", {{"count", 0}, {"datagrams", 0}, {"events", 0}}},
            {"window", 0},
            {"lagging", false}};
}

json Link::Impl::remoteAsHost(Time now, const link::Remote& remote) const {
    const link::Heartbeat& said = remote.said;
    const link::Remote::Counts counts = remote.counts();
    const auto* receiver = sender_.flow().find(remote.session());
    const std::uint64_t us = link::sessionPrefix(identity_.session);
    const bool hearsUs = std::find(said.heard.begin(), said.heard.end(), us) != said.heard.end();
    return {
        {"self", false},
        {"id", wire::uuidText(said.host)},
        {"name", remote.name()},
        {"session", wire::uuidText(remote.session())},
        {"address", link::text(remote.address)},
        {"version", remote.version},
        {"uptime", said.uptime},
        {"lastheard", milliseconds(now - remote.lastHeard)},
        {"online", remote.online},
        {"hearsus", hearsUs},
        {"load", static_cast<double>(said.load) / 100},
        {"cpus", said.cpus},
        {"memory", {{"total", said.memoryTotal}, {"available", said.memoryAvailable}}},
        {"rss", said.rss},
        {"clients", said.clients},
        {"channels", remote.channels},
        {"sent", {{"highest", said.highest}}},
        {"received",
         {{"datagrams", counts.datagrams},
          {"events", counts.events},
          {"duplicates", counts.duplicates},
          {"repaired", counts.repaired}}},
        {"gaps",
         {{"count", counts.gaps}, {"datagrams", counts.lost}, {"events", counts.droppedByHost}}},
        {"window", receiver ? receiver->window : 0},
        {"lagging", receiver && receiver->lagging}};
}

// As its newest heartbeat says, whoever passed that on. What is known of a stream of its own is
// left out: there is none.
json Link::Impl::originAsHost(const link::Origin& origin) const {
    link::Heartbeat said;
    link::readHeartbeat(origin.said, said);
    const auto silent = static_cast<std::int64_t>(relay_.turnsSilent(origin));
    return {{"self", false},
            {"id", wire::uuidText(origin.host)},
            {"name", origin.name},
            {"session", wire::uuidText(origin.session)},
            {"address", ""},
            {"via", origin.viaName},
            {"hops", origin.hops},
            {"version", said.version},
            {"uptime", said.uptime},
            {"lastheard", silent * settings_.heartbeat.count()},
            {"online", true},
            {"load", static_cast<double>(said.load) / 100},
            {"cpus", said.cpus},
            {"memory", {{"total", said.memoryTotal}, {"available", said.memoryAvailable}}},
            {"rss", said.rss},
            {"clients", said.clients},
            {"channels", said.channels}};
}

// -- a question to all hosts -------------------------------------------------------------------

void Link::Impl::probe(std::chrono::milliseconds wait, std::function<void(json)> done) {
    Probing& probing = probes_.emplace_back(io_);
    std::random_device system;
    probing.id = (std::uint64_t{system()} << 32 | system()) & ~std::uint64_t{1};
    probing.done = std::move(done);
    probing.sent = steady_clock::now();
    for (const std::size_t size : {std::size_t{0}, link::bodyRoom}) {
        std::string datagram = begin(link::Type::probe);
        link::appendProbe(datagram, probing.id + (size == 0 ? 0 : 1),
                          std::max<std::size_t>(size, 32));
        sendOnce(probing.sent, std::move(datagram));
    }
    probing.timer.expires_after(wait);
    probing.timer.async_wait([weak = weak_from_this(), &probing](const auto& error) {
        const auto self = weak.lock();
        if (!error && self && self->open_) self->endProbe(probing);
    });
}

void Link::Impl::endProbe(Probing& probing) {
    json list = hosts();
    for (json& host : list) {
        if (host.contains("via")) continue;  // relays pass on no questions
        json found{{"small", false}, {"large", false}};
        for (const auto& [session, answers] : probing.answers) {
            if (host["session"] != wire::uuidText(session)) continue;
            found["small"] = answers.small.has_value();
            found["large"] = answers.large.has_value();
            const auto& trip = answers.small ? answers.small : answers.large;
            if (trip) found["roundtripms"] = rounded(*trip);
            if (trip) found["clockoffsetms"] = rounded(answers.clockOffset);
        }
        host["probe"] = std::move(found);
    }
    const auto done = std::move(probing.done);
    probes_.remove_if([&](const Probing& one) { return &one == &probing; });
    done(std::move(list));
}

}  // namespace netcluster::daemon
