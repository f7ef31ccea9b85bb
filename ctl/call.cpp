#include "call.hpp"

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <ostream>
#include <utility>

#include "control_client.hpp"
#include "emit.hpp"
#include "escape.hpp"
#include "values.hpp"

namespace netcluster::ctl {
namespace {

using Clock = std::chrono::steady_clock;
using Outcome = netcluster::Answer::Outcome;

constexpr std::array<std::pair<std::string_view, Pick>, 7> picks{{
    {"first", Pick::first},
    {"last", Pick::last},
    {"random", Pick::random},
    {"roundRobin", Pick::roundRobin},
    {"leastLoaded", Pick::leastLoaded},
    {"leastMemory", Pick::leastMemory},
    {"sticky", Pick::sticky},
}};

constexpr std::array outcomes{Outcome::success,     Outcome::failed, Outcome::unknownFunction,
                              Outcome::unknownNode, Outcome::lost,   Outcome::timeout,
                              Outcome::refused};

constexpr std::string_view nobody = "the target means no node";

/// What the words ask for.
struct Wish {
    std::string channel, target, name, key;
    Json data;
    std::optional<Pick> pick;
    bool wantsAnswer = true;
};

/// Returns what is wrong with the words.
std::string readPick(const Call& call, Wish& wish) {
    if (call.has("--key")) {
        wish.pick = Pick::sticky;
        wish.key = call.value("--key");
    }
    if (!call.has("--pick")) return {};
    std::string known;
    for (const auto& [name, pick] : picks) {
        known += (known.empty() ? "" : ", ") + std::string(name);
        if (name != call.value("--pick")) continue;
        if (pick == Pick::sticky && !call.has("--key")) return "--pick sticky needs --key";
        if (pick != Pick::sticky && call.has("--key")) return "--key is for --pick sticky";
        wish.pick = pick;
        return {};
    }
    return "--pick is one of " + known;
}

std::string readWish(const Call& call, const Context& context, Wish& wish) {
    for (const std::string_view needed : {"--target", "--fn"}) {
        if (!call.has(needed) || call.value(needed).empty()) {
            return "call needs " + std::string(needed) + "; `help call` explains";
        }
    }
    wish.target = call.value("--target");
    wish.name = call.value("--fn");
    const char* const chosen = std::getenv("NETCLUSTER_CHANNEL");
    wish.channel = chosen != nullptr && *chosen != '\0' ? chosen : "A";
    if (call.has("--channel")) wish.channel = call.value("--channel");
    if (call.has("--data")) {
        auto data = readData(call.value("--data"), context);
        if (!data.error.empty()) return "the data is not JSON: " + data.error;
        wish.data = std::move(data.value);
    }
    wish.wantsAnswer = !call.has("--no-answer");
    if (!wish.wantsAnswer && (call.has("--pick") || call.has("--key"))) {
        return "--no-answer is for all that the target means";
    }
    return readPick(call, wish);
}

/// Answers on their way from the agent's thread to main's.
class Answers {
  public:
    void add(const netcluster::Answer& answer) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(answer);
        changed_.notify_one();
    }
    void end() {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_one();
    }
    /// The next one; nothing when that was the last. Every call ends at its deadline.
    std::optional<netcluster::Answer> next() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
        if (waiting_.empty()) return {};
        netcluster::Answer answer = std::move(waiting_.front());
        waiting_.pop_front();
        return answer;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<netcluster::Answer> waiting_;
    bool ended_ = false;
};

Status sendOnly(Tasks& tasks, const Wish& wish, Context& context) {
    if (tasks.agent().nodes(wish.target).empty()) {
        return fail(context, Status::failed, std::string(nobody));
    }
    if (tasks.send(wish.target, wish.name, wish.data) == Emitted::queueFull) {
        return fail(context, Status::failed, "the daemon does not read");
    }
    tasks.agent().sync(context.patience.answer);
    return answer(context, Json{{"status", "done"}}, "");
}

Status gather(Tasks& tasks, const Wish& wish, Context& context, Answers& answers) {
    const auto began = Clock::now();
    const auto add = [&answers](const netcluster::Answer& answer) { answers.add(answer); };
    if (wish.pick) {
        tasks.callOne(wish.target, wish.name, wish.data, context.patience.answer, *wish.pick,
                      wish.key, [&answers, add](const netcluster::Answer& answer) {
                          add(answer);
                          answers.end();
                      });
    } else {
        tasks.call(wish.target, wish.name, wish.data, context.patience.answer, add,
                   [&answers] { answers.end(); });
    }
    Tally tally;
    while (const auto next = answers.next()) {
        tally.add(*next);
        context.out << (context.json ? answerJson(*next) : answerText(*next)) << std::flush;
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
    if (context.json)
        context.out << jsonLine(tally.json(took)) << '\n';
    else
        context.err << tally.text(took) << '\n';
    return tally.status();
}

double milliseconds(std::chrono::microseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

}  // namespace

Status callCommand(const Call& call, Context& context) {
    Wish wish;
    const auto error = readWish(call, context, wish);
    if (!error.empty()) return fail(context, Status::usage, error);

    Answers answers;  // outlives the tasks, whose thread adds to it
    Options options;
    options.dir = context.dir;
    options.name = "ncctl";
    std::optional<Tasks> tasks;
    try {
        tasks.emplace(wish.channel, options);
    } catch (const Error& wrong) {
        return fail(context, Status::usage, wrong.what());
    }
    tasks->agent().onError([](const std::string&) {});  // what matters comes as an answer
    try {
        tasks->agent().connect(context.patience.connect);
    } catch (const Error& unreachable) {
        return fail(context, Status::failed, unreachableText(unreachable.what()));
    }
    try {
        (void)tasks->agent().nodes(wish.target);
    } catch (const Error& wrong) {
        return fail(context, Status::usage, wrong.what());
    }
    return wish.wantsAnswer ? gather(*tasks, wish, context, answers)
                            : sendOnly(*tasks, wish, context);
}

std::string answerText(const netcluster::Answer& answer) {
    if (answer.ok()) return printable(answer.node) + ' ' + jsonLine(answer.result) + '\n';
    std::string text = printable(answer.node) + ' ' + std::string(nameOf(answer.outcome));
    if (!answer.error.empty()) text += ": " + printable(answer.error);
    return text + '\n';
}

std::string answerJson(const netcluster::Answer& answer) {
    Json object{{"node", answer.node},
                {"host", answer.host},
                {"outcome", nameOf(answer.outcome)},
                {"milliseconds", milliseconds(answer.took)}};
    if (answer.ok())
        object["result"] = answer.result;
    else
        object["error"] = answer.error;
    return jsonLine(object) + '\n';
}

void Tally::add(const netcluster::Answer& answer) {
    ++counts_[answer.outcome];
    ++all_;
}

std::size_t Tally::count(Outcome outcome) const {
    const auto found = counts_.find(outcome);
    return found == counts_.end() ? 0 : found->second;
}

Status Tally::status() const {
    if (count(Outcome::timeout) != 0) return Status::deadline;
    return all_ != 0 && count(Outcome::success) == all_ ? Status::done : Status::failed;
}

std::string Tally::text(std::chrono::microseconds took) const {
    if (all_ == 0) return std::string(nobody);
    std::string others;
    for (const auto& [outcome, number] : counts_) {
        if (outcome == Outcome::success) continue;
        others += (others.empty() ? "" : ", ") + std::to_string(number) + ' ' +
                  std::string(nameOf(outcome));
    }
    if (!others.empty()) others = " (" + others + ')';
    return std::to_string(count(Outcome::success)) + " of " + std::to_string(all_) +
           " nodes succeeded" + others + " in " + fixed(milliseconds(took), 1) + " ms";
}

Json Tally::json(std::chrono::microseconds took) const {
    Json object{{"asked", all_}, {"milliseconds", milliseconds(took)}};
    for (const Outcome outcome : outcomes) object[std::string(nameOf(outcome))] = count(outcome);
    if (all_ == 0) object["error"] = nobody;
    return object;
}

}  // namespace netcluster::ctl
