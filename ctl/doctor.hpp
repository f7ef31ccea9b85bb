// Why hosts do not hear each other, in words: the daemon's facts in, findings out. Pure: asks
// nobody, knows no clock; a fact that is missing is not judged. All text is safe for a terminal.
// Any thread.
//
// To teach it something, write a check (doctor_checks.hpp) and a test with the fact planted.
#pragma once

#include <netcluster/event.hpp>
#include <string>
#include <vector>

#include "commands.hpp"

namespace netcluster::ctl {

struct Finding {
    enum class Severity {
        ok,       ///< looked at, and as it should be
        note,     ///< worth knowing; may well be meant so
        warning,  ///< works, but not well or not for everybody
        problem,  ///< something does not work
    };
    Severity severity = Severity::ok;
    std::string what;                     ///< one sentence
    std::string advice{};                 ///< what to do; empty when there is nothing to do
    std::vector<std::string> commands{};  ///< to type, if there are any

    bool operator==(const Finding&) const = default;
};

/// In the order of the road of a datagram: configuration, interfaces, buffers, peers, hosts.
/// `facts`: the answer to the request `doctor` (docs/control-protocol.md).
std::vector<Finding> judge(const Json& facts);

Finding::Severity worstOf(const std::vector<Finding>& findings);
std::string findingsText(const std::vector<Finding>& findings);
Json findingsJson(const std::vector<Finding>& findings);

Status doctorCommand(const Call& call, Context& context);

}  // namespace netcluster::ctl
