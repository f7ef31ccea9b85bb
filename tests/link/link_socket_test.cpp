#include <doctest/doctest.h>

#include <cstdlib>
#include <netcluster/error.hpp>
#include <numeric>

#include "socket_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon;
using boost::asio::ip::make_address;
using link::patterned;

namespace {

// Without those that are too much at once for this system.
std::vector<std::size_t> sizesForHere() {
    std::vector<std::size_t> sizes{0,    1,     100,   1100,    1150,   1200,
                                   2000, 65535, 65536, 1 << 20, 4 << 20};
    std::erase_if(sizes, [](std::size_t size) { return size > largestBurst(); });
    return sizes;
}

std::size_t bytesOf(const std::vector<std::size_t>& sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

struct Loop {
    bool until(const std::function<bool()>& done) { return runUntil(io, done); }
    boost::asio::io_context io;
};

bool holdsEverySize(const Inbox& inbox, const std::string& host,
                    const std::vector<std::size_t>& sizes) {
    if (inbox.events.size() != sizes.size()) return false;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        const Inbox::Event& event = inbox.events[i];
        const bool same = event.name == "size" + std::to_string(sizes[i]) && event.host == host &&
                          event.payload == patterned(sizes[i]);
        if (!same) return false;
    }
    return true;
}

// Both send every size at the same time; each must get the other's, whole, in order and once.
void exchange(Loop& loop, Daemon& alpha, Daemon& beta) {
    const std::vector<std::size_t> sizes = sizesForHere();
    for (const std::size_t size : sizes) {
        const std::string data = patterned(size);
        alpha.emit("size" + std::to_string(size), data);
        beta.emit("size" + std::to_string(size), data);
    }
    // A last one each, after which nothing else can be on its way.
    alpha.emit("last", "");
    beta.emit("last", "");
    const auto done = [](const Daemon& daemon) {
        return !daemon.inbox.events.empty() && daemon.inbox.events.back().name == "last";
    };
    CHECK(loop.until([&] { return done(alpha) && done(beta); }));
    for (Daemon* daemon : {&alpha, &beta}) {
        if (!daemon->inbox.events.empty()) daemon->inbox.events.pop_back();
        CHECK(daemon->stat("/gaps/count") == 0);
        CHECK(daemon->stat("/sent/dropped") == 0);
        CHECK(daemon->stat("/malformed").empty());
    }
    CHECK(holdsEverySize(alpha.inbox, "beta", sizes));
    CHECK(holdsEverySize(beta.inbox, "alpha", sizes));
}

struct Pair {
    explicit Pair(link::Keyring keys = {}, link::Keyring others = {})
        : alpha(loop.io, 1, "alpha", peersAlone(testPort(2), testPort(3)), keys),
          beta(loop.io, 2, "beta", peersAlone(testPort(3), testPort(2)),
               others.empty() ? keys : others) {}

    void open() {
        alpha.link->open();
        beta.link->open();
    }
    bool meet() {
        open();
        return loop.until([&] { return alpha.hears("beta") && beta.hears("alpha"); });
    }

    Loop loop;
    Daemon alpha;
    Daemon beta;
};

// Two daemons and, between them, for each direction somebody who may drop what he likes.
struct LossyPair {
    LossyPair()
        : toBeta(loop.io, testPort(8), {make_address("127.0.0.1"), testPort(9)}),
          toAlpha(loop.io, testPort(10), {make_address("127.0.0.1"), testPort(7)}),
          alpha(loop.io, 1, "alpha", peersAlone(testPort(7), testPort(8))),
          beta(loop.io, 2, "beta", peersAlone(testPort(9), testPort(10))) {
        alpha.link->open();
        beta.link->open();
    }
    bool meet() {
        return loop.until([&] { return alpha.hears("beta") && beta.hears("alpha"); });
    }

    Loop loop;
    Forwarder toBeta;
    Forwarder toAlpha;
    Daemon alpha;
    Daemon beta;
};

link::Keyring ringOf(std::uint16_t id, const link::Secret& key) {
    link::Keyring ring;
    ring.add(id, key);
    return ring;
}

// Sets a variable of the environment as long as it lives.
struct Environment {
    Environment(const char* variable, const char* value) : name(variable) {
        setVariable(name, value);
    }
    ~Environment() { setVariable(name, ""); }
    const char* name;
};

bool inOrder(const Inbox& inbox, std::size_t count) {
    if (inbox.events.size() != count) return false;
    for (std::size_t i = 0; i < count; ++i) {
        if (inbox.events[i].name != std::to_string(i)) return false;
    }
    return true;
}

#define NEEDS_MULTICAST(ipv6)                                                                  \
    do {                                                                                       \
        if (multicastOnLoopback(ipv6)) break;                                                  \
        MESSAGE("skipped: this system does not loop multicast back on lo (IPv6: ", ipv6, ")"); \
        return;                                                                                \
    } while (false)

}  // namespace

