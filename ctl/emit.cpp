#include "emit.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iostream>
#include <mutex>
#include <netcluster/agent.hpp>

#include "control_client.hpp"

namespace netcluster::ctl {
namespace {

/// No daemon takes more than this, whatever its configuration says ("maxevent").
constexpr std::size_t largestEvent = std::size_t{64} << 20;

/// Nothing when there is more on stdin than any daemon would take.
std::optional<std::string> readInput() {
    std::string text;
    std::array<char, 65536> chunk{};
    while (std::cin.read(chunk.data(), chunk.size()), std::cin.gcount() > 0) {
        text.append(chunk.data(), static_cast<std::size_t>(std::cin.gcount()));
        if (text.size() > largestEvent) return {};
    }
    return text;
}

/// What the daemon refuses arrives on the agent's thread, before the sync that follows completes.
class Refusals {
  public:
    void add(const std::string& what) {
        const std::lock_guard lock(mutex_);
        if (first_.empty()) first_ = what;
    }
    std::string first() {
        const std::lock_guard lock(mutex_);
        return first_;
    }

  private:
    std::mutex mutex_;
    std::string first_;
};

/// The agent says only in words why `sync` failed; whether it is still connected tells the rest.
Status handOver(Agent& agent, Context& context) {
    try {
        agent.sync(context.patience.answer);
        return Status::done;
    } catch (const Error& error) {
        return fail(context, agent.connected() ? Status::deadline : Status::failed, error.what());
    }
}

Status emitOn(Agent& agent, const Call& call, const Json& data, Context& context) {
    EmitOptions options;
    options.broadcast = call.has("--broadcast");
    try {
        if (agent.emit(call.arguments[1], data, options) == Emitted::queueFull) {
            return fail(context, Status::failed, "the daemon does not read");
        }
    } catch (const Error& error) {
        return fail(context, Status::usage, error.what());
    }
    return handOver(agent, context);
}

}  // namespace

ParsedData parseData(std::string_view text) {
    try {
        return {Json::parse(text), {}};
    } catch (const Json::exception& error) {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: what is wrong"
        const std::string_view what = error.what();
        const auto prefix = what.find("] ");
        return {{}, std::string(prefix == std::string_view::npos ? what : what.substr(prefix + 2))};
    }
}

ParsedData readData(const std::string& text, const Context& context) {
    if (text != "-") return parseData(text);
    if (context.atPrompt) return {{}, "`-` (data from stdin) is for the command line"};
    const auto input = readInput();
    if (!input) return {{}, "stdin holds more than 64 MiB"};
    return parseData(*input);
}

Status emitCommand(const Call& call, Context& context) {
    const auto data =
        call.arguments.size() < 3 ? ParsedData{} : readData(call.arguments[2], context);
    if (!data.error.empty())
        return fail(context, Status::usage, "the data is not JSON: " + data.error);

    Refusals refusals;  // outlives the agent, whose thread writes to it
    Options options;
    options.dir = context.dir;
    options.name = "ncctl";
    std::optional<Agent> agent;
    try {
        agent.emplace(call.arguments[0], options);
    } catch (const Error& error) {
        return fail(context, Status::usage, error.what());
    }
    agent->onError([&refusals](const std::string& what) { refusals.add(what); });
    try {
        agent->connect(context.patience.connect);
    } catch (const Error& error) {
        return fail(context, Status::failed, unreachableText(error.what()));
    }
    const auto status = emitOn(*agent, call, data.value, context);
    if (status != Status::done) return status;
    const auto refused = refusals.first();
    if (!refused.empty()) return fail(context, Status::failed, refused);
    return answer(context, Json{{"status", "done"}}, "");
}

}  // namespace netcluster::ctl
