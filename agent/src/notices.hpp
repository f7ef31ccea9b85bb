// What the daemon tells of the link: its notices, read, and who is there by them. Pure; the
// connection's thread.
#pragma once

#include <map>
#include <netcluster/agent.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster {

/// True for the events that are notices of the link. Only the daemon can send them.
bool isNotice(std::string_view event);

/// A host that is there.
struct KnownHost {
    Presence online;      ///< as it is told
    std::string session;  ///< another one: it was started anew
    /// The daemon we are connected to now has told of it. Else an earlier one has, or the same one
    /// before the connection was lost.
    bool confirmed = true;
};
using Hosts = std::map<std::string, KnownHost, std::less<>>;  // by id

/// Changes `hosts` as the notice says. Returns why a host went, if one did and the notice says so.
std::string takeHostNotice(Hosts& hosts, std::string_view event, std::string_view json);
/// Empty when it is none that can be read.
std::optional<Gap> readGapNotice(std::string_view event, std::string_view json);

/// The daemon is another one, or has forgotten what it told us.
void doubtAll(Hosts& hosts);
/// Whoever is there has been told.
void forgetDoubtful(Hosts& hosts);

/// What to tell somebody who knows `told`, so that they know `now`; `told` becomes what they know
/// then. Those that went come first. `why` they went. Of a host that is not confirmed they are told
/// nothing new.
std::vector<Presence> differences(Hosts& told, const Hosts& now, const std::string& why);

/// Why a host went, when it did so while nobody told us.
inline constexpr const char* wentAway = "away";
inline constexpr const char* wasRestarted = "restarted";

}  // namespace netcluster