TEST_CASE("two daemons of one host exchange events of every size by multicast") {
    NEEDS_MULTICAST(false);
    Loop loop;
    Daemon alpha(loop.io, 1, "alpha", onLoopback(testPort(0)));
    Daemon beta(loop.io, 2, "beta", onLoopback(testPort(0)));
    alpha.link->open();
    beta.link->open();
    exchange(loop, alpha, beta);
    CHECK(loop.until([&] { return alpha.hears("beta") && beta.hears("alpha"); }));
    CHECK_FALSE(alpha.hears("alpha"));

    beta.link->close();
    CHECK(loop.until([&] { return !alpha.hears("beta"); }));
}

TEST_CASE("the same by IPv6") {
    NEEDS_MULTICAST(true);
    Loop loop;
    auto settings = onLoopback(testPort(1));
    settings.addr = testGroupV6;
    Daemon alpha(loop.io, 1, "alpha", settings);
    Daemon beta(loop.io, 2, "beta", settings);
    alpha.link->open();
    beta.link->open();
    exchange(loop, alpha, beta);
}

TEST_CASE("two daemons exchange events of every size as unicast peers alone") {
    Loop loop;
    Daemon alpha(loop.io, 1, "alpha", peersAlone(testPort(2), testPort(3)));
    Daemon beta(loop.io, 2, "beta", peersAlone(testPort(3), testPort(2)));
    alpha.link->open();
    beta.link->open();
    CHECK(alpha.stat("/interfaces").empty());
    exchange(loop, alpha, beta);
}

TEST_CASE("daemons of one host share a port when each has an address of its own") {
    Loop loop;
    const std::uint16_t port = testPort(2);
    const auto at = [&](const std::string& own, const std::string& peer) {
        config::LinkSettings settings = peersAlone(port, port);
        settings.netInterface = own;
        settings.peers = {peer + ":" + std::to_string(port)};
        return settings;
    };
    Daemon alpha(loop.io, 1, "alpha", at("127.0.0.1", "127.0.0.2"));
    Daemon beta(loop.io, 2, "beta", at("127.0.0.2", "127.0.0.1"));
    alpha.link->open();
    beta.link->open();
    exchange(loop, alpha, beta);

    // A third one finds an address taken, as does one that wants them all.
    Daemon third(loop.io, 3, "third", at("127.0.0.2", "127.0.0.1"));
    CHECK_THROWS_WITH_AS(third.link->open(), doctest::Contains("of 127.0.0.2 is taken"), Error);
    Daemon all(loop.io, 4, "all", at("", "127.0.0.1"));
    CHECK_THROWS_WITH_AS(all.link->open(), doctest::Contains("is taken"), Error);
}

TEST_CASE("what comes by multicast and by unicast as well is handed on once") {
    NEEDS_MULTICAST(false);
    Loop loop;
    const std::uint16_t port = testPort(4);
    auto both = onLoopback(port);
    both.peers = {"127.0.0.1:" + std::to_string(testPort(5))};
    // Stands for a second network between the two: what alpha sends to its peer arrives at beta.
    Forwarder secondPath(loop.io, testPort(5), {make_address(testGroup), port});
    Daemon alpha(loop.io, 1, "alpha", both);
    Daemon beta(loop.io, 2, "beta", onLoopback(port));
    alpha.link->open();
    beta.link->open();
    exchange(loop, alpha, beta);
    CHECK(loop.until([&] { return beta.stat("/received/duplicates") > 0; }));
}

TEST_CASE("one path may lose everything while the other delivers") {
    NEEDS_MULTICAST(false);
    Loop loop;
    const std::uint16_t port = testPort(6);
    auto both = onLoopback(port);
    both.peers = {"127.0.0.1:" + std::to_string(testPort(7))};
    Forwarder lossy(loop.io, testPort(7), {make_address(testGroup), port});
    lossy.drop = [](std::string_view) { return true; };
    Daemon alpha(loop.io, 1, "alpha", both);
    Daemon beta(loop.io, 2, "beta", onLoopback(port));
    alpha.link->open();
    beta.link->open();
    exchange(loop, alpha, beta);
}

