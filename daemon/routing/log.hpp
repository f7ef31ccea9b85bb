// The daemon's log: a line is `log::warn("{}: left", label)`. It goes to spdlog's default logger,
// or where the daemon that the thread works for has been told to write. Any thread.
#pragma once

#include <spdlog/spdlog.h>

#include <utility>

namespace netcluster::daemon::log {

spdlog::logger& logger();

/// While it lives this thread logs to that logger; null: to the default one.
class Use {
  public:
    explicit Use(spdlog::logger* logger);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

  private:
    spdlog::logger* before_;
};

template <typename... Values>
void debug(spdlog::format_string_t<Values...> format, Values&&... values) {
    logger().debug(format, std::forward<Values>(values)...);
}
template <typename... Values>
void info(spdlog::format_string_t<Values...> format, Values&&... values) {
    logger().info(format, std::forward<Values>(values)...);
}
template <typename... Values>
void warn(spdlog::format_string_t<Values...> format, Values&&... values) {
    logger().warn(format, std::forward<Values>(values)...);
}
template <typename... Values>
void error(spdlog::format_string_t<Values...> format, Values&&... values) {
    logger().error(format, std::forward<Values>(values)...);
}

}  // namespace netcluster::daemon::log
