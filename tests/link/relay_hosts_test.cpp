// Relay and Receiver together against hosts that lie of who they are, and come and go without end:
// who is there is told in order, nobody stays for ever, and there is an end to what is remembered.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "link_testing.hpp"
#include "receiver.hpp"
#include "relay.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::chrono_literals;

namespace {

wire::Uuid numbered(std::uint64_t number) {
    wire::Uuid uuid = uuidOf(0xEE);
    wire::storeLittle(reinterpret_cast<char*>(uuid.data()), number);
    return uuid;
}

const wire::Uuid ourHost = uuidOf(1);
const wire::Uuid ourSession = uuidOf(2);

// What one heartbeat says.
struct Sign {
    wire::Uuid session{};
    wire::Uuid host{};
    std::string name = "liar";
    std::uint64_t packet = 1;
};

std::string bodyOf(const Sign& sign) {
    Heartbeat said;
    said.host = sign.host;
    said.name = sign.name;
    said.version = "1";
    said.clock = 1000;
    std::string datagram(headerSize, '\0');
    appendHeartbeat(datagram, said);
    return datagram.substr(headerSize);
}

struct Ground final : private RelayEvents {
    explicit Ground(bool passesOn) : relay(ourHost, ourSession, 1000ms, passesOn, *this) {
        receiver.setRelay(relay);
    }

    // What comes from a neighbour.
    void heartbeat(const Sign& sign) { hear(Type::heartbeat, sign.session, bodyOf(sign)); }
    void end(const wire::Uuid& session) {
        std::string datagram(headerSize, '\0');
        appendEnd(datagram, 0);
        hear(Type::end, session, std::string_view(datagram).substr(headerSize));
    }
    void hear(Type type, const wire::Uuid& session, std::string_view body) {
        now += 1ms;
        receiver.onDatagram(now, {type, 0, session, ++packet, false}, body, somewhere());
        due();
    }
    // What a neighbour says of others.
    Relay::Verdict passedOn(const wire::Uuid& from, Relayed::Kind kind, const Sign& sign,
                            std::uint8_t hops = 1, std::string_view event = {},
                            std::uint32_t back = 0) {
        const std::string body = bodyOf(sign);
        Relayed relayed;
        relayed.kind = kind;
        relayed.hops = hops;
        relayed.back = back;
        relayed.number = sign.packet;
        relayed.host = sign.host;
        relayed.session = sign.session;
        relayed.name = sign.name;
        if (kind == Relayed::Kind::alive) relayed.content = body;
        if (kind == Relayed::Kind::event) relayed.content = event;
        Origin* origin = nullptr;
        relay.setTime(now);
        const auto verdict = relay.judge(from, "relay", relayed, origin);
        if (verdict == Relay::Verdict::take) {
            relay.passOn(from, relayed, *origin);
            relay.release(*origin);
        }
        return verdict;
    }
    void alive(const wire::Uuid& from, const Sign& sign) {
        (void)passedOn(from, Relayed::Kind::alive, sign);
    }

    void pass(std::chrono::milliseconds time) {
        for (const Time until = now + time; now < until;) {
            now += 1000ms;
            due();
            relay.setTime(now);
            relay.releaseDue(now);
            receiver.expireSilent(now, true);
            relay.onTurn(true);
        }
    }
    void due() {
        Receiver::Requests requests;
        receiver.requests(now, requests);
        receiver.endBatch();
        receiver.forgetEvents();
    }
    std::size_t mentioned(const wire::Uuid& session) const {
        return relay.origins().contains(session) ? 1 : 0;
    }

    Witness witness;
    Receiver receiver{65536, 1000ms, 1, witness};
    Relay relay;
    Time now{1h};
    std::uint64_t packet = 0;
    std::map<wire::Uuid, wire::Uuid> there;  ///< what clients know: host, its session
    std::uint64_t said = 0;                  ///< messages to all neighbours
    std::vector<std::string> held;

