#include "checks.hpp"

#include <algorithm>

#include "pattern.hpp"
#include "spelling.hpp"

namespace netcluster::config {
namespace {

// Where a key that may have been left out is to be shown: at its value, else at the whole document.
Place placeOf(const Node& document, std::string_view key) {
    const auto* member = document.find(key);
    return member == nullptr ? document.place : member->value.place;
}

void checkQueues(const Node& document, const Settings& settings, Report& report) {
    if (!report.clean("/clientqueue") || !report.clean("/processqueue")) return;
    if (settings.processQueue >= settings.clientQueue) return;
    const char* key = document.find("processqueue") != nullptr ? "processqueue" : "clientqueue";
    report.problem(placeOf(document, key), pointerStep(key),
                   "processqueue (" + std::to_string(settings.processQueue) +
                       ") must not be less than clientqueue (" +
                       std::to_string(settings.clientQueue) + ")");
}

void checkLargestEvent(const Node& document, const Settings& settings, Report& report) {
    if (!report.clean("/clientqueue") || !report.clean("/maxevent")) return;
    if (settings.clientQueue >= settings.maxEvent) return;
    const char* key = document.find("clientqueue") != nullptr ? "clientqueue" : "maxevent";
    report.warning(placeOf(document, key), pointerStep(key),
                   "clientqueue (" + std::to_string(settings.clientQueue) +
                       ") is less than maxevent (" + std::to_string(settings.maxEvent) +
                       "): the largest events do not fit one client's queue");
}

void checkReach(const Node& document, const Settings& settings, Report& report) {
    if (!report.clean("/addr") || !settings.link.addr.empty()) return;
    const auto* peers = document.find("peers");
    const bool named = peers != nullptr && (peers->value.as<Node::List>() == nullptr ||
                                            !peers->value.as<Node::List>()->empty());
    if (named) return;  // what is wrong with them has been told
    report.problem(placeOf(document, "addr"), "/addr",
                   "may be \"\" only when there are \"peers\": there is nobody to send to");
}

bool reachesOther(const std::string& name, const Pattern& rule, const Settings& settings) {
    return std::any_of(settings.channels.begin(), settings.channels.end(), [&](const auto& other) {
        return other.first != name && other.first != controlChannel &&
               rule.matches(other.first);
    });
}

void checkRules(const Node& document, const Settings& settings, Report& report) {
    const auto* channels = document.find("channels");
    if (channels == nullptr) return;
    for (const auto& [name, channel] : settings.channels) {
        const auto* member = channels->value.find(name);
        const auto* key = member == nullptr ? nullptr : member->value.find("propagatetochannels");
        if (!channel.propagateToChannels || key == nullptr) continue;
        const auto rule =
            Pattern::compile(*channel.propagateToChannels, Pattern::Anchor::anywhere).pattern;
        if (rule && reachesOther(name, *rule, settings)) continue;
        report.warning(key->value.place, "/channels" + pointerStep(name) + "/propagatetochannels",
                       inQuotes(*channel.propagateToChannels) + " matches no other channel");
    }
}

void checkChannels(const Node& document, Report& report) {
    if (document.find("channels") != nullptr) return;
    report.problem(document.place, "/channels", "missing; at least \"control\" must be there");
}

}  // namespace

void checkTogether(const Node& document, const Settings& settings, Report& report) {
    checkChannels(document, report);
    checkReach(document, settings, report);
    checkQueues(document, settings, report);
    checkLargestEvent(document, settings, report);
    checkRules(document, settings, report);
}

}  // namespace netcluster::config