TEST_CASE("an encrypted pair exchanges events of every size, and says that it is") {
    Pair pair(ringOf(7, link::Keyring::makeKey()));
    REQUIRE(pair.meet());
    exchange(pair.loop, pair.alpha, pair.beta);
    CHECK(pair.alpha.stat("/encrypted") == true);
    const auto keys = pair.alpha.link->keyStats();
    CHECK(keys.at("keys").at(0).at("id") == 7);
    CHECK(keys.at("keys").at(0).at("opened") > bytesOf(sizesForHere()) / 1300);
    CHECK(keys.at("forged") == 0);
    CHECK(pair.alpha.link->strangers().empty());
}

TEST_CASE("keys change under way, and nothing is lost") {
    const link::Secret former = link::Keyring::makeKey();
    const link::Secret next = link::Keyring::makeKey();
    Pair pair(ringOf(1, former));
    REQUIRE(pair.meet());
    link::Keyring keys = ringOf(1, former);
    std::size_t sent = 0;
    const auto talk = [&] {
        for (int i = 0; i < 200; ++i, ++sent) {
            pair.alpha.emit(std::to_string(sent), patterned(500));
            pair.beta.emit(std::to_string(sent), patterned(500));
        }
    };
    // Each host takes each step at another time, while both go on talking.
    const auto step = [&] {
        pair.alpha.link->setKeys(keys);
        talk();
        CHECK(pair.loop.until([&] { return pair.beta.inbox.events.size() == sent; }));
        pair.beta.link->setKeys(keys);
        talk();
        CHECK(pair.loop.until([&] {
            return pair.beta.inbox.events.size() == sent && pair.alpha.inbox.events.size() == sent;
        }));
    };
    talk();
    keys.add(2, next);
    step();
    keys.use(2);
    step();
    keys.remove(1);
    step();
    for (Daemon* daemon : {&pair.alpha, &pair.beta}) {
        CHECK(inOrder(daemon->inbox, sent));
        CHECK(daemon->stat("/malformed").empty());
        CHECK(daemon->stat("/gaps/count") == 0);
        const auto counters = daemon->link->keyStats();
        CHECK(counters.at("keys").size() == 1);
        CHECK(counters.at("keys").at(0).at("id") == 2);
        CHECK(counters.at("keys").at(0).at("opened") > 0);
    }
}

TEST_CASE("hosts that do not share a key hear nothing of each other but that somebody is there") {
    struct Row {
        link::Keyring alpha, beta;
        const char* toAlpha;
        const char* toBeta;
    };
    const link::Secret key = link::Keyring::makeKey();
    const Row rows[] = {
        {ringOf(1, key), ringOf(1, link::Keyring::makeKey()), "forged", "forged"},
        {ringOf(1, key), ringOf(2, key), "unknownkey", "unknownkey"},
        {{}, ringOf(1, key), "encrypted", "notencrypted"},
    };
    for (const Row& row : rows) {
        Pair pair(row.alpha, row.beta);
        pair.open();
        pair.alpha.emit("secret", "x");
        pair.beta.emit("secret", "x");
        const auto refused = [](const Daemon& daemon, const char* why) {
            return daemon.link->stats().at("malformed").value(why, 0) > 2;
        };
        CHECK(pair.loop.until(
            [&] { return refused(pair.alpha, row.toAlpha) && refused(pair.beta, row.toBeta); }));
        CHECK(pair.alpha.inbox.events.empty());
        CHECK(pair.beta.inbox.events.empty());
        CHECK(pair.alpha.stat("/hosts").empty());
        CHECK(pair.alpha.stat("/malformed").size() == 1);
        const auto strangers = pair.alpha.link->strangers();
        REQUIRE(strangers.size() == 1);
        CHECK(strangers[0].at("address") == "127.0.0.1");
        CHECK(strangers[0].at("reason") == row.toAlpha);
        CHECK(strangers[0].at("count") > 2);
    }
}

