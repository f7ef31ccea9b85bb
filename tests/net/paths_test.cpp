// The ways between hosts: interfaces that come and go, IPv6, unicast, several ways at once, several
// daemons on a host; who comes late, and who starts anew; what is too large; and silence.
#include <doctest/doctest.h>

#include <algorithm>

#include "presence.hpp"
#include "printing.hpp"
#include "stream.hpp"
#include "weather.hpp"

using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

HostConfig roomy(const std::string& more = "") {
    return {.more = std::string(roomyQueues) + (more.empty() ? "" : ", " + more)};
}

void checkGapless(const Host& host) {
    const Json gaps = host.linkStats().at("gaps");
    CAPTURE(gaps.dump());
    CHECK(gaps.at("count") == 0);
    CHECK(gaps.at("datagrams") == 0);
    CHECK(gaps.at("events") == 0);
}

void checkAllOf(const Collector& collector, const Emitter& emitter) {
    const Heardof heard = collector.of(emitter.stream());
    CAPTURE(emitter.stream());
    CAPTURE(heard);
    CHECK(heard.received == emitter.emitted());
    CHECK(heard.missing == 0);
    CHECK(heard.repeated == 0);
    CHECK(heard.wrong == 0);
}

/// Events from one host to another, small and large; all must arrive once and in order.
void cross(const Host& from, const Host& to, std::uint64_t count = 2000) {
    Emitter emitter(from.socket("A"), from.name(),
                    {.size = 100, .largeSize = 20'000, .largeEvery = 20});
    Collector collector(to.socket("A"), {from.name()});
    emitter.emit(count);
    settle(emitter, {&collector});
    checkAllOf(collector, emitter);
}

void crossBothWays(Lab& lab, std::uint64_t count = 2000) {
    cross(lab[0], lab[1], count);
    cross(lab[1], lab[0], count);
}

std::string peers(const std::vector<std::string>& addresses) {
    std::string list;
    for (const std::string& address : addresses) {
        list += (list.empty() ? "\"" : ", \"") + address + ":4454\"";
    }
    return "\"peers\": [" + list + "]";
}

/// Two hosts with two cables: 10.77.0.x on eth0, 10.78.0.x on eth1.
struct TwoCables {
    TwoCables() {
        for (const char* end : {"eth0", "eth1"}) cable(one.network(), end, two.network(), end);
        for (Host* host : {&one, &two}) {
            host->setAddress();
            host->network().ip("addr add 10.78.0." + std::to_string(host->number()) +
                               "/24 dev eth1");
            host->start(roomy());
        }
        one.awaitOnline({&two});
        two.awaitOnline({&one});
    }
    void crossBothWays() {
        cross(one, two);
        cross(two, one);
    }

    Host one{1};
    Host two{2};
};

bool anyTooBig(const Host& host) {
    const Json stats = host.linkStats();
    for (const char* list : {"interfaces", "peers"}) {
        for (const Json& path : stats.at(list)) {
            if (path.value("toobig", 0) > 0) return true;
        }
    }
    return false;
}

std::string doctor(const Host& host) {
    Process process({NETCLUSTER_NCCTL, "--dir", host.daemon().runDir(), "doctor"},
                    {.networkNamespace = host.network().descriptor()});
    process.wait();
    process.out.waitForEnd();
    return process.out.text() + process.err.text();
}

// By a counter, in the log, or when asked.
bool saysTooBig(const Host& host) {
    return anyTooBig(host) || host.daemon().log().find("MTU") != std::string::npos ||
           doctor(host).find("MTU of 600") != std::string::npos;
}

}  // namespace

TEST_CASE("an address is taken away and given back: the hosts find each other again") {
    Lab lab({roomy(), roomy()}, atSwitch);
    crossBothWays(lab, 100);
    Host& host = lab[1];
    host.network().ip("addr del " + host.address() + "/24 dev eth0");
    awaitSilent(lab[0], "h2");
    host.setAddress();
    awaitHeard(lab[0], "h2");
    crossBothWays(lab, 100);
}

TEST_CASE("another address instead of the first: the hosts find each other again") {
    Lab lab({roomy(), roomy()}, atSwitch);
    crossBothWays(lab, 100);
    Host& host = lab[1];
    host.network().ip("addr del " + host.address() + "/24 dev eth0");
    host.network().ip("addr add 10.77.0.102/24 dev eth0");
    await("h2 at its new address", [&] {
        const Json stats = lab[0].linkStats();
        const Json& hosts = stats.at("hosts");
        return hosts.size() == 1 && hosts[0].at("address") == "10.77.0.102:4454";
    });
    crossBothWays(lab, 100);
}

TEST_CASE("an interface that appears later is joined, and one that vanishes is left") {
    Lab lab({roomy(), roomy()}, atSwitch);
    Host& host = lab[1];
    host.network().ip("link del eth0");
    awaitSilent(lab[0], "h2");
    cable(lab.network(), "portagain", host.network(), "eth7");
    lab.network().ip("link set portagain master br0");
    host.network().ip("addr add " + host.address() + "/24 dev eth7");
    awaitHeard(lab[0], "h2");
    crossBothWays(lab, 100);
    CHECK(host.linkStats().at("interfaces").size() == 1);
}

TEST_CASE("an interface that is down for so long that it is left is joined again") {
    Lab lab({roomy(), roomy()}, atSwitch);
    Host& host = lab[1];
    Emitter emitter(lab[0].socket("A"), "h1");
    Emitter back(host.socket("A"), "h2");
    Collector there(host.socket("A"), {"h1"});
    Collector here(lab[0].socket("A"), {"h2"});
    emitter.emit(100);
    back.emit(100);
    settle(emitter, {&there});
    settle(back, {&here});
    const auto uses = [&](const std::string& name) {
        const Json stats = host.linkStats();
        const Json& all = stats.at("interfaces");
        return std::any_of(all.begin(), all.end(),
                           [&](const Json& one) { return one.at("name") == name; });
    };
    host.network().ip("link set eth0 down");
    await("eth0 left", [&] { return !uses("eth0"); });
    emitter.emit(1000);
    back.emit(1000);
    host.network().ip("link set eth0 up");
    await("eth0 joined", [&] { return uses("eth0"); });
    settle(emitter, {&there});
    settle(back, {&here});
    checkAllOf(there, emitter);
    checkAllOf(here, back);
    checkGapless(lab[0]);
    checkGapless(host);
}

TEST_CASE("two cables between two hosts: no event twice, and one cable is enough") {
    TwoCables hosts;
    hosts.crossBothWays();
    CHECK(hosts.two.linkStats().at("received").at("duplicates") > 0);
    hosts.one.network().ip("link set eth1 down");
    hosts.crossBothWays();
    hosts.one.network().ip("link set eth1 up");
    hosts.crossBothWays();
    hosts.two.network().ip("link set eth0 down");
    hosts.crossBothWays();
    for (const Host* host : {&hosts.one, &hosts.two}) checkGapless(*host);
}

TEST_CASE("two cables, and half of what comes by one of them is lost: no duplicates, no gaps") {
    TwoCables hosts;
    for (Host* host : {&hosts.one, &hosts.two}) {
        dropAtRandom(host->network(), 50, R"(iifname "eth1" )");
    }
    hosts.crossBothWays();
    for (Host* host : {&hosts.one, &hosts.two}) {
        CHECK(dropped(host->network()) > 0);
        checkGapless(*host);
    }
}

TEST_CASE("IPv6 multicast, 5 % lost: everything arrives") {
    Host one(1);
    Host two(2);
    cable(one.network(), "eth0", two.network(), "eth0");
    for (Host* host : {&one, &two}) {
        const std::string number = std::to_string(host->number());
        host->network().ip("link set eth0 gso_max_segs 1");
        host->network().ip("addr add fd77::" + number + "/64 dev eth0 nodad");
        host->network().ip("addr add fe80::77:" + number + "/64 dev eth0 nodad");
        dropAtRandom(host->network(), 5);
        host->start(roomy(R"("addr": "ff12::4e43:4454")"));
    }
    one.awaitOnline({&two});
    two.awaitOnline({&one});
    cross(one, two, scaled(20'000));
    cross(two, one, scaled(20'000));
    for (const Host* host : {&one, &two}) {
        CHECK(dropped(host->network()) > 0);
        checkGapless(*host);
    }
}

TEST_CASE("unicast peers alone, 5 % lost: everything arrives at all of them") {
    const HostConfig config =
        roomy(R"("addr": "", )" + peers({"10.77.0.1", "10.77.0.2", "10.77.0.3"}));
    Lab lab({config, config, config});
    for (std::size_t n = 0; n < 3; ++n) dropAtRandom(lab[n].network(), 5);
    Emitter emitter(lab[0].socket("A"), "h1", {.size = 100, .largeSize = 8192, .largeEvery = 11});
    Collector second(lab[1].socket("A"), {"h1"});
    Collector third(lab[2].socket("A"), {"h1"});
    emitter.emit(scaled(20'000));
    settle(emitter, {&second, &third});
    checkAllOf(second, emitter);
    checkAllOf(third, emitter);
    for (std::size_t n = 1; n < 3; ++n) {
        CHECK(dropped(lab[n].network()) > 0);
        checkGapless(lab[n]);
    }
}

TEST_CASE("multicast and unicast, one of them loses half: no duplicates, no gaps") {
    for (const bool multicastLoses : {true, false}) {
        CAPTURE(multicastLoses);
        const HostConfig config = roomy(peers({"10.77.0.1", "10.77.0.2"}));
        Lab lab({config, config}, atSwitch);
        for (std::size_t n = 0; n < 2; ++n) {
            dropAtRandom(lab[n].network(), 50,
                         multicastLoses ? "ip daddr 239.255.44.54 " : "ip daddr != 239.255.44.54 ");
        }
        crossBothWays(lab);
        for (std::size_t n = 0; n < 2; ++n) {
            CHECK(dropped(lab[n].network()) > 0);
            CHECK(lab[n].linkStats().at("received").at("duplicates") > 0);
            checkGapless(lab[n]);
        }
    }
}

TEST_CASE("three daemons on one host and one elsewhere, 2 % lost: each hears the others, gapless") {
    Lab lab({roomy(), roomy()}, atSwitch);
    const auto beside = [&](const std::string& name) {
        return std::make_unique<Daemon>(
            "{\"name\": \"" + name + "\", \"heartbeat\": 100, " + std::string(roomyQueues) +
                R"(, "channels": {"control": {}, "A": {"propagatetonet": true}}})",
            DaemonOptions{.spawn = {.networkNamespace = lab[0].network().descriptor()}});
    };
    const std::unique_ptr<Daemon> more[] = {beside("second"), beside("third")};
    Daemon* const all[] = {&lab[0].daemon(), more[0].get(), more[1].get(), &lab[1].daemon()};
    const std::string names[] = {"h1", "second", "third", "h2"};
    for (std::size_t n = 0; n < 4; ++n) {
        for (std::size_t k = 0; k < 4; ++k) {
            if (k != n) all[n]->awaitLog("host " + names[k] + " is online");
        }
    }
    for (std::size_t n = 0; n < 2; ++n) dropAtRandom(lab[n].network(), 2);
    std::vector<std::unique_ptr<Collector>> collectors;
    std::vector<std::unique_ptr<Emitter>> emitters;
    for (std::size_t n = 0; n < 4; ++n) {
        std::vector<std::string> others;
        for (std::size_t k = 0; k < 4; ++k) {
            if (k != n) others.push_back(names[k]);
        }
        collectors.push_back(std::make_unique<Collector>(all[n]->socket("A"), others));
        emitters.push_back(
            std::make_unique<Emitter>(all[n]->socket("A"), names[n],
                                      Shape{.size = 100, .largeSize = 8192, .largeEvery = 11}));
    }
    for (auto& emitter : emitters) emitter->emit(scaled(5000));
    for (std::size_t n = 0; n < 4; ++n) {
        for (std::size_t k = 0; k < 4; ++k) {
            if (k == n) continue;
            settle(*emitters[n], {collectors[k].get()});
            CAPTURE(names[k]);
            checkAllOf(*collectors[k], *emitters[n]);
        }
    }
    for (std::size_t n = 0; n < 2; ++n) CHECK(dropped(lab[n].network()) > 0);
    for (const Daemon* daemon : all) {
        CHECK(daemon->ask("stats").at("link").at("gaps").at("count") == 0);
    }
}

TEST_CASE("who comes late hears nothing of the past") {
    Lab lab({roomy(), roomy()}, atSwitch);
    Emitter emitter(lab[0].socket("A"), "h1");
    Collector present(lab[1].socket("A"), {"h1"});
    emitter.emit(3000);
    settle(emitter, {&present});
    // Its listener is there before the network is.
    Host& late = lab.add(roomy());
    Collector collector(late.socket("A"), {"h1"});
    lab.plug(late);
    late.awaitOnline({&lab[0], &lab[1]});
    const std::uint64_t past = emitter.emitted();
    emitter.emit(3000);
    settle(emitter, {&present, &collector});
    const Heardof heard = collector.of("h1");
    CAPTURE(heard);
    CHECK(heard.first == past);
    CHECK(heard.received == emitter.emitted() - past);
    CHECK(heard.repeated == 0);
    CHECK(present.of("h1").missing == 0);
    checkGapless(late);
}

TEST_CASE("who comes late in the midst of traffic and loss hears all from its first event on") {
    Lab lab({roomy(), roomy()}, atSwitch);
    Emitter emitter(lab[0].socket("A"), "h1", {.size = 100, .largeSize = 8192, .largeEvery = 11});
    Collector present(lab[1].socket("A"), {"h1"});
    Flow flow(emitter, 5000);
    Host& late = lab.add(roomy());
    dropAtRandom(late.network(), 5);
    Collector collector(late.socket("A"), {"h1"});
    lab.plug(late);
    late.awaitOnline({&lab[0], &lab[1]});
    const auto some = [](const Heardof& heard) { return heard.received > 5000; };
    CHECK(collector.waitFor("h1", some, patience()));
    flow.stop();
    settle(emitter, {&present, &collector});
    const Heardof heard = collector.of("h1");
    CAPTURE(heard);
    CHECK(heard.first > 0);
    CHECK(heard.holes == 1);  // the past
    CHECK(heard.received == emitter.emitted() - heard.first);
    CHECK(heard.repeated == 0);
    CHECK(present.of("h1").missing == 0);
    checkGapless(late);
}

TEST_CASE("a sender that starts anew at once under its name is heard, and nothing twice") {
    Lab lab({roomy(), roomy()}, atSwitch);
    Collector collector(lab[1].socket("A"), {"first", "second", "third"});
    const auto emitAs = [&](const std::string& stream) {
        Emitter emitter(lab[0].socket("A"), stream);
        emitter.emit(500);
        settle(emitter, {&collector});
    };
    emitAs("first");
    lab[0].start(roomy());
    emitAs("second");
    // Without a goodbye, as if killed.
    lab.unplug(lab[0]);
    const std::vector<std::string> before = sessionsOf(lab[1], "h1");
    lab[0].start(roomy());
    lab.plug(lab[0]);
    await("the new sender", [&] {
        const std::vector<std::string> now = sessionsOf(lab[1], "h1");
        return !now.empty() && now != before;
    });
    emitAs("third");
    for (const char* stream : {"first", "second", "third"}) {
        const Heardof heard = collector.of(stream);
        CAPTURE(stream);
        CAPTURE(heard);
        CHECK(heard.repeated == 0);
        CHECK(heard.wrong == 0);
        CHECK(heard.received == 500);
    }
    checkGapless(lab[1]);
}

TEST_CASE("a host with an MTU of 600 does not fall silent without a word") {
    for (const std::size_t small : {0, 1}) {
        CAPTURE(small);
        Lab lab({roomy(), roomy()}, unplugged);
        lab[small].network().ip("link set eth0 mtu 600");
        lab.plug(lab[0]);
        lab.plug(lab[1]);
        lab[0].awaitOnline({&lab[1]});
        lab[1].awaitOnline({&lab[0]});
        JsonListener emitter(lab[0].socket("A"));
        for (int n = 0; n < 10; ++n) {
            emitter.emit("large", "\"" + std::string(5000, 'x') + "\"");
        }
        await("a word about the MTU", [&] { return saysTooBig(lab[0]) || saysTooBig(lab[1]); });
    }
}

TEST_CASE("hosts with nothing to say send two datagrams a second at most") {
    HostConfig config = roomy();
    config.heartbeat = 0;  // as it comes
    Lab lab({config, config, config});
    cross(lab[0], lab[1], 200);
    // What follows an event to show that it was the last has its time; then silence is measured.
    std::this_thread::sleep_for(5s);
    for (std::size_t n = 0; n < lab.size(); ++n) countSent(lab[n].network());
    constexpr int seconds = 6;
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    for (std::size_t n = 0; n < lab.size(); ++n) {
        const std::uint64_t sent = sentSince(lab[n].network());
        CHECK(sent > 0);
        CHECK(sent <= 2 * seconds);
    }
}
