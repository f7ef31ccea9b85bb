// What the system keeps away from a socket of the link (Linux).
#include <doctest/doctest.h>

#include "link_testing.hpp"
#include "socket_pair.hpp"

using namespace netcluster;
using namespace netcluster::daemon;

TEST_CASE("a socket does not hear the session it ignores, and hears every other") {
    Sockets sockets(link::Batching::segments);
    wire::Uuid session;
    for (std::size_t i = 0; i < session.size(); ++i)
        session[i] = static_cast<std::uint8_t>(200 + i);
    sockets.to.ignoreSession(session);
    std::vector<std::string> others;
    const auto say = [&](const wire::Uuid& who) {
        std::string datagram;
        link::appendHeader(datagram, {link::Type::end, 0, who, 1});
        sockets.send({datagram});
        return datagram;
    };
    say(session);
    for (std::size_t i = 0; i < session.size(); ++i) {
        wire::Uuid other = session;
        other[i] ^= 0x80;
        others.push_back(say(other));
        say(session);
    }
    CHECK(sockets.received() == others);
}

TEST_CASE("rubbish too short to say whose it is never gets to the link") {
    boost::asio::io_context io;
    Daemon alpha(io, 1, "alpha", peersAlone(testPort(2), testPort(3)));
    alpha.link->open();
    Udp::socket stranger(io, Udp::v4());
    const Udp::endpoint to(boost::asio::ip::make_address("127.0.0.1"), testPort(2));
    for (const std::size_t size : {0, 1, 31}) {
        stranger.send_to(boost::asio::buffer(std::string(size, 'N')), to);
    }
    CHECK(runUntil(io, [&] { return alpha.stat("/received/datagrams") == 1; }));
    CHECK(alpha.stat("/malformed/tooshort") == 1);
}
