// For PowerShell, elevated.
#include "doctor_commands.hpp"

namespace netcluster::ctl::type {
namespace {

// Nothing within single quotes is special but they themselves.
std::string quoted(const std::string& text) {
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string("''") : std::string(1, c);
    return word + "'";
}

}  // namespace

Commands listAddresses() {
    return {"Get-NetIPAddress | Format-Table InterfaceAlias, IPAddress"};
}
Commands bringUp(const std::string& interface) {
    return {"Enable-NetAdapter " + quoted(interface)};
}
Commands lookAtCarrier(const std::string& interface) {
    return {"Get-NetAdapter " + quoted(interface) + " | Format-List Status, MediaConnectionState"};
}
// It is the driver's; there is no switch.
Commands allowMulticast(const std::string&) {
    return {};
}
Commands raiseMtu(const std::string& interface) {
    return {"Set-NetIPInterface -InterfaceAlias " + quoted(interface) + " -NlMtuBytes 1500"};
}
Commands giveRoute(const std::string& group, const std::string& interface) {
    return {"New-NetRoute -DestinationPrefix " + group + "/32 -InterfaceAlias " + quoted(interface),
            "Get-NetRoute -InterfaceAlias " + quoted(interface)};
}
Commands allowIpv6(const std::string& interface) {
    return {"Enable-NetAdapterBinding " + quoted(interface) + " -ComponentID ms_tcpip6"};
}
Commands lookAtMemberships(const std::string& interface) {
    return {"netsh interface ip show joins " + quoted(interface), "Restart-Service netcluster"};
}
// Windows gives what is asked for.
Commands raiseBuffer(const std::string&, const std::string&) {
    return {};
}

Commands letIn(const std::string& port) {
    return {
        "New-NetFirewallRule -Name netcluster -DisplayName netcluster -Direction Inbound "
        "-Protocol UDP -LocalPort " +
        port + " -Action Allow -Profile Domain,Private"};
}
Commands beQuerier() {
    return {};
}
Commands watch(const std::string& port) {
    return {"pktmon filter add -t UDP -p " + port, "pktmon start --etw -m real-time"};
}
Commands lookAtFirewall(const std::string& port) {
    return {"Get-NetFirewallPortFilter | Where-Object LocalPort -eq " + port +
            " | Get-NetFirewallRule"};
}
Commands tracePath(const std::string& address) {
    return {"ping -f -l 1232 " + quoted(address), "tracert -d " + quoted(address)};
}
Commands lookUp(const std::string& host) {
    return {"Resolve-DnsName " + quoted(host)};
}
Commands whoHasPort(const std::string& port) {
    return {"Get-NetUDPEndpoint -LocalPort " + port +
            " | Format-Table LocalAddress, OwningProcess"};
}

Commands makeKeys() {
    return {"ncctl genkey --file $env:ProgramData\\netcluster\\keys\\netkeys.json"};
}
Commands daemonStatus() {
    return {"Get-Service netcluster"};
}
Commands daemonLog(const std::string& about) {
    return {"Get-EventLog Application -Source netcluster -Message " + quoted("*" + about + "*")};
}
Commands setClock() {
    return {"w32tm /query /status", "w32tm /resync"};
}

}  // namespace netcluster::ctl::type
