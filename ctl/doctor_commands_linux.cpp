#include "doctor_checks.hpp"
#include "doctor_commands.hpp"

namespace netcluster::ctl::type {

Commands listAddresses() {
    return {"ip -brief address"};
}
Commands bringUp(const std::string& interface) {
    return {"ip link set dev " + shellWord(interface) + " up"};
}
Commands lookAtCarrier(const std::string& interface) {
    return {"ip -details link show dev " + shellWord(interface)};
}
Commands allowMulticast(const std::string& interface) {
    return {"ip link set dev " + shellWord(interface) + " multicast on"};
}
Commands raiseMtu(const std::string& interface) {
    return {"ip link set dev " + shellWord(interface) + " mtu 1500"};
}
Commands giveRoute(const std::string& group, const std::string& interface) {
    return {"ip route add " + shellWord(group) + "/32 dev " + shellWord(interface),
            "ip route get " + shellWord(group) + " oif " + shellWord(interface)};
}
Commands allowIpv6(const std::string& interface) {
    return {"sysctl -w net.ipv6.conf." + shellWord(interface) + ".disable_ipv6=0",
            "ip -6 route show table local dev " + shellWord(interface)};
}
Commands lookAtMemberships(const std::string& interface) {
    return {"ip maddress show dev " + shellWord(interface), "systemctl restart netcluster"};
}
Commands raiseBuffer(const std::string& which, const std::string& bytes) {
    const std::string setting =
        std::string("net.core.") + (which == "receive" ? "rmem_max=" : "wmem_max=") + bytes;
    return {"sysctl -w " + setting,
            "echo " + setting + " > /etc/sysctl.d/60-netcluster-" + which + ".conf"};
}

Commands letIn(const std::string& port) {
    return {"nft add rule inet filter input udp dport " + port + " accept"};
}
Commands beQuerier() {
    return {"ip link set dev BRIDGE type bridge mcast_querier 1"};
}
Commands watch(const std::string& port) {
    return {"tcpdump -ni any udp port " + port};
}
Commands lookAtFirewall(const std::string& port) {
    return {"nft list ruleset | grep -n " + port};
}
Commands tracePath(const std::string& address) {
    return {"ping -c 3 -M do -s 1232 " + shellWord(address), "tracepath -n " + shellWord(address)};
}
Commands lookUp(const std::string& host) {
    return {"getent hosts " + shellWord(host)};
}
Commands whoHasPort(const std::string& port) {
    return {"ss -lunp sport = :" + port};
}

Commands makeKeys() {
    return {"runuser -u netcluster -- ncctl genkey --file /var/lib/netcluster/netkeys.json"};
}
Commands daemonStatus() {
    return {"systemctl status netcluster"};
}
Commands daemonLog(const std::string& about) {
    return {"journalctl -u netcluster | grep " + shellWord(about)};
}
Commands setClock() {
    return {"timedatectl status", "timedatectl set-ntp true"};
}

}  // namespace netcluster::ctl::type