  private:
    void onPassOn(std::string_view) override { ++said; }
    void onThere(const Origin& origin) override {
        CHECK(there.emplace(origin.host, origin.session).second);
    }
    void onGone(const Origin& origin, std::string_view) override {
        CHECK(there.erase(origin.host) == 1);
    }
    bool onHeld(const wire::Uuid&, std::string_view event, std::string_view) override {
        held.emplace_back(event);
        return true;
    }
    void onHole(const Origin&) override {}
    std::uint64_t directPosition(const wire::Uuid& session) const override {
        return receiver.lastEventOf(session);
    }
};

using Hosts = std::map<wire::Uuid, wire::Uuid>;
constexpr std::size_t mostOrigins = maxOrigins + maxSessions;

}  // namespace

TEST_CASE("a session that says to be another host leaves nobody behind") {
    Ground ground(false);
    const wire::Uuid session = numbered(1), one = numbered(10), other = numbered(11);
    ground.heartbeat({session, one});
    ground.heartbeat({session, other});
    CHECK(ground.there == Hosts{{one, session}});
    ground.end(session);
    CHECK(ground.there.empty());
}

TEST_CASE("of what relays say of a session the first counts, and before that what it says itself") {
    Ground ground(false);
    const wire::Uuid relay = numbered(1), session = numbered(2);
    const wire::Uuid one = numbered(10), other = numbered(11), third = numbered(12);
    const auto alive = [&](const Sign& sign) {
        return ground.passedOn(relay, Relayed::Kind::alive, sign);
    };
    CHECK(alive({session, one, "n", 1}) == Relay::Verdict::drop);
    CHECK(alive({session, other, "n", 2}) == Relay::Verdict::malformed);
    CHECK(alive({session, one, "m", 2}) == Relay::Verdict::malformed);
    CHECK(ground.there == Hosts{{one, session}});
    ground.heartbeat({session, third, "z"});
    CHECK(ground.there == Hosts{{third, session}});
    CHECK(ground.relay.origins().at(session).name == "z");
    CHECK(alive({session, one, "n", 9}) == Relay::Verdict::malformed);
    CHECK(ground.there == Hosts{{third, session}});
    ground.end(session);
    CHECK(ground.there.empty());
}

