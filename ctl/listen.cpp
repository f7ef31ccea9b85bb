#include "listen.hpp"

#include <algorithm>
#include <netcluster/agent.hpp>
#include <optional>
#include <ostream>
#include <utility>

#include "arguments.hpp"
#include "control_client.hpp"
#include "escape.hpp"
#include "format.hpp"
#include "terminal.hpp"

namespace netcluster::ctl {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = LineQueue::Line::Kind;

/// How soon a signal, or the end of whoever reads our output, is noticed.
constexpr std::chrono::milliseconds glance{100};

struct Limits {
    std::optional<std::size_t> count;
    std::optional<std::chrono::milliseconds> wait;
    std::string error;
};

Limits limitsOf(const Call& call) {
    Limits limits;
    if (call.has("--count")) {
        limits.count = parseCount(call.value("--count"));
        if (!limits.count) limits.error = "--count needs a whole number of at least 1";
    }
    if (call.has("--wait")) {
        limits.wait = parseSeconds(call.value("--wait"));
        if (!limits.wait)
            limits.error = "--wait needs a number of seconds" + std::string(secondsTaken);
    }
    return limits;
}

std::string lineOf(const Event& event, bool json) {
    const SeenEvent seen{event.name(),   event.data(),      event.channel(),
                         event.sender(), event.broadcast(), event.host(),
                         event.to(),     event.id(),        event.replyTo()};
    return json ? eventJson(seen) : eventText(seen);
}

/// The listeners and handlers on the agent; they outlive neither it nor the queue.
void listenOn(Agent& agent, const std::vector<std::string>& patterns, LineQueue& queue, bool json) {
    const auto say = [&queue](const std::string& text) { queue.push({Kind::notice, text}); };
    agent.onGap([say](const Gap& gap) { say(gapText(gap)); });
    agent.onError(say);
    agent.onDisconnect([say](const std::string& reason) {
        say("lost the daemon: " + reason + "; events until it is back are not heard");
    });
    // One by one first: joined, two that are wrong could make one that is not.
    for (const auto& pattern : patterns) {
        agent.removeListener(agent.on(pattern, [](const Event&) {}));
    }
    agent.on(anyOf(patterns), [&queue, json](const Event& event) {
        queue.push({Kind::event, lineOf(event, json)});
    });
}

/// Main's side: takes lines and writes them until there is a reason to stop.
class Writer {
  public:
    Writer(Context& context, LineQueue& queue, const Limits& limits,
           const Interruption& interruption)
        : context_(context), queue_(queue), limits_(limits), interruption_(interruption) {}

    Status run() {
        for (;;) {
            for (const auto& line : queue_.take(untilNextGlance())) {
                if (!write(line)) return outputFailed();
                if (limits_.count && seen_ >= *limits_.count) return Status::done;
            }
            if (interruption_.signal() != Interruption::Signal::none) return interrupted();
            if (outputAbandoned()) return Status::done;
            if (limits_.wait && Clock::now() - began_ >= *limits_.wait) return late();
        }
    }

  private:
    std::chrono::milliseconds untilNextGlance() const {
        if (!limits_.wait) return glance;
        const auto left = began_ + *limits_.wait - Clock::now();
        const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(left);
        return std::clamp(rounded, std::chrono::milliseconds(0), glance);
    }

    bool write(const LineQueue::Line& line) {
        if (line.kind == Kind::notice) {
            notice(context_, line.text);
            return true;
        }
        context_.out << line.text << std::flush;
        ++seen_;
        return static_cast<bool>(context_.out);
    }

    Status interrupted() {
        if (context_.atPrompt) context_.err << '\n';  // behind the ^C that the terminal shows
        return Status::done;
    }

    /// A signal that came while the output was full also looks like a failure.
    Status outputFailed() {
        if (interruption_.signal() != Interruption::Signal::none) {
            context_.out.clear();
            return Status::done;
        }
        if (outputAbandoned()) return Status::done;
        notice(context_, "cannot write to stdout");
        return Status::failed;
    }

    Status late() {
        if (limits_.count) {
            notice(context_, std::to_string(seen_) + " of " + std::to_string(*limits_.count) +
                                 " events came in time");
        }
        return Status::deadline;
    }

    Context& context_;
    LineQueue& queue_;
    const Limits& limits_;
    const Interruption& interruption_;
    const Clock::time_point began_ = Clock::now();
    std::size_t seen_ = 0;
};

/// Lets a listener that waits for room go before its agent is destroyed, which waits for the
/// listener.
struct ClosedAtEnd {
    LineQueue& queue;
    ~ClosedAtEnd() { queue.close(); }
};

}  // namespace

Status listenCommand(const Call& call, Context& context) {
    const auto limits = limitsOf(call);
    if (!limits.error.empty()) return fail(context, Status::usage, limits.error);
    std::vector<std::string> patterns(call.arguments.begin() + 1, call.arguments.end());
    if (patterns.empty()) patterns.emplace_back(".*");

    const Interruption interruption;  // before connecting: from here on, a signal is a good end
    LineQueue queue;
    Options options;
    options.dir = context.dir;
    options.name = "ncctl";
    std::optional<Agent> agent;
    const ClosedAtEnd closed{queue};
    try {
        agent.emplace(call.arguments[0], options);
        listenOn(*agent, patterns, queue, context.json);
    } catch (const Error& error) {
        return fail(context, Status::usage, error.what());
    }
    try {
        agent->connect(context.patience.connect);
    } catch (const Error& error) {
        return fail(context, Status::failed, unreachableText(error.what()));
    }
    return Writer(context, queue, limits, interruption).run();
}

std::string gapText(const Gap& gap) {
    const std::string count = std::to_string(gap.count);
    const std::string place =
        " (" + std::to_string(gap.first) + " to " + std::to_string(gap.last) + ")";
    const std::string datagrams = count + " datagrams of host " + printable(gap.host) + place;
    switch (gap.why) {
        case Gap::Why::slow:
            return count + " events lost here" + place + ": this listener did not keep up";
        case Gap::Why::lost:
            return datagrams + " did not arrive";
        case Gap::Why::gone:
            return datagrams + " did not arrive, and the host keeps them no longer";
        case Gap::Why::dropped:
            return count + " events lost at host " + printable(gap.host) +
                   ": its queue to the link was full";
        case Gap::Why::reset:
            return "events of host " + printable(gap.host) + " may be missing: its numbers jumped";
    }
    return {};
}

std::string anyOf(const std::vector<std::string>& patterns) {
    if (patterns.size() == 1) return patterns.front();
    std::string joined;
    for (const auto& pattern : patterns) {
        joined += (joined.empty() ? "(?:" : "|(?:") + pattern + ')';
    }
    return joined;
}

void LineQueue::push(Line line) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || bytes_ < limit; });
    if (closed_) return;
    bytes_ += line.text.size();
    lines_.push_back(std::move(line));
    changed_.notify_all();
}

std::deque<LineQueue::Line> LineQueue::take(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return !lines_.empty(); });
    bytes_ = 0;
    changed_.notify_all();
    return std::exchange(lines_, {});
}

void LineQueue::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

}  // namespace netcluster::ctl
