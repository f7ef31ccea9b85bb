// Who is there, as the hosts of a laboratory see it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "lab.hpp"
#include "stream.hpp"

namespace netcluster::scenario {

inline constexpr const char* hostOnline = "nc-host-online";
inline constexpr const char* hostExpired = "nc-host-expired";

/// Returns when a client of `control` is told this of the host: the data.
inline Json awaitNotice(Client& control, const std::string& event, const std::string& host) {
    for (;;) {
        const Heard heard = control.nextEvent();
        if (heard.event != event) continue;
        const Json data = Json::parse(heard.data);
        if (data.at("name") == host) return data;
    }
}

/// What `ncctl hosts` would say of it; null when it is not in the list.
inline Json hostEntry(const Host& asked, const std::string& host) {
    for (const Json& entry : asked.daemon().ask("hosts")) {
        if (entry.at("name") == host) return entry;
    }
    return nullptr;
}

/// How many other hosts the link hears now.
inline std::size_t hostsHeard(const Host& asked) {
    const Json stats = asked.linkStats();
    const Json& hosts = stats.at("hosts");
    return static_cast<std::size_t>(std::count_if(
        hosts.begin(), hosts.end(), [](const Json& host) { return host.value("online", true); }));
}

/// The sessions of that name that the link hears now.
inline std::vector<std::string> sessionsOf(const Host& asked, const std::string& host) {
    std::vector<std::string> sessions;
    const Json stats = asked.linkStats();
    for (const Json& entry : stats.at("hosts")) {
        if (entry.at("name") == host && entry.value("online", true)) {
            sessions.push_back(entry.at("session"));
        }
    }
    return sessions;
}

inline void awaitHeard(const Host& asked, const std::string& host) {
    await(host + " heard", [&] { return !sessionsOf(asked, host).empty(); });
}

inline void awaitSilent(const Host& asked, const std::string& host) {
    await(host + " silent", [&] { return sessionsOf(asked, host).empty(); });
}

inline bool isOnline(const Host& asked, const std::string& host) {
    const Json entry = hostEntry(asked, host);
    return !entry.is_null() && entry.at("online").get<bool>();
}

}  // namespace netcluster::scenario
