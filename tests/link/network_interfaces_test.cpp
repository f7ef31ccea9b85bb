#include "network_interfaces.hpp"

#include <doctest/doctest.h>

using namespace netcluster::daemon::link;
using boost::asio::ip::make_address;

namespace {

Interface interfaceNamed(const std::string& name, unsigned index, const std::string& address) {
    Interface interface;
    interface.name = name;
    interface.index = index;
    interface.up = true;
    interface.multicast = true;
    if (!address.empty()) interface.addresses.push_back(make_address(address));
    return interface;
}

std::vector<Interface> ordinaryHost() {
    Interface lo = interfaceNamed("lo", 1, "127.0.0.1");
    lo.multicast = false;
    lo.loopback = true;
    lo.addresses.push_back(make_address("::1"));
    Interface down = interfaceNamed("eth1", 3, "10.0.1.1");
    down.up = false;
    Interface tunnel = interfaceNamed("tun0", 4, "10.8.0.1");
    tunnel.multicast = false;
    Interface six = interfaceNamed("eth2", 5, "fe80::1");
    return {lo, interfaceNamed("eth0", 2, "10.0.0.1"), down, tunnel, six};
}

std::string names(const InterfaceChoice& choice) {
    std::string all;
    for (const Interface& interface : choice.chosen) all += interface.name + " ";
    return all;
}

}  // namespace

TEST_CASE("by default every interface that is up, can multicast and has the family is used") {
    for (const char* setting : {"", "all"}) {
        const auto choice = chooseInterfaces(ordinaryHost(), setting, false);
        CHECK(names(choice) == "eth0 ");
        CHECK(choice.note.empty());
        CHECK(names(chooseInterfaces(ordinaryHost(), setting, true)) == "eth2 ");
    }
}

TEST_CASE("a name or an address means exactly that one, whatever it can do") {
    CHECK(names(chooseInterfaces(ordinaryHost(), "lo", false)) == "lo ");
    CHECK(names(chooseInterfaces(ordinaryHost(), "127.0.0.1", false)) == "lo ");
    CHECK(names(chooseInterfaces(ordinaryHost(), "tun0", false)) == "tun0 ");
    CHECK(names(chooseInterfaces(ordinaryHost(), "10.0.0.1", false)) == "eth0 ");
}

TEST_CASE("an interface that is absent or down is said to be") {
    CHECK(chooseInterfaces(ordinaryHost(), "eth9", false).note ==
          "no interface has the name or address eth9");
    CHECK(chooseInterfaces(ordinaryHost(), "10.9.9.9", false).chosen.empty());
    const auto down = chooseInterfaces(ordinaryHost(), "eth1", false);
    CHECK(down.chosen.empty());
    CHECK(down.note == "interface eth1 is down");
}

TEST_CASE("a host without any network uses the loopback and says so") {
    std::vector<Interface> alone = ordinaryHost();
    alone.resize(1);
    const auto choice = chooseInterfaces(alone, "", false);
    CHECK(names(choice) == "lo ");
    CHECK_FALSE(choice.note.empty());
    CHECK(chooseInterfaces({}, "", false).chosen.empty());
}

TEST_CASE("a host with too many interfaces uses some and says so") {
    std::vector<Interface> many;
    for (unsigned i = 1; i <= 40; ++i) {
        many.push_back(
            interfaceNamed("veth" + std::to_string(i), i, "10.0.0." + std::to_string(i)));
    }
    const auto choice = chooseInterfaces(many, "all", false);
    CHECK(choice.chosen.size() == maxInterfaces);
    CHECK_FALSE(choice.note.empty());
}

TEST_CASE("the system has at least one interface, each with an index") {
    const auto all = listInterfaces();
    CHECK_FALSE(all.empty());
    for (const Interface& interface : all) CHECK(interface.index != 0);
}
