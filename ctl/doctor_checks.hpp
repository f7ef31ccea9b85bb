// What doctor.cpp, doctor_network.cpp and doctor_hosts.cpp share: the checks, and facts in words.
// Pure, as all of the doctor's judging. Any thread.
#pragma once

#include <string>
#include <vector>

#include "doctor.hpp"

namespace netcluster::ctl {

using Findings = std::vector<Finding>;
using Severity = Finding::Severity;

/// Each adds what it finds in the facts.
using Check = void (*)(const Json& facts, Findings& findings);

// doctor_network.cpp: this host
void checkGroup(const Json& facts, Findings& findings);
void checkTtl(const Json& facts, Findings& findings);
void checkSecrecy(const Json& facts, Findings& findings);
void checkInterfaces(const Json& facts, Findings& findings);
void checkBuffers(const Json& facts, Findings& findings);

// doctor_hosts.cpp: the others
void checkPeers(const Json& facts, Findings& findings);
void checkStrangers(const Json& facts, Findings& findings);
void checkHosts(const Json& facts, Findings& findings);
void checkNames(const Json& facts, Findings& findings);

/// What to type once config.json is changed.
inline constexpr const char* reload = "ncctl reloadconfig";

/// Safe to paste into a shell.
std::string shellWord(const std::string& text);
/// "1 datagram", "2 datagrams".
std::string plural(double count, const std::string& what);
const Json& configIn(const Json& facts);
std::string groupIn(const Json& facts);
std::string portIn(const Json& facts);

}  // namespace netcluster::ctl
