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

/// The log's lines as entries. What cannot be written is lost: there is no other place for it.
spdlog::sink_ptr eventLogSink();

}  // namespace netcluster::service
