// Windows' event log: our entries under "Windows Logs, Application", source "netcluster". Any
// thread.
#pragma once

#include <spdlog/common.h>

#include <string>

namespace netcluster::service {

/// Tells Windows that `program` holds the texts of our entries (event_messages.mc). Without it the
/// Event Viewer shows them with an excuse in front. Throws SystemError.
void registerEventSource(const std::wstring& program);
void removeEventSource();

/// A line as the Event Viewer shows it unchanged but for a space: it takes %1, and the zone in the
/// address fe80::1%3, for a place to fill.
std::wstring withoutPlaces(std::wstring line);

/// The log's lines as entries. What cannot be written is lost: there is no other place for it.
spdlog::sink_ptr eventLogSink();

}  // namespace netcluster::service
