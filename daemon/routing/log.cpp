#include "log.hpp"

namespace netcluster::daemon::log {
namespace {

// Several daemons may be in a process; each has its own thread.
thread_local spdlog::logger* current = nullptr;

}  // namespace

spdlog::logger& logger() {
    return current != nullptr ? *current : *spdlog::default_logger_raw();
}

Use::Use(spdlog::logger* logger) : before_(std::exchange(current, logger)) {}

Use::~Use() {
    current = before_;
}

}  // namespace netcluster::daemon::log
