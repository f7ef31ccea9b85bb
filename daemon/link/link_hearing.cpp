// The half of Link that hears: who is let in, what goes to which part, and what is asked and
// answered.
#include <algorithm>
#include <netcluster/control.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "dump.hpp"
#include "link_impl.hpp"
#include "log.hpp"

namespace netcluster::daemon {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

// Between two heartbeats that tell somebody that what he asks for is gone.
constexpr std::chrono::milliseconds gonePause{5};

link::Bad badOf(link::Opened opened) {
    switch (opened) {
        case link::Opened::ok:
            return link::Bad::none;
        case link::Opened::unknownKey:
            return link::Bad::unknownKey;
        case link::Opened::forged:
            return link::Bad::forged;
        case link::Opened::notEncrypted:
            return link::Bad::notEncrypted;
        case link::Opened::encrypted:
            return link::Bad::encrypted;
    }
    return link::Bad::forged;
}

}  // namespace

void Link::Impl::onDatagram(std::span<char> datagram, bool truncated, const link::Endpoint& from) {
    from_ = from;
    if (truncated || datagram.size() > link::datagramSize) return onBad(link::Bad::truncated);
    const std::string_view bytes(datagram.data(), datagram.size());
    link::Header header;
    if (const link::Bad bad = link::readHeader(bytes, header); bad != link::Bad::none) {
        return onBad(bad);
    }
    if (header.session == identity_.session) {
        ++ownDatagrams_;
        return;
    }
    const link::Bad bad = badOf(sealer_.open(datagram.data(), datagram.size()));
    if (bad != link::Bad::none) return onBad(bad);
    const Time now = steady_clock::now();
    if (!sealer_.active()) return take(now, header, bytes.substr(link::headerSize), from);
    const std::size_t body = bytes.size() - link::headerSize - link::tagSize;
    admit(now, header, bytes.substr(link::headerSize, body));
}

// It has the key. Is it alive, and is it new?
void Link::Impl::admit(Time now, const link::Header& header, std::string_view body) {
    // These two are how sessions that do not know each other yet get to.
    if (header.type == link::Type::challenge) {
        return door_.seenBefore(header) ? void(++replayDuplicates_) : onChallenge(body);
    }
    if (header.type == link::Type::proof) {
        std::vector<link::Nonce> nonces;
        if (const link::Bad bad = link::readProof(body, nonces); bad != link::Bad::none) {
            return onBad(bad);
        }
        return door_.onProof(now, header, nonces);
    }
    switch (door_.judge(now, header)) {
        case link::Doorkeeper::Verdict::pass:
            return take(now, header, body, from_);
        case link::Doorkeeper::Verdict::unproven:
            return;
        case link::Doorkeeper::Verdict::duplicate:
            ++replayDuplicates_;
            return;
    }
}

void Link::Impl::take(Time now, const link::Header& header, std::string_view body,
                      const link::Endpoint& from) {
    switch (header.type) {
        case link::Type::data:
        case link::Type::heartbeat:
        case link::Type::end:
            return receiver_.onDatagram(now, header, body, from);
        case link::Type::nak:
            return onNak(now, header, body, from);
        case link::Type::status:
            return onStatus(now, header.session, body);
        case link::Type::probe:
            return onProbe(header.session, body);
        case link::Type::echo:
            return onEcho(now, header.session, body);
        case link::Type::challenge:
        case link::Type::proof:
            return;  // without keys nobody proves anything
    }
}

void Link::Impl::onNak(Time now, const link::Header& header, std::string_view body,
                       const link::Endpoint& from) {
    link::Nak nak;
    if (const link::Bad bad = link::readNak(body, nak); bad != link::Bad::none) return onBad(bad);
    if (nak.target != identity_.session) return receiver_.onDatagram(now, header, body, from);
    if (sender_.onNak(nak) || now - toldOldest_ < gonePause) return;
    toldOldest_ = now;
    sendHeartbeat(now, false);
}

void Link::Impl::onStatus(Time now, const wire::Uuid& session, std::string_view body) {
    std::vector<link::Status> statuses;
    if (const link::Bad bad = link::readStatus(body, statuses); bad != link::Bad::none) {
        return onBad(bad);
    }
    for (const link::Status& status : statuses) {
        if (status.target != identity_.session) continue;
        sender_.flow().onStatus(now, session, status, buffer_.sent());
    }
}

