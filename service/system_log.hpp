// Where the log goes when it is given no file: to the place, and in the form, that the system
// expects of a service, else to standard error. One half per system. Any thread.
#pragma once

#include <spdlog/common.h>

#include <string>

namespace netcluster::service {

/// A line of a log that nobody else puts a time and a level to.
inline constexpr const char* linePattern = "%Y-%m-%dT%H:%M:%S.%e%z %l: %v";

/// A sink with its pattern set.
spdlog::sink_ptr systemSink();

/// What is told to the system besides, when the log goes to a file: on Windows an administrator
/// looks for warnings of a service in the event log. Null: nothing.
spdlog::sink_ptr sinkBesideFile();

/// One line for whoever started the program, where there is no log yet or no more. In a console it
/// stands as it is; for a service it has its level, as the log's lines have.
void tell(spdlog::level::level_enum level, const std::string& line);

}  // namespace netcluster::service