TEST_CASE("there is an end to how many sessions are remembered, however many come and go") {
    for (const bool passesOn : {false, true}) {
        CAPTURE(passesOn);
        Ground ground(passesOn);
        for (std::uint64_t n = 0; n < 3000; ++n) {
            ground.heartbeat({numbered(n), numbered(n + 100'000)});
            ground.end(numbered(n));
            CHECK(ground.relay.origins().size() <= mostOrigins);
        }
        CHECK(ground.there.empty());
        // Others have a place all the same, heard directly or through somebody.
        const wire::Uuid direct = numbered(5000), behind = numbered(5001);
        ground.heartbeat({direct, numbered(6000)});
        ground.alive(direct, {behind, numbered(6001)});
        CHECK(ground.there == Hosts{{numbered(6000), direct}, {numbered(6001), behind}});
    }
}

TEST_CASE("nor is there room for more when all are said to be behind somebody") {
    Ground ground(true);
    const wire::Uuid relay = numbered(1);
    std::uint64_t next = 100;
    for (int round = 0; round < 12; ++round) {
        // A neighbour that says nothing more is silent after a while, but not if others say it is
        // there.
        for (std::uint64_t n = 0; n < maxSessions - 1; ++n, ++next) {
            ground.heartbeat({numbered(next), numbered(next + 100'000)});
        }
        for (int second = 0; second < 61; second += 4) {
            ground.heartbeat({relay, numbered(2), "relay"});
            for (std::uint64_t n = 100; n < next; ++n) {
                ground.alive(relay,
                             {numbered(n), numbered(n + 100'000), "liar", ground.packet + 1});
            }
            ground.pass(4000ms);
            CHECK(ground.relay.origins().size() <= mostOrigins);
        }
    }
    CHECK(ground.there.contains(numbered(2)));
    ground.pass(200s);
    CHECK(ground.there.empty());
}

TEST_CASE("what waits for others is heard when its session gives way") {
    Ground ground(false);
    const wire::Uuid relay = numbered(1), session = numbered(2), host = numbered(3);
    ground.heartbeat({relay, numbered(4), "relay"});
    const auto event = [&](std::uint64_t number, std::uint32_t back, std::string_view text) {
        return ground.passedOn(relay, Relayed::Kind::event, {session, host, "n", number}, 1, text,
                               back);
    };
    CHECK(event(1000, 0, "first") == Relay::Verdict::take);
    CHECK(event(3000, 1000, "third") == Relay::Verdict::drop);
    CHECK(ground.relay.deadline());
    for (std::uint64_t n = 100; ground.mentioned(session) != 0; ++n) {
        REQUIRE(n < 100'000);
        // They send something, so that they have what late copies are known by, too.
        ground.heartbeat({numbered(n), numbered(n + 100'000)});
        (void)ground.passedOn(relay, Relayed::Kind::event, {numbered(n), numbered(n + 100'000)});
        ground.end(numbered(n));
    }
    CHECK(ground.held == std::vector<std::string>{"third"});
    CHECK_FALSE(ground.relay.deadline());
}

TEST_CASE("a relay says all it knows to a new neighbour, but not to neighbours without end") {
    Ground ground(true);
    const wire::Uuid relay = numbered(1);
    ground.heartbeat({relay, numbered(2), "relay"});
    for (std::uint64_t n = 100; n < 200; ++n) {
        ground.alive(relay, {numbered(n), numbered(n + 100'000)});
    }
    const auto saidTo = [&](std::uint64_t neighbour) {
        const std::uint64_t before = ground.said;
        ground.heartbeat({numbered(neighbour), numbered(neighbour + 100'000)});
        ground.end(numbered(neighbour));
        return ground.said - before;
    };
    CHECK(saidTo(1000) >= 100);
    std::uint64_t said = 0;
    for (std::uint64_t n = 1001; n < 1501; ++n) said += saidTo(n);
    CHECK(said < greetingsPerTurn * 110 + 500 * 4);
    ground.heartbeat({relay, numbered(2), "relay", 2});
    ground.pass(1000ms);
    CHECK(saidTo(2000) >= 100);
}

TEST_CASE("whoever hosts say they are, who is there is told in order, and nobody stays for ever") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Ground ground(seed % 2 == 0);
        const auto below = [&](unsigned count) { return random() % count; };
        // Few sessions that are many hosts, our own among them; and some that never were before.
        std::uint64_t fresh = 1000;
        const auto session = [&] {
            return below(4) == 0    ? numbered(++fresh)
                   : below(20) == 0 ? ourSession
                                    : numbered(1 + below(5));
        };
        const auto host = [&] {
            const unsigned which = below(6);
            return which == 0 ? ourHost : which == 1 ? wire::Uuid{} : numbered(100 + which);
        };
        const auto sign = [&] {
            return Sign{session(), host(), below(8) == 0 ? "other" : "liar", 1 + below(50)};
        };
        for (int step = 0; step < 1500; ++step) {
            switch (below(10)) {
                case 0:
                    ground.pass(std::chrono::seconds(1 + below(8)));
                    break;
                case 1:
                    if (const auto ending = session(); ending != ourSession) ground.end(ending);
                    break;
                case 2:
                    (void)ground.passedOn(session(), Relayed::Kind::end, sign());
                    break;
                case 3:
                    (void)ground.passedOn(session(), Relayed::Kind::event, sign(), 1, "e",
                                          below(50));
                    break;
                case 4:
                case 5:
                    ground.alive(session(), sign());
                    break;
                default:
                    // The link never hands in what has its own session.
                    if (const Sign said = sign(); said.session != ourSession) {
                        ground.heartbeat(said);
                    }
            }
            REQUIRE(ground.relay.origins().size() <= mostOrigins);
        }
        ground.pass(300s);
        CHECK(ground.there.empty());
        CHECK_FALSE(ground.relay.deadline());
    }
}