TEST_CASE("a recording of an old session is asked, answers nothing and is never heard") {
    const link::Keyring keys = ringOf(1, link::Keyring::makeKey());
    std::vector<std::string> recording;
    Loop loop;
    {
        Forwarder tap(loop.io, testPort(4), {make_address("127.0.0.1"), testPort(3)});
        tap.drop = [&](std::string_view datagram) {
            recording.emplace_back(datagram);
            return false;
        };
        Daemon alpha(loop.io, 1, "alpha", peersAlone(testPort(2), testPort(4)), keys);
        Daemon beta(loop.io, 2, "beta", peersAlone(testPort(3), testPort(2)), keys);
        alpha.link->open();
        beta.link->open();
        REQUIRE(loop.until([&] { return beta.hears("alpha"); }));
        alpha.emit("once", "x");
        REQUIRE(loop.until([&] { return beta.inbox.events.size() == 1; }));
    }
    Daemon beta(loop.io, 3, "beta", peersAlone(testPort(3), testPort(2)), keys);
    beta.link->open();
    Udp::socket attacker(loop.io, Udp::v4());
    for (const std::string& datagram : recording) {
        attacker.send_to(boost::asio::buffer(datagram), {make_address("127.0.0.1"), testPort(3)});
    }
    CHECK(loop.until([&] { return beta.stat("/malformed").contains("replayed"); }));
    CHECK(beta.inbox.events.empty());
    CHECK(beta.inbox.notices.empty());
    CHECK(beta.stat("/hosts").empty());
}

TEST_CASE("datagrams go out one by one, many at a time or as segments, and all arrive") {
    for (const char* way : {"single", "many", "segments"}) {
        CAPTURE(way);
        const Environment batching("NETCLUSTER_LINK_BATCHING", way);
        Pair pair(ringOf(1, link::Keyring::makeKey()));
        REQUIRE(pair.meet());
        exchange(pair.loop, pair.alpha, pair.beta);
    }
    const Environment batching("NETCLUSTER_LINK_BATCHING", "rubbish");
    CHECK_THROWS_WITH_AS(Pair(), doctest::Contains("NETCLUSTER_LINK_BATCHING"), Error);
}

TEST_CASE("a tenth of all is dropped on the way, and nothing is lost") {
    LossyPair lossy;
    REQUIRE(lossy.meet());
    std::minstd_rand random(1);
    const auto drop = [&](std::string_view) { return random() % 10 == 0; };
    lossy.toBeta.drop = lossy.toAlpha.drop = drop;

    const std::string data = patterned(1000);
    const std::size_t sent = inNumbersForHere(3000);
    for (std::size_t i = 0; i < sent; ++i) {
        REQUIRE(lossy.loop.until([&] { return !lossy.alpha.held("e", data); }));
        lossy.alpha.emit(std::to_string(i), data);
        if (i % 10 == 0) lossy.beta.emit(std::to_string(i / 10), data);
    }
    CHECK(lossy.loop.until([&] {
        return lossy.beta.inbox.events.size() == sent &&
               lossy.alpha.inbox.events.size() == sent / 10;
    }));
    CHECK(inOrder(lossy.beta.inbox, sent));
    CHECK(inOrder(lossy.alpha.inbox, sent / 10));
    CHECK(lossy.beta.stat("/gaps/count") == 0);
    CHECK(lossy.alpha.stat("/gaps/count") == 0);
    CHECK(lossy.beta.stat("/received/repaired") > sent / 30);
    CHECK(lossy.alpha.stat("/sent/repaired") > sent / 30);
    CHECK(lossy.beta.stat("/received/held") == 0);
}

TEST_CASE("that a host fell silent is written to clients though nobody says anything any more") {
    LossyPair lossy;
    REQUIRE(lossy.meet());
    CHECK(lossy.loop.until([&] { return lossy.alpha.inbox.wrote("nc-host-online"); }));
    const auto all = [](std::string_view) { return true; };
    lossy.toAlpha.drop = all;
    CHECK(lossy.loop.until([&] { return lossy.alpha.inbox.wrote("nc-host-expired"); }));
    CHECK(lossy.alpha.inbox.notices.back().data.at("why") == "silent");
    lossy.toAlpha.drop = [](std::string_view) { return false; };
    CHECK(lossy.loop.until([&] { return lossy.alpha.hears("beta"); }));
}

