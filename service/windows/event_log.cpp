// Not spdlog's own sink for the event log: it writes the registry each time it starts, which is for
// administrators alone, and has no texts, so that it borrows those of the .NET runtime.
#include "event_log.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <mutex>

#include "event_messages.h"
#include "registry.hpp"
#include "service_names.hpp"
#include "win32.hpp"

namespace netcluster::service {
namespace {

// ReportEvent takes 31839 characters at most, and refuses what is longer.
constexpr std::size_t longestEntry = 31000;

struct Entry {
    WORD type;
    DWORD message;
};

Entry entryOf(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::critical:
        case spdlog::level::err:
            return {EVENTLOG_ERROR_TYPE, DWORD{eventError}};
        case spdlog::level::warn:
            return {EVENTLOG_WARNING_TYPE, DWORD{eventWarning}};
        default:
            return {EVENTLOG_INFORMATION_TYPE, DWORD{eventInformation}};
    }
}

class EventLogSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    EventLogSink() : source_(RegisterEventSourceW(nullptr, serviceName)) { set_pattern("%v"); }
    ~EventLogSink() override {
        if (source_) DeregisterEventSource(source_);
    }
    EventLogSink(const EventLogSink&) = delete;
    EventLogSink& operator=(const EventLogSink&) = delete;

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (!source_) return;
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        std::wstring text = wide({line.data(), line.size()});
        while (text.ends_with(L'\n') || text.ends_with(L'\r')) text.pop_back();
        text = withoutPlaces(std::move(text));
        if (text.size() > longestEntry) text.resize(longestEntry);
        const wchar_t* texts[] = {text.c_str()};
        const Entry entry = entryOf(message.level);
        ReportEventW(source_, entry.type, 0, entry.message, nullptr, 1, 0, texts, nullptr);
    }
    void flush_() override {}

    HANDLE source_;
};

}  // namespace

std::wstring withoutPlaces(std::wstring line) {
    constexpr auto beginsPlace = [](wchar_t next) {
        return next == L'%' || (next >= L'0' && next <= L'9');
    };
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
        if (line[i] == L'%' && beginsPlace(line[i + 1])) line.insert(i + 1, 1, L' ');
    }
    return line;
}

void registerEventSource(const std::wstring& program) {
    constexpr unsigned long typesOfOurs =
        EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    writeString(eventSourceKey, L"EventMessageFile", program, true);
    writeNumber(eventSourceKey, L"TypesSupported", typesOfOurs);
}

void removeEventSource() {
    removeKey(eventSourceKey);
}

spdlog::sink_ptr eventLogSink() {
    return std::make_shared<EventLogSink>();
}

}  // namespace netcluster::service
