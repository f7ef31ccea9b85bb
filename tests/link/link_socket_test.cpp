#include <doctest/doctest.h>

#include <netcluster/error.hpp>

#include "socket_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon;
using boost::asio::ip::make_address;
using link::patterned;

namespace {

const std::vector<std::size_t> everySize{0,    1,     100,   1100,    1150,   1200,
                                         2000, 65535, 65536, 1 << 20, 4 << 20};

struct Loop {
    bool until(const std::function<bool()>& done) { return runUntil(io, done); }
    boost::asio::io_context io;
};

bool holdsEverySize(const Inbox& inbox, const std::string& host) {
    if (inbox.events.size() != everySize.size()) return false;
    for (std::size_t i = 0; i < everySize.size(); ++i) {
        const Inbox::Event& event = inbox.events[i];
        const bool same = event.name == "size" + std::to_string(everySize[i]) &&
                          event.host == host && event.payload == patterned(everySize[i]);
        if (!same) return false;
    }
    return true;
}

// Both send every size at the same time; each must get the other's, whole, in order and once.
void exchange(Loop& loop, Daemon& alpha, Daemon& beta) {
    for (const std::size_t size : everySize) {
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
    CHECK(holdsEverySize(alpha.inbox, "beta"));
    CHECK(holdsEverySize(beta.inbox, "alpha"));
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
    CHECK(alpha.stat("/received/own") > 0);
    CHECK(alpha.stat("/received/duplicates") == 0);
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
    CHECK(beta.stat("/received/duplicates") > 0);
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

TEST_CASE("every loss on the way is counted, and the rest arrives in order") {
    Loop loop;
    Forwarder lossy(loop.io, testPort(9), {make_address("127.0.0.1"), testPort(10)});
    unsigned count = 0;
    lossy.drop = [&](std::string_view datagram) { return datagram[3] == 1 && ++count % 10 == 0; };
    Daemon alpha(loop.io, 1, "alpha", peersAlone(testPort(8), testPort(9)));
    Daemon beta(loop.io, 2, "beta", peersAlone(testPort(10), testPort(9)));
    alpha.link->open();
    beta.link->open();
    REQUIRE(loop.until([&] { return beta.hears("alpha"); }));

    const std::string data = patterned(1000);  // one event in each datagram
    const std::size_t sent = 505;
    for (std::size_t i = 0; i < sent; ++i) alpha.emit(std::to_string(10'000 + i), data);
    const auto lost = [&] { return beta.stat("/gaps/datagrams").get<std::size_t>(); };
    CHECK(loop.until([&] { return beta.inbox.events.size() + lost() >= sent; }));
    CHECK(lost() == 50);
    CHECK(beta.inbox.events.size() == sent - 50);
    for (std::size_t i = 1; i < beta.inbox.events.size(); ++i) {
        CHECK(beta.inbox.events[i - 1].name < beta.inbox.events[i].name);
    }
}

TEST_CASE(
    "a burst beyond the queue is dropped at its end, whole, and the receiver knows how much") {
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
    for (const std::size_t size : {0, 1, 31, 47, 48, 2048, 2049, 65507}) {
        stranger.send_to(boost::asio::buffer(std::string(size, 'N')), to);
    }
    CHECK(loop.until([&] { return alpha.stat("/received/datagrams") == 8; }));
    CHECK(alpha.stat("/malformed/tooshort") == 3);
    CHECK(alpha.stat("/malformed/foreign") == 3);
    CHECK(alpha.stat("/malformed/truncated") == 2);
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
    alpha.inbox.then = [&] { alpha.link->close(); };
    for (int i = 0; i < 1000; ++i) beta->emit("many", patterned(1000));
    CHECK(loop.until([&] { return !alpha.inbox.events.empty(); }));
    alpha.emit("after the end", "x");
    beta.reset();
    // Nothing is left to do: handlers under way end without touching what is gone.
    loop.io.restart();
    loop.io.run();
    CHECK(alpha.inbox.events.size() == 1);
}
