#include "network_interfaces.hpp"

#include <algorithm>

namespace netcluster::daemon::link {
namespace {

bool hasFamily(const Interface& interface, bool ipv6) {
    return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                       [&](const auto& address) { return address.is_v6() == ipv6; });
}

bool isNamed(const Interface& interface, const std::string& setting) {
    if (interface.name == setting) return true;
    boost::system::error_code notAnAddress;
    const auto address = boost::asio::ip::make_address(setting, notAnAddress);
    return !notAnAddress && std::find(interface.addresses.begin(), interface.addresses.end(),
                                      address) != interface.addresses.end();
}

InterfaceChoice chooseOne(const std::vector<Interface>& all, const std::string& setting) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Interface& interface) {
        return isNamed(interface, setting);
    });
    if (found == all.end()) return {{}, "no interface has the name or address " + setting};
    if (!found->up) return {{}, "interface " + found->name + " is down"};
    return {{*found}, {}};
}

}  // namespace

InterfaceChoice chooseInterfaces(const std::vector<Interface>& all, const std::string& setting,
                                 bool ipv6) {
    if (!setting.empty() && setting != "all") return chooseOne(all, setting);
    InterfaceChoice choice;
    for (const Interface& interface : all) {
        if (interface.up && interface.multicast && !interface.loopback &&
            hasFamily(interface, ipv6)) {
            choice.chosen.push_back(interface);
        }
    }
    if (choice.chosen.size() > maxInterfaces) {
        choice.note = std::to_string(choice.chosen.size()) +
                      " interfaces can multicast, the first " + std::to_string(maxInterfaces) +
                      " are used; name one in netinterface";
        choice.chosen.resize(maxInterfaces);
    }
    if (!choice.chosen.empty()) return choice;
    for (const Interface& interface : all) {
        if (interface.up && interface.loopback && hasFamily(interface, ipv6)) {
            return {{interface},
                    "no interface can multicast: only daemons of this host are reached"};
        }
    }
    return {{}, "no interface can multicast"};
}

}  // namespace netcluster::daemon::link
