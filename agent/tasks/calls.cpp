#include "calls.hpp"

#include <algorithm>
#include <charconv>
#include <random>
#include <set>
#include <system_error>
#include <utility>

#include "target.hpp"

namespace netcluster::tasks {
namespace {

// Any longer and the clock's arithmetic overflows.
constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365);
constexpr std::string_view toUs = "client";

CallBook::Time now() {
    return std::chrono::steady_clock::now();
}

std::string randomPrefix() {
    std::random_device random;
    const std::uint64_t number = (std::uint64_t{random()} << 32) ^ random();
    char text[17];
    const auto end = std::to_chars(text, text + 16, number, 16);
    *end.ptr = '.';
    return {text, end.ptr + 1};
}

CallBook::Expected expected(Node node) {
    return {std::move(node.id), std::move(node.host), std::move(node.hostId), node.since, node.own};
}

bool same(const CallBook::Expected& one, const Node& other) {
    return one.id == other.id && one.hostId == other.hostId && one.since == other.since;
}

bool isNamed(const Node& node, const std::string& name) {
    return node.id == name ||
           std::find(node.regions.begin(), node.regions.end(), name) != node.regions.end();
}

Answer unknown(std::string name, std::string why) {
    Answer answer;
    answer.node = std::move(name);
    answer.outcome = Answer::Outcome::unknownNode;
    answer.error = std::move(why);
    return answer;
}

// Names in a list that neither a node nor a region has.
std::vector<Answer> unknownNames(std::string_view target, const std::vector<Node>& nodes) {
    std::vector<Answer> answers;
    const std::vector<std::string> names = Target::compile(target).target->names();
    for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
        const bool known = std::any_of(nodes.begin(), nodes.end(),
                                       [&](const Node& node) { return isNamed(node, name); });
        if (!known) answers.push_back(unknown(name, "there is no node or region " + name));
    }
    return answers;
}

}  // namespace

Calls::Calls(Agent& agent, std::shared_ptr<Gate> gate)
    : agent_(agent), gate_(std::move(gate)), prefix_(randomPrefix()) {}

// -- calling

void Calls::mayCall(std::string_view target, std::string_view name) const {
    if (!validName(name)) {
        throw Error("the name of a function must be 1 to " + std::to_string(maxName) +
                    " bytes of UTF-8 without control characters");
    }
    const auto compiled = Target::compile(target);
    if (!compiled.target) {
        throw Error("'" + cleanText(target) + "' is no target: " + compiled.error);
    }
    if (!agent_.connected()) throw Error("channel '" + agent_.channel() + "': not connected");
}

void Calls::call(std::string_view target, std::string_view name, const Json& data,
                 Milliseconds deadline, const Make& make) {
    mayCall(target, name);
    const std::uint64_t gone = gone_;
    std::vector<Node> nodes = agent_.nodes(target);
    std::vector<Answer> known = unknownNames(target, nodes);
    start(std::move(nodes), std::move(known), target, name, data, deadline, make, gone);
}

void Calls::callOne(std::string_view target, std::string_view name, const Json& data,
                    Milliseconds deadline, Pick how, std::string_view key, const Make& make) {
    mayCall(target, name);
    const std::uint64_t gone = gone_;
    const std::vector<Node> nodes = agent_.nodes(target);
    std::vector<Node> one;
    {
        const std::lock_guard lock(mutex_);
        if (pickers_.size() >= maxPickers) pickers_.clear();
        Picker& picker = pickers_[{std::string(target), std::string(name)}];
        if (const Node* picked = picker.pick(nodes, how, key)) one.push_back(*picked);
    }
    if (!one.empty()) {
        const std::string to = toNode(one.front().id);
        return start(std::move(one), {}, to, name, data, deadline, make, gone);
    }
    Answer none = unknown(std::string(target), "no node is meant by " + std::string(target));
    start({}, {std::move(none)}, target, name, data, deadline, make, gone);
}

Emitted Calls::send(std::string_view target, std::string_view name, const Json& data) {
    mayCall(target, name);
    EmitOptions options;
    options.to = target;
    return agent_.emit(taskEvent(name), data, options);
}

// `known`: answers that are known without asking. `gone`: of gone_, before the nodes were looked
// up.
void Calls::start(std::vector<Node> nodes, std::vector<Answer> known, std::string_view to,
                  std::string_view name, const Json& data, Milliseconds deadline, const Make& make,
                  std::uint64_t gone) {
    const std::shared_ptr<Waiting> waiting = make(nodes.size() + known.size());
    std::uint64_t number = 0;
    if (!nodes.empty()) {
        std::vector<Expected> asked;
        asked.reserve(nodes.size());
        for (Node& node : nodes) asked.push_back(expected(std::move(node)));
        const auto began = now();
        const auto until = began + std::clamp(deadline, Milliseconds(0), Milliseconds(longest));
        const std::lock_guard lock(mutex_);
        try {
            if (!alarm_) {
                alarm_ = std::make_unique<Alarm>([weak = weak_from_this()] {
                    if (const auto self = weak.lock()) self->ring();
                });
            }
            alarm_->start();
        } catch (const std::system_error& error) {
            throw Error(std::string("no thread for deadlines: ") + error.what());
        }
        number = book_.open(std::move(asked), waiting, began, until);
        alarm_->set(until);
    }
    const bool nothingComes = nodes.empty() && known.empty();
    std::vector<Settled> settled;
    for (Answer& answer : known) settled.push_back({waiting, std::move(answer)});
    deliver(std::move(settled), Where::posted);
    if (nothingComes && waiting->callsBack()) post(waiting);
    if (number == 0) return;
    // Somebody went between the look-up and the entry in the book.
    if (gone != gone_) lookAround();
    emit(number, to, name, data);
}

