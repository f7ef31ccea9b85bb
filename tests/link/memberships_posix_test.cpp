#include <doctest/doctest.h>

#include <string_view>

#include "memberships_linux.hpp"

using namespace netcluster::daemon::link;
using boost::asio::ip::address;
using boost::asio::ip::make_address;

namespace {

// As Linux writes it on a machine of little-endian numbers, like all that we run on.
constexpr std::string_view igmp =
    "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
    "1\tlo        :     1      V3\n"
    "\t\t\t\t010000E0     1 0:00000000\t\t0\n"
    "12\teth0      :     2      V3\n"
    "\t\t\t\t362CFFEF     1 0:00000000\t\t0\n"
    "\t\t\t\t010000E0     1 0:00000000\t\t0\n";
constexpr std::string_view igmp6 =
    "1    lo              ff020000000000000000000000000001     1 0000000C 0\n"
    "12   eth0            ff05000000000000000000000000abcd     1 00000004 0\n";

}  // namespace

TEST_CASE("memberships are found under their interface") {
    const address group = make_address("239.255.44.54");
    CHECK(isMember(igmp, 12, group));
    CHECK_FALSE(isMember(igmp, 1, group));
    CHECK_FALSE(isMember(igmp, 2, group));
    CHECK_FALSE(isMember(igmp, 12, make_address("239.255.44.55")));
    CHECK(isMember(igmp, 1, make_address("224.0.0.1")));

    CHECK(isMember(igmp6, 12, make_address("ff05::abcd")));
    CHECK_FALSE(isMember(igmp6, 1, make_address("ff05::abcd")));
    CHECK_FALSE(isMember(igmp6, 12, make_address("ff05::abce")));
}

TEST_CASE("a table that makes no sense has no members") {
    const address group = make_address("239.255.44.54");
    for (const std::string_view table :
         {std::string_view(), std::string_view("\t\t362CFFEF\n"), std::string_view("x\n\t\n\n"),
          std::string_view("12\teth0\n\t\tnothing\n")}) {
        CHECK_FALSE(isMember(table, 12, group));
        CHECK_FALSE(isMember(table, 0, group));
        CHECK_FALSE(isMember(table, 12, make_address("ff05::abcd")));
    }
}