TEST_CASE("a flood waits for its receivers, and all of it arrives" *
          doctest::skip(!bearsFloods())) {
    Pair pair;
    REQUIRE(pair.meet());
    const std::string data = patterned(1000);
    const std::size_t count = 30'000;
    const auto source = std::make_shared<WaitingSource>();
    int waits = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = std::to_string(i);
        while (pair.alpha.held(name, data)) {
            pair.alpha.link->awaitRoom(*source);
            ++waits;
            REQUIRE(pair.loop.until([&] { return source->resumed == waits; }));
        }
        pair.alpha.emit(name, data);
    }
    CHECK(waits > 0);
    CHECK(pair.loop.until([&] { return pair.beta.inbox.events.size() == count; }));
    CHECK(inOrder(pair.beta.inbox, count));
    CHECK(pair.alpha.stat("/sent/dropped") == 0);
    CHECK(pair.beta.stat("/gaps/count") == 0);
    // Nobody waits for a link that is closed.
    while (!pair.alpha.held("e", data)) pair.alpha.emit("e", data);
    pair.alpha.link->awaitRoom(*source);
    pair.alpha.link->close();
    CHECK(source->resumed == waits + 1);
    CHECK_FALSE(pair.alpha.held("e", data));
}

TEST_CASE("a client that lags behind holds up what comes, and nothing is lost for it") {
    Pair pair;
    REQUIRE(pair.meet());
    pair.beta.inbox.lagging = true;
    const std::string data = patterned(1000);
    std::size_t sent = 0;
    // As much as all buffers on the way hold.
    while (!pair.alpha.held("e", data)) pair.alpha.emit(std::to_string(sent++), data);
    CHECK(pair.loop.until([&] { return pair.beta.inbox.waiter != nullptr; }));
    const std::size_t before = pair.beta.inbox.events.size();
    CHECK(before < sent);
    pair.beta.inbox.lagging = false;
    pair.beta.inbox.waiter->resume();
    CHECK(pair.loop.until([&] { return pair.beta.inbox.events.size() == sent; }));
    CHECK(inOrder(pair.beta.inbox, sent));
    CHECK(pair.beta.stat("/gaps/count") == 0);
}

TEST_CASE("every host answers a question, small and large, and says what time it is there") {
    Pair pair;
    REQUIRE(pair.meet());
    nlohmann::json found;
    pair.alpha.link->probe(std::chrono::milliseconds(500),
                           [&](nlohmann::json hosts) { found = std::move(hosts); });
    CHECK(pair.loop.until([&] { return !found.is_null(); }));
    REQUIRE(found.size() == 2);
    CHECK(found[0].at("self") == true);
    CHECK(found[1].at("name") == "beta");
    const auto& probe = found[1].at("probe");
    CHECK(probe.at("small") == true);
    CHECK(probe.at("large") == true);
    CHECK(probe.at("roundtripms") >= 0);
    CHECK(probe.at("clockoffsetms") < 1000);
    CHECK(probe.at("clockoffsetms") > -1000);
}

TEST_CASE("what a host says of itself is heard by the others") {
    Pair pair;
    pair.beta.link->describe([] {
        HostDescription own;
        own.load = 1.5;
        own.cpus = 4;
        own.memoryTotal = 1000;
        own.memoryAvailable = 600;
        own.rss = 50;
        own.clients = 3;
        own.channels = {"A", "main"};
        return own;
    });
    REQUIRE(pair.meet());
    const auto host = pair.alpha.stat("/hosts/0");
    CHECK(host.at("load") == 1.5);
    CHECK(host.at("cpus") == 4);
    CHECK(host.at("memory").at("total") == 1000);
    CHECK(host.at("memory").at("available") == 600);
    CHECK(host.at("rss") == 50);
    CHECK(host.at("clients") == 3);
    CHECK(host.at("channels") == nlohmann::json{"A", "main"});
    CHECK(pair.loop.until([&] { return pair.alpha.stat("/hosts/0/hearsus") == true; }));
}

TEST_CASE("a burst beyond the queue is dropped at its end, whole, and the receiver knows how much" *
          doctest::skip(!bearsFloods())) {
    Loop loop;
    Daemon alpha(loop.io, 1, "alpha", peersAlone(testPort(2), testPort(3)));
    Daemon beta(loop.io, 2, "beta", peersAlone(testPort(3), testPort(2)));
    alpha.link->open();
    beta.link->open();
    REQUIRE(loop.until([&] { return beta.hears("alpha"); }));

    const std::string data = patterned(300);
    const std::size_t sent = 40'000;  // 13 MB in one turn of the loop
    for (std::size_t i = 0; i < sent; ++i) alpha.emit("burst", data);
    const auto dropped = alpha.stat("/sent/dropped").get<std::size_t>();
    CHECK(dropped > 0);
    const auto told = [&] { return beta.stat("/gaps/events").get<std::size_t>(); };
    CHECK(loop.until([&] { return beta.inbox.events.size() + told() >= sent; }));
    CHECK(told() == dropped);
    CHECK(beta.inbox.events.size() == sent - dropped);
    CHECK(beta.stat("/gaps/count") == 0);
}

