// The journal wants `<N>` before each line of standard error, N being syslog's number for its
// level, and has times of its own (sd-daemon(3)).
#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "system_log.hpp"

namespace netcluster::service {
namespace {

/// $JOURNAL_STREAM is `device:inode` of the stream that systemd gave us; it says nothing of where
/// standard error leads now, unless that is the same.
bool isJournal(int descriptor) {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    if (!stream || fstat(descriptor, &status) != 0) return false;
    return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

char priority(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::critical:
            return '2';
        case spdlog::level::err:
            return '3';
        case spdlog::level::warn:
            return '4';
        case spdlog::level::info:
            return '6';
        default:
            return '7';
    }
}

// Each line of a message is an entry of its own in the journal, and would be an `info` without.
template <typename Buffer>
void appendEntries(Buffer& out, spdlog::level::level_enum level, std::string_view text) {
    const char mark[] = {'<', priority(level), '>'};
    for (;;) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        out.append(mark, mark + sizeof mark);
        out.append(line.data(), line.data() + line.size());
        out.push_back('\n');
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

class JournalFormatter final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        appendEntries(out, message.level, {message.payload.data(), message.payload.size()});
    }
    std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JournalFormatter>();
    }
};

}  // namespace

spdlog::sink_ptr systemSink() {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    if (isJournal(STDERR_FILENO)) {
        sink->set_formatter(std::make_unique<JournalFormatter>());
    } else {
        sink->set_pattern(linePattern);
    }
    return sink;
}

spdlog::sink_ptr sinkBesideFile() {
    return nullptr;
}

void tell(spdlog::level::level_enum level, const std::string& line) {
    std::string text;
    if (isJournal(STDERR_FILENO)) {
        appendEntries(text, level, line);
    } else {
        text = line + '\n';
    }
    std::cerr << text;
}

}  // namespace netcluster::service
