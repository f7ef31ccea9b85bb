#include "weather.hpp"

#include <cmath>
#include <netcluster/error.hpp>

namespace netcluster::scenario {
namespace {

// A share as nft counts it, in thousandths. All of them is no share to it.
std::string share(double percent) {
    if (percent >= 100) return " ";
    return " numgen random mod 1000 < " + std::to_string(std::lround(percent * 10)) + " ";
}

std::uint64_t counted(const NetworkNamespace& network, const std::string& counter) {
    const std::string text = network.run("nft list counter " + counter);
    const std::string_view word = "packets ";
    const auto at = text.find(word);
    if (at == std::string::npos) throw Error("no counter " + counter + " in " + text);
    return std::stoull(text.substr(at + word.size()));
}

// Declared before it is deleted, so that it can be deleted whether it was there or not.
std::string anew(const std::string& table) {
    return "table " + table + "\ndelete table " + table + "\ntable " + table;
}

}  // namespace

void dropAtRandom(const NetworkNamespace& host, double percent, std::string_view which) {
    std::string rule = "meta l4proto udp ";
    rule.append(which).append(share(percent)).append("counter name lost drop");
    host.nft(anew("inet weather") + " { counter lost { }\n chain in {\n" +
             "type filter hook prerouting priority -300;\n" + (percent > 0 ? rule : "") +
             "\n}\n}\n");
}

std::uint64_t dropped(const NetworkNamespace& host) {
    return counted(host, "inet weather lost");
}

// The mark keeps the copy from being copied again.
void duplicateTowards(const Lab& lab, const Host& host, int percent) {
    const std::string port = Lab::portOf(host);
    lab.network().nft(anew("netdev " + port) + " { counter touched { }\n chain out {\n" +
                      "type filter hook egress device " + port + " priority 0;\n" +
                      "meta mark 0 meta l4proto udp" + share(percent) +
                      "meta mark set 7 counter name touched dup to " + port + "\n}\n}\n");
}

void delayTowards(const Lab& lab, const Host& host, int percent) {
    const std::string port = Lab::portOf(host);
    const NetworkNamespace& network = lab.network();
    network.run("tc qdisc replace dev " + port + " root handle 1: htb default 10");
    network.run("tc class replace dev " + port +
                " parent 1: classid 1:10 htb rate 10gbit quantum 3000");
    network.run("tc class replace dev " + port +
                " parent 1: classid 1:20 htb rate 8mbit burst 1600 cburst 1600 quantum 1600");
    network.run("tc qdisc replace dev " + port + " parent 1:20 handle 20: pfifo limit 16");
    network.nft(anew("netdev " + port) + " { counter touched { }\n chain out {\n" +
                "type filter hook egress device " + port + " priority 10;\n" + "meta l4proto udp" +
                share(percent) + "counter name touched meta priority set \"1:20\"\n}\n}\n");
}

std::uint64_t disturbed(const Lab& lab, const Host& host) {
    return counted(lab.network(), "netdev " + Lab::portOf(host) + " touched");
}

void countSent(const NetworkNamespace& host) {
    host.nft(anew("inet ledger") + " { counter sent { }\n chain out {\n" +
             "type filter hook output priority 0;\nmeta l4proto udp counter name sent\n}\n}\n");
}

std::uint64_t sentSince(const NetworkNamespace& host) {
    return counted(host, "inet ledger sent");
}

}  // namespace netcluster::scenario
