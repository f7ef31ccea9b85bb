#include "call_book.hpp"

#include <utility>

namespace netcluster::tasks {
namespace {

Answer answerOf(const std::string& node, Answer::Outcome outcome, std::string error) {
    Answer answer;
    answer.node = node;
    answer.outcome = outcome;
    answer.error = std::move(error);
    return answer;
}

std::string milliseconds(CallBook::Time from, CallBook::Time until) {
    return std::to_string(
               std::chrono::duration_cast<std::chrono::milliseconds>(until - from).count()) +
           " ms";
}

}  // namespace

// All nodes of a call of which that is so are answered for alike.
template <typename Which>
void CallBook::settleIf(Calls::iterator call, Which which, const Answer& answer, Time now,
                        std::vector<Settled>& settled) {
    auto& opens = call->second.open;
    for (auto open = opens.begin(); open != opens.end();) {
        const auto next = std::next(open);
        if (which(open->second)) {
            Answer one = answer;
            one.node = open->first;
            settled.push_back(settle(call->second, open, std::move(one), now));
        }
        open = next;
    }
    closeIfDone(call);
}

std::uint64_t CallBook::open(std::vector<Expected> nodes, std::shared_ptr<Waiting> waiting,
                             Time now, Time deadline) {
    Call& call = calls_[++last_];
    call.waiting = std::move(waiting);
    call.began = now;
    call.deadline = deadline;
    for (Expected& node : nodes) {
        std::string id = node.id;
        call.open.emplace(std::move(id), Open{std::move(node), nullptr});
    }
    deadlines_.emplace(deadline, last_);
    return last_;
}

std::optional<CallBook::Settled> CallBook::answered(std::uint64_t number, Answer answer, Time now) {
    const auto call = calls_.find(number);
    const auto open =
        call == calls_.end() ? Opens::iterator() : call->second.open.find(answer.node);
    if (call == calls_.end() || open == call->second.open.end()) {
        ++ignored_;
        return {};
    }
    Settled settled = settle(call->second, open, std::move(answer), now);
    closeIfDone(call);
    return settled;
}

CallBook::Joined CallBook::piece(std::uint64_t number, const std::string& node, std::uint64_t part,
                                 std::uint64_t parts, std::string_view text, Time now) {
    const auto call = calls_.find(number);
    const auto open = call == calls_.end() ? Opens::iterator() : call->second.open.find(node);
    if (call == calls_.end() || open == call->second.open.end()) {
        ++ignored_;
        return {};
    }
    auto& pieces = open->second.pieces;
    if (!pieces) {
        pieces = std::make_unique<PieceJoiner>();
        ++joining_;
    }
    std::string error;
    const std::size_t before = pieces->size();
    if (text.size() > maxUnfinished - unfinished_) {
        error = "more than " + std::to_string(maxUnfinished) + " bytes of results are unfinished";
    } else if (!pieces->add(part, parts, text)) {
        unfinished_ -= before;
        error = pieces->error();
    } else {
        unfinished_ += text.size();
    }
    Joined joined;
    if (!error.empty()) {
        joined.failed = settle(call->second, open,
                               answerOf(node, Answer::Outcome::failed, std::move(error)), now);
        closeIfDone(call);
    } else if (pieces->whole()) {
        unfinished_ -= pieces->size();
        joined.whole = pieces->take();
        dropPieces(open->second);
    } else {
        joined.window = windowFor(part, joining_);
    }
    return joined;
}

std::vector<CallBook::Settled> CallBook::lost(const std::function<bool(const Expected&)>& gone,
                                              std::string_view why, Time now) {
    std::vector<Settled> settled;
    const Answer answer =
        answerOf({}, Answer::Outcome::lost,
                 why == "host" ? "its host is gone" : "the node is gone: " + std::string(why));
    for (auto call = calls_.begin(); call != calls_.end();) {
        settleIf(
            call++, [&](const Open& open) { return gone(open.node); }, answer, now, settled);
    }
    return settled;
}

std::vector<CallBook::Settled> CallBook::refused(std::uint64_t number, bool remoteOnly,
                                                 const std::string& why, Time now) {
    std::vector<Settled> settled;
    const auto call = calls_.find(number);
    if (call == calls_.end()) return settled;
    settleIf(
        call, [&](const Open& open) { return !remoteOnly || !open.node.own; },
        answerOf({}, Answer::Outcome::refused, why), now, settled);
    return settled;
}

std::vector<CallBook::Settled> CallBook::expired(Time now) {
    std::vector<Settled> settled;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto call = calls_.find(deadlines_.begin()->second);
        auto& opens = call->second.open;
        const std::string within =
            " within " + milliseconds(call->second.began, call->second.deadline);
        while (!opens.empty()) {
            const auto open = opens.begin();
            const auto& pieces = open->second.pieces;
            std::string error =
                pieces ? pieces->progress() + " pieces of its result came" : "no answer";
            settled.push_back(settle(
                call->second, open,
                answerOf(open->first, Answer::Outcome::timeout, std::move(error) + within), now));
        }
        closeIfDone(call);
    }
    return settled;
}

std::optional<CallBook::Time> CallBook::nextDeadline() const {
    if (deadlines_.empty()) return {};
    return deadlines_.begin()->first;
}

std::vector<std::shared_ptr<Waiting>> CallBook::close() {
    std::vector<std::shared_ptr<Waiting>> waiting;
    for (auto& [number, call] : calls_) waiting.push_back(std::move(call.waiting));
    calls_.clear();
    deadlines_.clear();
    unfinished_ = 0;
    joining_ = 0;
    return waiting;
}

CallBook::Settled CallBook::settle(Call& call, Opens::iterator open, Answer answer, Time now) {
    answer.host = std::move(open->second.node.host);
    answer.took = std::chrono::duration_cast<std::chrono::microseconds>(now - call.began);
    dropPieces(open->second);
    call.open.erase(open);
    return {call.waiting, std::move(answer)};
}

void CallBook::closeIfDone(Calls::iterator call) {
    if (!call->second.open.empty()) return;
    deadlines_.erase({call->second.deadline, call->first});
    calls_.erase(call);
}

void CallBook::dropPieces(Open& open) {
    if (!open.pieces) return;
    unfinished_ -= open.pieces->size();
    --joining_;
    open.pieces.reset();
}

}  // namespace netcluster::tasks
