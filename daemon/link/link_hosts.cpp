// Link: the hosts there are, near and behind relays, and a question to all of them.
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
        if (isBehind(origin) || wentBehind(origin)) list.push_back(originAsHost(origin));
    }
    return list;
}

// Heard through relays only.
bool Link::Impl::isBehind(const link::Origin& origin) {
    return origin.told && !origin.direct;
}

// It was behind relays, and its host is not there any other way.
bool Link::Impl::wentBehind(const link::Origin& origin) const {
    if (origin.told || !origin.wasTold || origin.viaName.empty()) return false;
    for (const auto& [session, remote] : receiver_.remotes()) {
        if (remote->introduced && remote->said.host == origin.host) return false;
    }
    for (const auto& [session, other] : relay_.origins()) {
        const bool isNewer = other.told || (other.wasTold && other.started > origin.started);
        if (isNewer && other.host == origin.host) return false;
    }
    return true;
}

// Ids of the hosts that are heard through relays only.
std::vector<std::string> Link::Impl::hostsBehind() const {
    std::vector<std::string> ids;
    for (const auto& [session, origin] : relay_.origins()) {
        if (isBehind(origin)) ids.push_back(wire::uuidText(origin.host));
    }
    return ids;
}

bool Link::Impl::replaced(const link::Remote& remote) const {
    const auto& origins = relay_.origins();
    const bool isThere = std::any_of(origins.begin(), origins.end(), [&](const auto& entry) {
        return entry.second.told && entry.second.host == remote.said.host;
    });
    if (isThere) return true;
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
            {"online", origin.told},
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
