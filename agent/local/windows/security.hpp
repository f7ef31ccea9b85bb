// Who may use a pipe: from a channel's rights to the security descriptor that Windows checks. Any
// thread.
#pragma once

#include <cstdint>
#include <string>

namespace netcluster::local {

/// The security identifier of the account that this process runs as, "S-1-5-18".
std::string ownAccount();

/// Of the account or group named so ("staff", "DOMAIN\\staff"); empty when there is none.
std::string accountNamed(const std::string& name);

/// True when this process serves the machine and not its user alone: as a service's account, or
/// with an administrator's rights.
bool servesMachine();

/// True for the system, the administrators and `self`: what belongs to these is no stranger's. All
/// as security identifiers. Pure.
bool isTrustedOwner(const std::string& owner, const std::string& self);

/// Whoever is logged on at this machine.
inline constexpr const char* interactiveUsers = "IU";

/// The descriptor in the system's notation (SDDL). The system, administrators and `owner` may do
/// everything, so that nobody can lock himself out; `group` may connect if the mode lets a group
/// write, any authenticated user if it lets others write. Nothing is inherited. Pure.
///
/// Node opens a pipe with all generic rights to write, which include the right to make a further
/// instance of it; without that right a 1.x agent could not connect.
std::string descriptorText(std::uint32_t mode, const std::string& owner, const std::string& group);

}  // namespace netcluster::local
