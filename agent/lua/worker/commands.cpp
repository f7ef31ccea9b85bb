#include "commands.hpp"

#include <algorithm>
#include <stdexcept>

#include "texts.hpp"

namespace netcluster::worker {
namespace {

/// Longest value. Reason: the system takes 128 KiB for one, and none of these is long by nature.
constexpr std::size_t longestValue = 4096;

std::string variable(const std::string& name, std::string_view value) {
    std::string text = "NETCLUSTER_" + name + "=";
    for (const char c : value.substr(0, longestValue)) {
        text += static_cast<unsigned char>(c) < ' ' || c == 127 ? '?' : c;
    }
    return text;
}

/// "disk-type" -> "DISK_TYPE"
std::string variableName(std::string_view key) {
    std::string name;
    for (const char c : key) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool digit = c >= '0' && c <= '9';
        name += letter ? static_cast<char>(c & ~0x20) : digit ? c : '_';
    }
    return name;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ":") + word;
    return text;
}

}  // namespace

std::vector<std::string> environmentFor(const Cause& cause, const Settings& settings) {
    std::vector<std::string> all{
        variable("TASK", cause.task),          variable("EVENT", cause.event),
        variable("NODE", cause.node),          variable("ID", cause.id),
        variable("SENDER", cause.sender),      variable("HOST", cause.host),
        variable("CHANNEL", settings.channel), variable("REGIONS", joined(settings.regions))};
    if (!settings.dir.empty()) all.push_back(variable("DIR", settings.dir));
    for (const auto& [key, value] : settings.tags.items()) {
        all.push_back(variable("TAG_" + variableName(key), value.get<std::string>()));
    }
    return all;
}

std::string inputFor(const Json& data) {
    if (data.is_null()) return {};
    return data.is_string() ? data.get<std::string>() : data.dump();
}

Json resultOf(const Finished& finished) {
    Json result{{"status", finished.status},
                {"stdout", lua::asUtf8(finished.out)},
                {"stderr", lua::asUtf8(finished.err)}};
    if (finished.signal != 0) {
        result["status"] = nullptr;
        result["signal"] = finished.signal;
    }
    if (finished.outCut) result["cut"].push_back("stdout");
    if (finished.errCut) result["cut"].push_back("stderr");
    return result;
}

std::string failureOf(const Finished& finished, const ExecLimits& limits) {
    switch (finished.how) {
        case Finished::How::exited:
            if (finished.status == 0) return {};
            return "exit status " + std::to_string(finished.status) + ": " +
                   resultOf(finished).dump();
        case Finished::How::signalled:
            return "ended by signal " + std::to_string(finished.signal) + ": " +
                   resultOf(finished).dump();
        case Finished::How::timedOut:
            return "not finished after " + std::to_string(limits.time.count()) +
                   " ms (--exec-time " + lua::secondsText(limits.time) +
                   "): " + resultOf(finished).dump();
        case Finished::How::stopped:
            return "the worker stops";
        case Finished::How::notStarted:
            return "cannot be started: " + finished.error;
    }
    return {};
}

Handler parseHandler(std::string_view text, std::string_view form) {
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size())
        throw std::invalid_argument("\"" + std::string(text) + "\" is not " + std::string(form));
    return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

}  // namespace netcluster::worker
