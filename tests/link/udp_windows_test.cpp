// What is decided about sockets on Windows, without one.
#include <doctest/doctest.h>

#include "group_zone_windows.hpp"
#include "waiting_read_windows.hpp"

using namespace netcluster::daemon::link;

namespace {

unsigned long zoneLeftTo(const char* address) {
    auto scoped = boost::asio::ip::make_address_v6(address);
    scoped.scope_id(7);
    return withZoneOfItsScope(scoped).scope_id();
}

}  // namespace

TEST_CASE("a group says its interface where its scope is one") {
    CHECK(zoneLeftTo("ff01::1") == 7);
    CHECK(zoneLeftTo("ff02::1") == 7);
    CHECK(zoneLeftTo("ff12::1") == 7);
    CHECK(zoneLeftTo("ff05::1") == 0);
    CHECK(zoneLeftTo("ff08::1") == 0);
    CHECK(zoneLeftTo("ff1e::1") == 0);
    CHECK(zoneLeftTo("fe80::1") == 7);
}

TEST_CASE("a wait that fails is told to the next read; a refusal is nothing") {
    WaitingRead read;
    CHECK_FALSE(read.over());
    read.end({}, 0);  // an empty datagram is one
    CHECK(read.over());
    CHECK(read.holdsDatagram);

    WaitingRead refused;
    refused.end(boost::asio::error::connection_refused, 0);
    refused.end(boost::asio::error::connection_reset, 0);
    CHECK_FALSE(refused.over());

    WaitingRead failed;
    failed.end(boost::asio::error::operation_not_supported, 0);
    CHECK(failed.over());
    CHECK_FALSE(failed.holdsDatagram);
    CHECK(failed.failure == boost::asio::error::operation_not_supported);
}
