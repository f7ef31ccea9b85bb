#include "commands.hpp"

#include <algorithm>
#include <stdexcept>

#include "texts.hpp"

namespace netcluster::worker {
namespace {

/// Longest value. Reason: the system takes 128 KiB for one, and none of these is long by nature.
constexpr std::size_t longestValue = 4096;

/// Longest text of a failure. Reason: what is longer is cut off on its way (agent/tasks), and its
/// JSON would end anywhere.
constexpr std::size_t longestFailure = 4096;

std::string variable(const std::string& name, std::string_view value) {
    std::string text = "NETCLUSTER_" + name + "=";
    for (const char c : value.substr(0, longestValue)) {
        text += static_cast<unsigned char>(c) < ' ' || c == 127 ? '?' : c;
    }
    return text;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ":") + word;
    return text;
}

/// At most the first so many bytes of one of the outputs, no half characters; that there was more
/// is said, once.
void cutTo(std::size_t most, const char* output, Json& result) {
    std::string& text = result[output].get_ref<std::string&>();
    if (text.size() <= most) return;
    std::size_t size = most;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
    text.resize(size);
    Json& cut = result["cut"];
    if (std::find(cut.begin(), cut.end(), output) == cut.end()) cut.push_back(output);
}

/// The words and the result behind them, whose outputs are cut so that all is at most
/// longestFailure.
std::string failureText(const std::string& words, const Finished& finished) {
    const Json whole = resultOf(finished);
    const auto text = [&](std::size_t room) {
        Json result = whole;
        cutTo(room, "stdout", result);
        cutTo(room, "stderr", result);
        return words + ": " + result.dump();
    };
    std::string fits = text(longestFailure);
    if (fits.size() <= longestFailure) return fits;
    // How many bytes JSON makes of one depends on it: the most of each that fit.
    std::size_t least = 0, most = longestFailure;
    while (least + 1 < most) {
        const std::size_t middle = (least + most) / 2;
        (text(middle).size() <= longestFailure ? least : most) = middle;
    }
    return text(least);
}

}  // namespace

std::string variableName(std::string_view key) {
    std::string name;
    for (const char c : key) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool digit = c >= '0' && c <= '9';
        name += letter ? static_cast<char>(c & ~0x20) : digit ? c : '_';
    }
    return name;
}

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
            return failureText("exit status " + std::to_string(finished.status), finished);
        case Finished::How::signalled:
            return failureText("ended by signal " + std::to_string(finished.signal), finished);
        case Finished::How::timedOut:
            return failureText("not finished after " + std::to_string(limits.time.count()) +
                                   " ms (--exec-time " + lua::secondsText(limits.time) + ")",
                               finished);
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
