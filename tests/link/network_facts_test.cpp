#include "network_facts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "udp_socket.hpp"

using namespace netcluster::daemon::link;
using boost::asio::ip::address;
using boost::asio::ip::make_address;

namespace {

InterfaceFacts loopback(const std::optional<address>& group) {
    const auto all = readInterfaceFacts(group);
    const auto found = std::find_if(all.begin(), all.end(), [](const InterfaceFacts& facts) {
        return facts.interface.loopback;
    });
    REQUIRE(found != all.end());
    return *found;
}

}  // namespace

TEST_CASE("the loopback interface is as the system has it; joining makes a member of it") {
    const address group = make_address("239.255.44.54");
    const InterfaceFacts before = loopback(group);
    CHECK(before.interface.up);
    CHECK(before.running);
    CHECK((before.mtu == 0 || before.mtu >= 1280));
    CHECK(before.route.value_or(true));

    boost::asio::io_context io;
    UdpSocket socket(io);
    socket.openGroup({group, 44541}, before.interface.index, 1);
    CHECK(loopback(group).member.value_or(true));
    CHECK_FALSE(loopback(std::nullopt).member);
    CHECK_FALSE(loopback(std::nullopt).route);
    socket.close();
    CHECK(loopback(group).member == before.member);
}
