#include "notices.hpp"

#include <netcluster/control.hpp>
#include <netcluster/event.hpp>

namespace netcluster {
namespace {

// A member that is missing, or not what it should be, is as good as empty.
std::string textIn(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t numberIn(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Json objectIn(std::string_view json) {
    Json value = Json::parse(json, nullptr, false);
    return value.is_object() ? value : Json::object();
}

// A word of a later daemon is a loss like any other.
Gap::Why whyOf(std::string_view word) {
    if (word == "gone") return Gap::Why::gone;
    if (word == "dropped") return Gap::Why::dropped;
    if (word == "reset") return Gap::Why::reset;
    return Gap::Why::lost;
}

Presence expired(const Presence& online, const std::string& why) {
    Presence gone = online;
    gone.kind = Presence::Kind::hostExpired;
    gone.reason = why;
    return gone;
}

}  // namespace

bool isNotice(std::string_view event) {
    return event == control::hostOnline || event == control::hostExpired ||
           event == control::hostsKnown || event == control::netGap;
}

std::string takeHostNotice(Hosts& hosts, std::string_view event, std::string_view json) {
    if (event == control::hostsKnown) forgetDoubtful(hosts);
    const Json data = objectIn(json);
    const std::string id = textIn(data, "id");
    if (id.empty()) return {};
    if (event == control::hostOnline) {
        KnownHost& host = hosts[id];
        host.session = textIn(data, "session");
        host.confirmed = true;
        host.online.id = id;
        host.online.name = textIn(data, "name");
        host.online.address = textIn(data, "address");
        host.online.version = textIn(data, "version");
        return {};
    }
    if (event != control::hostExpired) return {};
    hosts.erase(id);
    return textIn(data, "why");
}

std::optional<Gap> readGapNotice(std::string_view event, std::string_view json) {
    if (event != control::netGap) return {};
    const Json data = objectIn(json);
    Gap gap;
    gap.host = textIn(data, "host");
    if (gap.host.empty()) return {};
    gap.count = numberIn(data, "count");
    gap.first = numberIn(data, "first");
    gap.last = numberIn(data, "last");
    gap.why = whyOf(textIn(data, "why"));
    return gap;
}

void doubtAll(Hosts& hosts) {
    for (auto& [id, host] : hosts) host.confirmed = false;
}

void forgetDoubtful(Hosts& hosts) {
    std::erase_if(hosts, [](const auto& host) { return !host.second.confirmed; });
}

std::vector<Presence> differences(Hosts& told, const Hosts& now, const std::string& why) {
    std::vector<Presence> changes;
    Hosts knownNow;
    for (const auto& [id, host] : told) {
        const auto still = now.find(id);
        if (still == now.end()) {
            changes.push_back(expired(host.online, why.empty() ? wentAway : why));
        } else if (still->second.session != host.session) {
            changes.push_back(expired(host.online, wasRestarted));
        }
    }
    for (const auto& [id, host] : now) {
        const auto before = told.find(id);
        const bool known = before != told.end() && before->second.session == host.session;
        if (!known && host.confirmed) changes.push_back(host.online);
        if (known || host.confirmed) knownNow.emplace(id, host);
    }
    told = std::move(knownNow);
    return changes;
}

}  // namespace netcluster
