// Sends answers of tasks: in one event, or in pieces, no faster than the caller takes them. Owned
// by a TaskRunner. Any thread.
//
// A caller says of each piece that it has come ("more"), and of a result it does not wait for any
// more that it has enough. Callers that say nothing get the pieces at a slow pace. A word may be
// lost, where a queue is full: each tells of all pieces before it, and after a second without any
// one more piece is sent.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <netcluster/agent.hpp>
#include <string>
#include <string_view>

#include "alarm.hpp"
#include "gate.hpp"
#include "parcel.hpp"
#include "task_wire.hpp"

namespace netcluster::tasks {

/// Bytes of results that wait to be sent. Reached: further ones fail.
inline constexpr std::size_t maxWaiting = 2 * maxResult;

class AnswerSender : public std::enable_shared_from_this<AnswerSender> {
  public:
    /// Uses the agent, of that Options::queueLimit, inside of the gate alone.
    AnswerSender(Agent& agent, std::size_t queueLimit, std::shared_ptr<Gate> gate)
        : agent_(agent), queueLimit_(queueLimit), gate_(std::move(gate)) {}

    // These are called inside of the gate.
    void result(const ReplyAddress& address, const Json& result);
    void failed(const ReplyAddress& address, std::string_view why);
    void unknown(const ReplyAddress& address, std::string_view name);
    /// What a caller says of pieces.
    void onProgress(const std::string& caller, const Progress& progress);
    /// The gate is closed.
    void close();

  private:
    using Time = Parcel::Time;
    /// Those for one caller, one after the other: what is on its way to it at once is little,
    /// however many answers wait.
    using Line = std::deque<Parcel>;

    Emitted emit(const ReplyAddress& address, const Json& data);
    void small(const ReplyAddress& address, const Json& data);
    void keep(Parcel parcel);
    void pump(Line& line, Time now);
    bool pumpOne(Parcel& parcel, Time now);
    void giveUp(const ReplyAddress& address, const std::string& why);
    void pop(Line& line);
    void ring();
    void wake(Time when);

    Agent& agent_;
    const std::size_t queueLimit_;
    const std::shared_ptr<Gate> gate_;
    // Of all below. The agent is called with it: an event that is for a caller elsewhere runs no
    // listener here.
    std::mutex mutex_;
    std::map<std::string, Line> lines_;  // by the address of the caller; none is empty
    std::size_t bytes_ = 0;
    std::unique_ptr<Alarm> alarm_;
};

}  // namespace netcluster::tasks