void Link::Impl::onChallenge(std::string_view body) {
    link::Challenge challenge;
    if (const link::Bad bad = link::readChallenge(body, challenge); bad != link::Bad::none) {
        return onBad(bad);
    }
    if (challenge.target != identity_.session || proofs_.size() >= link::maxProofs) return;
    if (--proofsLeft_ < 0) return;
    proofs_.push_back(challenge.nonce);
}

void Link::Impl::onProbe(const wire::Uuid& session, std::string_view body) {
    link::Probe probe;
    if (const link::Bad bad = link::readProbe(body, probe); bad != link::Bad::none) {
        return onBad(bad);
    }
    if (--echoesLeft_ < 0) return;
    probe.target = session;
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    probe.clock = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(wall).count());
    std::string datagram = begin(link::Type::echo);
    link::appendEcho(datagram, probe, body.size());
    sendOnce(steady_clock::now(), std::move(datagram));
}

void Link::Impl::onEcho(Time now, const wire::Uuid& session, std::string_view body) {
    link::Probe echo;
    if (const link::Bad bad = link::readEcho(body, echo); bad != link::Bad::none) {
        return onBad(bad);
    }
    if (echo.target != identity_.session) return;
    for (Probing& probing : probes_) {
        if (echo.id != probing.id && echo.id != probing.id + 1) continue;
        Probing::Answers& answers = probing.answers[session];
        const double took = std::chrono::duration<double, std::milli>(now - probing.sent).count();
        auto& trip = echo.id == probing.id ? answers.small : answers.large;
        if (trip) return;
        trip = took;
        const std::chrono::duration<double, std::milli> wall =
            std::chrono::system_clock::now().time_since_epoch();
        answers.clockOffset = static_cast<double>(echo.clock) - (wall.count() - took / 2);
    }
}

void Link::Impl::onBatchEnd() {
    const std::uint64_t overflowed = transport_->overflowed();
    if (overflowed != overflowSeen_) {
        log_.overflowed(steady_clock::now(), overflowed - std::exchange(overflowSeen_, overflowed));
    }
    // First, because events may pass a hole that is given up.
    sendRequests(steady_clock::now());
    endTurn();
    // Somebody may have made room for us, or asked for something again.
    if (open_ && !pumpPosted_ && sender_.wants() && !sender_.held()) pump();
    watchRequests();
}

void Link::Impl::endTurn() {
    receiver_.endBatch();
    sink_.endTurn();
    receiver_.forgetEvents();
    if (!open_) return;
    if (sink_.holds(*reader_)) {
        transport_->pause();
    } else if (receiver_.ready()) {
        later(&Impl::onReady);
    }
}

// Datagrams behind a hole that has closed, some in each turn.
void Link::Impl::onReady(Time now) {
    if (transport_->paused()) return;
    receiver_.deliverReady(now);
    sendRequests(now);
    endTurn();
}

void Link::Impl::sendRequests(Time now) {
    adaptRoom();
    receiver_.requests(now, requests_);
    for (const link::Nak& nak : requests_.naks) {
        std::string datagram = begin(link::Type::nak);
        link::appendNak(datagram, nak.target, nak.ranges);
        sendOnce(now, std::move(datagram));
    }
    for (std::size_t at = 0; at < requests_.statuses.size(); at += link::maxStatuses) {
        const auto first = requests_.statuses.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = std::min(link::maxStatuses, requests_.statuses.size() - at);
        std::string datagram = begin(link::Type::status);
        link::appendStatus(datagram, {first, first + static_cast<std::ptrdiff_t>(count)});
        sendOnce(now, std::move(datagram));
    }
    requests_ = {};
    if (sealer_.active()) sendChallenges(now);
}

void Link::Impl::sendChallenges(Time now) {
    door_.ask(now, challenges_);
    for (const link::Challenge& challenge : challenges_) {
        std::string datagram = begin(link::Type::challenge);
        link::appendChallenge(datagram, challenge);
        sendOnce(now, std::move(datagram));
    }
    challenges_.clear();
    for (; unprovenSeen_ < door_.unproven(); ++unprovenSeen_) onBad(link::Bad::replayed);
    if (proofs_.empty()) return;
    std::string datagram = begin(link::Type::proof);
    link::appendProof(datagram, proofs_);
    proofs_.clear();
    sendOnce(now, std::move(datagram));
    // What we said before was not believed.
    sendHeartbeat(now, false);
}

