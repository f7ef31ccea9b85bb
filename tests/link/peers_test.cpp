#include "peers.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <netcluster/error.hpp>

using namespace netcluster;
using namespace netcluster::daemon::link;

TEST_CASE("a peer is a host and a port") {
    CHECK(parsePeer("alpha:4454") == PeerName{"alpha", 4454});
    CHECK(parsePeer("alpha.example.org:1") == PeerName{"alpha.example.org", 1});
    CHECK(parsePeer("10.0.0.1:65535") == PeerName{"10.0.0.1", 65535});
    CHECK(parsePeer("[fd00::1]:4454") == PeerName{"fd00::1", 4454});
}

TEST_CASE("anything else is no peer") {
    for (const char* text :
         {"", ":", "alpha", "alpha:", ":4454", "alpha:0", "alpha:65536", "alpha:-1", "alpha:44x",
          "fd00::1:4454", "[fd00::1]", "[fd00::1:4454", "[alpha]:4454", "[]:4454", "a b:1"}) {
        CAPTURE(text);
        CHECK_FALSE(parsePeer(text));
    }
}

TEST_CASE("a wrong entry is an error that names it") {
    boost::asio::io_context io;
    CHECK_THROWS_WITH_AS(std::make_shared<Peers>(io, std::vector<std::string>{"a:1", "b"}, [] {}),
                         "peers: \"b\" is not host:port", Error);
}

TEST_CASE("addresses in digits are known at once") {
    boost::asio::io_context io;
    const auto peers =
        std::make_shared<Peers>(io, std::vector<std::string>{"10.0.0.1:7", "[::1]:8"}, [] {});
    peers->start();
    REQUIRE(peers->all()[0].address);
    CHECK(peers->all()[0].address->port() == 7);
    REQUIRE(peers->all()[1].address);
    CHECK(peers->all()[1].address->address().is_v6());
}
