#include "doctor.hpp"

#include <algorithm>
#include <array>
#include <netcluster/control.hpp>

#include "arguments.hpp"
#include "control_client.hpp"
#include "doctor_checks.hpp"
#include "doctor_commands.hpp"
#include "escape.hpp"
#include "values.hpp"

namespace netcluster::ctl {
namespace {

using type::Commands;

/// What ends the examination: there is nothing to look at.
bool linkIsOff(const Json& facts, Findings& findings) {
    if (!flagIn(configIn(facts), "connecttonet", true)) {
        findings.push_back({Severity::note,
                            "the link is switched off (\"connecttonet\"): this daemon serves its "
                            "own host alone",
                            "If that is not meant, set it to true in config.json, then:",
                            {reload}});
        return true;
    }
    if (flagIn(facts, "connected", true)) return false;
    findings.push_back({Severity::problem, "the link is down: the daemon could not open it",
                        "Its log says why. Mend that, then let it try again:",
                        type::all(type::daemonLog("link"), Commands{reload})});
    return true;
}

constexpr std::array<Check, 9> checks{checkGroup,   checkTtl,       checkInterfaces,
                                      checkBuffers, checkPeers,     checkHosts,
                                      checkNames,   checkStrangers, checkSecrecy};

const char* nameOf(Severity severity) {
    switch (severity) {
        case Severity::ok:
            return "ok";
        case Severity::note:
            return "note";
        case Severity::warning:
            return "warning";
        case Severity::problem:
            return "problem";
    }
    return "";
}

/// Broken between words, each line behind `indent`.
std::string wrapped(const std::string& text, const std::string& indent) {
    constexpr std::size_t width = 92;
    std::string lines;
    std::size_t column = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string next = text.substr(at, end - at);
        if (column != 0 && column + 1 + displayWidth(next) > width) {
            lines += '\n';
            column = 0;
        }
        lines += column == 0 ? (lines.empty() ? "" : indent) : " ";
        column += displayWidth(next) + (column == 0 ? 0 : 1);
        lines += next;
        at = end + 1;
    }
    return lines + '\n';
}

std::string summary(const Findings& findings) {
    const auto count = [&](Severity severity) {
        return static_cast<double>(
            std::count_if(findings.begin(), findings.end(),
                          [&](const Finding& one) { return one.severity == severity; }));
    };
    if (worstOf(findings) <= Severity::note) return "nothing is wrong\n";
    return plural(count(Severity::problem), "problem") + ", " +
           plural(count(Severity::warning), "warning") + "\n";
}

}  // namespace

// -- facts in words, for all checks

/// Safe to paste into a shell.
std::string shellWord(const std::string& text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._:-/%@=").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string plural(double count, const std::string& what) {
    return fixed(count, 0) + ' ' + what + (count == 1 ? "" : "s");
}

const Json& configIn(const Json& facts) {
    return member(facts, "config");
}
std::string groupIn(const Json& facts) {
    return textIn(configIn(facts), "addr");
}
std::string portIn(const Json& facts) {
    return fixed(numberIn(configIn(facts), "port"), 0);
}

std::vector<Finding> judge(const Json& facts) {
    Findings findings;
    if (linkIsOff(facts, findings)) return findings;
    for (const Check check : checks) check(facts, findings);
    return findings;
}

Severity worstOf(const std::vector<Finding>& findings) {
    Severity worst = Severity::ok;
    for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
    return worst;
}

std::string findingsText(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& finding : findings) {
        const std::string indent(9, ' ');
        std::string severity = nameOf(finding.severity);
        severity.resize(indent.size(), ' ');
        text += severity + wrapped(finding.what, indent);
        if (!finding.advice.empty()) text += indent + wrapped(finding.advice, indent);
        for (const std::string& command : finding.commands) text += indent + "  " + command + '\n';
    }
    return text + summary(findings);
}

Json findingsJson(const std::vector<Finding>& findings) {
    Json list = Json::array();
    for (const Finding& finding : findings) {
        list.push_back({{"severity", nameOf(finding.severity)},
                        {"what", finding.what},
                        {"advice", finding.advice},
                        {"commands", finding.commands}});
    }
    return list;
}

Status doctorCommand(const Call& call, Context& context) {
    std::chrono::milliseconds wait{1000};
    if (call.has("--wait")) {
        const auto given = parseSeconds(call.value("--wait"));
        if (!given || *given > std::chrono::minutes(1)) {
            return fail(context, Status::usage, "--wait needs a number of seconds, 60 at most");
        }
        wait = *given;
    }
    Patience patience = context.patience;
    patience.answer += wait;
    const auto reply = context.control.ask(control::doctor, {{"wait", wait.count()}}, patience);
    switch (reply.outcome) {
        case Answer::Outcome::answered:
            break;
        case Answer::Outcome::refused:
        case Answer::Outcome::unreachable:
            return failWith(context, Status::failed, reply.data);
        case Answer::Outcome::deadline:
            return failWith(context, Status::deadline, reply.data);
    }
    const auto findings = judge(reply.data);
    answer(context, {{"findings", findingsJson(findings)}, {"facts", reply.data}},
           findingsText(findings));
    return worstOf(findings) <= Severity::note ? Status::done : Status::failed;
}

}  // namespace netcluster::ctl