// -- what the receiver says --------------------------------------------------------------------

void Link::Impl::onEvents(const wire::EventRun& events) {
    sink_.onNetEvents(events);
}

void Link::Impl::onGap(const link::Remote& remote, const link::GapReport& gap) {
    log_.gap(steady_clock::now(), remote.name(), gap);
    json notice{{"host", remote.name()},
                {"id", wire::uuidText(remote.said.host)},
                {"session", wire::uuidText(remote.session())},
                {"count", gap.count},
                {"first", gap.first},
                {"last", gap.last},
                {"why", link::gapName(gap.why)}};
    // What is missing may have been theirs.
    if (auto behind = hostsBehind(); !behind.empty()) notice["behind"] = std::move(behind);
    sink_.onNetNotice(control::netGap, jsonText(notice));
}

void Link::Impl::onBad(link::Bad reason) {
    ++bad_[static_cast<std::size_t>(reason)];
    const Time now = steady_clock::now();
    const bool news = strangers_.note(now, from_.address(), reason);
    log_.bad(now, reason, from_, news);
}

void Link::Impl::onHostOnline(const link::Remote& remote) {
    sender_.flow().join(remote.session(), buffer_.sent());
    log::info("link: host {} is online at {}", remote.name(), link::text(remote.address));
    if (remote.said.host == identity_.host) log_.twin(steady_clock::now(), remote);
}

void Link::Impl::onHostExpired(const link::Remote& remote, std::string_view why) {
    sender_.flow().leave(remote.session());
    log::info("link: host {} is gone: {}", remote.name(), why);
}

// -- what the relay says -----------------------------------------------------------------------

void Link::Impl::onPassOn(std::string_view message) {
    if (open_ && !packer_.addRelayed(message)) log_.queueFull(steady_clock::now(), 1);
}

void Link::Impl::onHole(const link::Origin& origin) {
    const link::GapReport gap{link::GapReport::Why::lost, 0, 0, 0};
    log_.gap(steady_clock::now(), origin.name, gap);
    receiver_.endBatch();  // what came before is heard before
    sink_.onNetNotice(control::netGap, jsonText({{"host", origin.name},
                                                 {"id", wire::uuidText(origin.host)},
                                                 {"session", wire::uuidText(origin.session)},
                                                 {"count", 0},
                                                 {"first", 0},
                                                 {"last", 0},
                                                 {"why", link::gapName(gap.why)}}));
}

bool Link::Impl::onHeld(const wire::Uuid& from, std::string_view event, std::string_view host) {
    return receiver_.handOn(from, event, host);
}

std::uint64_t Link::Impl::directPosition(const wire::Uuid& session) const {
    return receiver_.lastEventOf(session);
}

void Link::Impl::onThere(const link::Origin& origin) {
    json notice{{"id", wire::uuidText(origin.host)},
                {"name", origin.name},
                {"address", ""},
                {"version", ""},
                {"session", wire::uuidText(origin.session)}};
    if (const auto found = receiver_.remotes().find(origin.session);
        origin.direct && found != receiver_.remotes().end()) {
        notice["address"] = link::text(found->second->address);
        notice["version"] = found->second->version;
    } else {
        link::Heartbeat said;
        if (link::readHeartbeat(origin.said, said) == link::Bad::none) {
            notice["version"] = said.version;
        }
        notice["via"] = origin.viaName;
        log::info("link: host {} is online behind {}", origin.name, origin.viaName);
    }
    sink_.onNetNotice(control::hostOnline, jsonText(notice));
}

void Link::Impl::onGone(const link::Origin& origin, std::string_view why) {
    if (origin.hops != 0) {
        log::info("link: host {} cannot be reached any more: {}", origin.name, why);
    }
    sink_.onNetNotice(
        control::hostExpired,
        jsonText({{"id", wire::uuidText(origin.host)}, {"name", origin.name}, {"why", why}}));
}

}  // namespace netcluster::daemon