TEST_CASE("rubbish is counted by kind and answered by nothing, and a good host works after") {
    Loop loop;
    Daemon alpha(loop.io, 1, "alpha", peersAlone(testPort(2), testPort(3)));
    Daemon beta(loop.io, 2, "beta", peersAlone(testPort(3), testPort(2)));
    alpha.link->open();
    Udp::socket stranger(loop.io, Udp::v4());
    const Udp::endpoint to(make_address("127.0.0.1"), testPort(2));
    for (const std::size_t size : {31, 47, 48, 2048, 2049, 65507}) {
        stranger.send_to(boost::asio::buffer(std::string(size, 'N')), to);
    }
    CHECK(loop.until([&] { return alpha.stat("/received/datagrams") == 6; }));
    CHECK(alpha.stat("/malformed/tooshort") == 1);
    CHECK(alpha.stat("/malformed/foreign") == 2);
    CHECK(alpha.stat("/malformed/truncated") == 3);
    CHECK(stranger.available() == 0);

    beta.link->open();
    beta.emit("good", "x");
    CHECK(loop.until([&] { return alpha.inbox.events.size() == 1; }));
}

TEST_CASE("a second daemon of the host does without unicast, unless it has peers") {
    Loop loop;
    const std::uint16_t port = testPort(11);
    Daemon first(loop.io, 1, "first", onLoopback(port));
    Daemon second(loop.io, 2, "second", onLoopback(port));
    first.link->open();
    second.link->open();

    Daemon third(loop.io, 3, "third", peersAlone(port, testPort(12)));
    CHECK_THROWS_WITH_AS(third.link->open(),
                         doctest::Contains(("port: " + std::to_string(port)).c_str()), Error);
    first.link->close();
    CHECK_NOTHROW(third.link->open());
}

TEST_CASE("what only the operator can mend is an error that names the key") {
    Loop loop;
    auto settings = onLoopback(testPort(12));
    settings.addr = "not an address";
    CHECK_THROWS_WITH_AS(Daemon(loop.io, 1, "a", settings),
                         "addr: \"not an address\" is not an IP address", Error);
    settings.addr = "10.0.0.1";
    CHECK_THROWS_WITH_AS(Daemon(loop.io, 1, "a", settings),
                         "addr: 10.0.0.1 is not a multicast address", Error);
    settings = onLoopback(testPort(12));
    settings.peers = {"nobody"};
    CHECK_THROWS_WITH_AS(Daemon(loop.io, 1, "a", settings), "peers: \"nobody\" is not host:port",
                         Error);
}

TEST_CASE("a host without the interface it names is served all the same") {
    Loop loop;
    auto settings = onLoopback(testPort(13));
    settings.netInterface = "nosuch0";
    Daemon alone(loop.io, 1, "alone", settings);
    alone.link->open();
    alone.emit("nobody hears", "x");
    CHECK(alone.stat("/interfaces").empty());
    CHECK(alone.stat("/sent/events") == 1);
}

TEST_CASE("a link may be closed from within its sink, and destroyed with work under way") {
    Loop loop;
    Daemon alpha(loop.io, 1, "alpha", peersAlone(testPort(2), testPort(3)));
    auto beta = std::make_unique<Daemon>(loop.io, 2, "beta", peersAlone(testPort(3), testPort(2)));
    alpha.link->open();
    beta->link->open();
    std::size_t heard = 0;
    alpha.inbox.then = [&] {
        if (alpha.inbox.events.empty()) return;
        if (heard == 0) heard = alpha.inbox.events.size();
        alpha.link->close();
    };
    for (int i = 0; i < 1000; ++i) beta->emit("many", patterned(1000));
    CHECK(loop.until([&] { return heard != 0; }));
    alpha.emit("after the end", "x");
    beta.reset();
    // Nothing is left to do: handlers under way end without touching what is gone.
    loop.io.restart();
    loop.io.run();
    CHECK(alpha.inbox.events.size() == heard);
}
