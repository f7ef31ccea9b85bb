// A service writes to Windows' event log, and has no standard error.
#include <spdlog/details/log_msg.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <iostream>

#include "event_log.hpp"
#include "service_process.hpp"
#include "system_log.hpp"

namespace netcluster::service {

spdlog::sink_ptr systemSink() {
    if (isService()) return eventLogSink();
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_pattern(linePattern);
    return sink;
}

spdlog::sink_ptr sinkBesideFile() {
    if (!isService()) return nullptr;
    auto sink = eventLogSink();
    sink->set_level(spdlog::level::warn);
    return sink;
}

void tell(spdlog::level::level_enum level, const std::string& line) {
    if (!isService()) {
        std::cerr << line << '\n';
        return;
    }
    static const spdlog::sink_ptr sink = eventLogSink();
    sink->log(spdlog::details::log_msg("ncserver", level, line));
}

}  // namespace netcluster::service
