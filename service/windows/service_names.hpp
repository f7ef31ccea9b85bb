// What the service is called in Windows' tables. The registry key and its value are those of
// netcluster 1.x.
#pragma once

#include "access_windows.hpp"

namespace netcluster::service {

inline constexpr const wchar_t* serviceName = L"netcluster";
inline constexpr const wchar_t* displayName = L"netcluster event bus";
inline constexpr const wchar_t* description =
    L"Routes events between the programs of this computer and to other hosts of the network. "
    L"Programs that use netcluster hear nothing of each other while it is stopped.";

/// An account that Windows makes for this service alone, without a password: what is allowed to it
/// is allowed to no other service, as it would be with LocalService (docs/decisions/0013).
inline constexpr const wchar_t* serviceAccount = L"NT SERVICE\\netcluster";
/// The same as a security identifier.
inline constexpr const wchar_t* serviceSid = config::daemonIdentity;

inline constexpr const wchar_t* settingsKey = L"Software\\Netcluster";
inline constexpr const wchar_t* configValue = L"conf";
inline constexpr const wchar_t* eventSourceKey =
    L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\netcluster";

/// The first of the codes that a service may give a meaning of its own (128 to 255): reload.
inline constexpr unsigned long controlReload = 128;

}  // namespace netcluster::service
