// What an operator types to look closer or to mend what the doctor found, as this system's shell
// takes it: doctor_commands_linux.cpp, doctor_commands_windows.cpp. Pure; any thread.
#pragma once

#include <string>
#include <vector>

namespace netcluster::ctl::type {

using Commands = std::vector<std::string>;

// this host's interfaces
Commands listAddresses();
Commands bringUp(const std::string& interface);
Commands lookAtCarrier(const std::string& interface);
Commands allowMulticast(const std::string& interface);
Commands raiseMtu(const std::string& interface);
Commands giveRoute(const std::string& group, const std::string& interface);
Commands allowIpv6(const std::string& interface);
Commands lookAtMemberships(const std::string& interface);  ///< and restart the daemon
/// `which`: "receive" or "send"; `bytes` as a program asks for them.
Commands raiseBuffer(const std::string& which, const std::string& bytes);

// the network and other hosts; `port` of the link
Commands letIn(const std::string& port);
Commands beQuerier();
Commands watch(const std::string& port);
Commands lookAtFirewall(const std::string& port);
Commands tracePath(const std::string& address);
Commands lookUp(const std::string& host);
Commands whoHasPort(const std::string& port);

// daemon and clock
Commands makeKeys();
Commands daemonStatus();
Commands daemonLog(const std::string& about);
Commands setClock();

/// One list of them all.
template <typename... More>
Commands all(Commands first, const More&... more) {
    (first.insert(first.end(), more.begin(), more.end()), ...);
    return first;
}

}  // namespace netcluster::ctl::type