void Calls::emit(std::uint64_t call, std::string_view to, std::string_view name, const Json& data) {
    const std::string id = idOf(call);
    EmitOptions options;
    options.to = to;
    options.id = id;
    options.replyTo = toUs;
    // With a full queue the nodes of this process have heard it all the same.
    bool remoteOnly = true;
    std::string why = "the queue to the daemon is full";
    try {
        if (agent_.emit(taskEvent(name), data, options) == Emitted::accepted) return;
    } catch (const Error& error) {
        remoteOnly = false;
        why = error.what();
    }
    std::vector<Settled> refused;
    {
        const std::lock_guard lock(mutex_);
        refused = book_.refused(call, remoteOnly, why, now());
    }
    deliver(std::move(refused), Where::posted);
}

std::string Calls::idOf(std::uint64_t call) const {
    return prefix_ + std::to_string(call);
}

// 0: not ours.
std::uint64_t Calls::numberIn(std::string_view id) const {
    if (!id.starts_with(prefix_)) return 0;
    id.remove_prefix(prefix_.size());
    std::uint64_t number = 0;
    const auto read = std::from_chars(id.data(), id.data() + id.size(), number);
    return read.ec == std::errc() && read.ptr == id.data() + id.size() ? number : 0;
}

// -- what comes back

void Calls::onReply(const Event& event) {
    const Gate::Pass pass(*gate_);
    if (!pass) return;
    const std::uint64_t call = numberIn(event.id());
    if (call == 0) return;  // of another Tasks of this process
    Said said;
    try {
        said = readAnswer(event.data());
    } catch (const Error&) {
        return;  // whose it is, nobody knows
    }
    Answer answer;
    answer.node = said.node;
    answer.error = said.error;
    std::vector<Settled> settled;
    if (said.what == Said::What::piece) {
        CallBook::Joined joined;
        {
            const std::lock_guard lock(mutex_);
            joined = book_.piece(call, said.node, said.part, said.parts, said.text, now());
        }
        if (!joined.whole) {
            acknowledge(event, {std::string(event.id()), said.node, said.part, joined.window,
                                joined.window == 0});
        }
        if (joined.failed) settled.push_back(std::move(*joined.failed));
        if (!joined.whole) return deliver(std::move(settled), Where::here);
        try {
            said.result = parseResult(*joined.whole);
            said.what = Said::What::result;
            answer.error.clear();
        } catch (const Error& error) {
            answer.error = error.what();
            said.what = Said::What::broken;
        }
    }
    answer.result = std::move(said.result);
    answer.outcome = said.what == Said::What::result            ? Answer::Outcome::success
                     : said.what == Said::What::unknownFunction ? Answer::Outcome::unknownFunction
                                                                : Answer::Outcome::failed;
    {
        const std::lock_guard lock(mutex_);
        if (auto one = book_.answered(call, std::move(answer), now())) {
            settled.push_back(std::move(*one));
        }
    }
    deliver(std::move(settled), Where::here);
}

void Calls::acknowledge(const Event& piece, const Progress& progress) {
    EmitOptions options;
    const std::string to = toCaller(piece.sender());
    options.to = to;
    options.id = progress.id;
    agent_.emit(progressEvent(piece.name()), progressData(progress), options);
}

void Calls::onPresence(const Presence& presence) {
    if (presence.kind != Presence::Kind::nodeExpired) return;
    ++gone_;
    std::vector<Settled> settled;
    {
        const std::lock_guard lock(mutex_);
        settled = book_.lost([&](const Expected& one) { return same(one, presence.node); },
                             presence.reason, now());
    }
    deliver(std::move(settled), Where::here);
}

void Calls::lookAround() {
    const std::vector<Node> nodes = agent_.nodes();
    std::vector<Settled> settled;
    {
        const std::lock_guard lock(mutex_);
        settled = book_.lost(
            [&](const Expected& one) {
                return std::none_of(nodes.begin(), nodes.end(),
                                    [&](const Node& node) { return same(one, node); });
            },
            "unknown", now());
    }
    deliver(std::move(settled), Where::posted);
}

// On the alarm's thread.
void Calls::ring() {
    const Gate::Pass pass(*gate_);
    if (!pass) return;
    std::vector<Settled> settled;
    {
        const std::lock_guard lock(mutex_);
        settled = book_.expired(now());
        const auto next = book_.nextDeadline();
        if (next && alarm_) alarm_->set(*next);
    }
    deliver(std::move(settled), Where::posted);
}

// Futures are told at once, callbacks where they run.
void Calls::deliver(std::vector<Settled> settled, Where where) {
    std::vector<std::shared_ptr<Waiting>> callBack;
    for (Settled& one : settled) {
        one.waiting->take(std::move(one.answer));
        if (!one.waiting->callsBack()) continue;
        if (callBack.empty() || callBack.back() != one.waiting) {
            callBack.push_back(std::move(one.waiting));
        }
    }
    for (auto& waiting : callBack) {
        where == Where::here ? waiting->run() : post(std::move(waiting));
    }
}

// The daemon's answer is not waited for; its time is over at once, and the callback runs where
// callbacks do.
void Calls::post(std::shared_ptr<Waiting> waiting) {
    if (gate_->closed()) return;  // by a callback of ours
    agent_.syncAsync([waiting = std::move(waiting)](const std::string&) { waiting->run(); },
                     Milliseconds(0));
}

void Calls::close() {
    // A thread of ours may be the one that closes: the alarm lets go of it.
    std::unique_ptr<Alarm> alarm;
    std::vector<std::shared_ptr<Waiting>> waiting;  // destroyed without the lock
    {
        const std::lock_guard lock(mutex_);
        alarm.swap(alarm_);
        waiting = book_.close();
    }
}

}  // namespace netcluster::tasks
