// The side of a Tasks that has tasks done: whom a call means, the book of those under way, and who
// waits for them. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <netcluster/tasks.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "alarm.hpp"
#include "call_book.hpp"
#include "gate.hpp"
#include "task_wire.hpp"
#include "waiting.hpp"

namespace netcluster::tasks {

/// Targets and names whose turn is remembered for callOne, together; then all turns begin anew.
inline constexpr std::size_t maxPickers = 1024;

class Calls : public std::enable_shared_from_this<Calls> {
  public:
    using Milliseconds = std::chrono::milliseconds;
    /// Makes who waits, knowing for how many answers.
    using Make = std::function<std::shared_ptr<Waiting>(std::size_t count)>;

    /// Uses the agent inside of the gate alone.
    Calls(Agent& agent, std::shared_ptr<Gate> gate);

    void call(std::string_view target, std::string_view name, const Json& data,
              Milliseconds deadline, const Make& make);
    void callOne(std::string_view target, std::string_view name, const Json& data,
                 Milliseconds deadline, Pick how, std::string_view key, const Make& make);
    Emitted send(std::string_view target, std::string_view name, const Json& data);

    void onReply(const Event& event);
    void onPresence(const Presence& presence);
    /// No call is under way any more. The gate is closed.
    void close();

  private:
    using Expected = CallBook::Expected;
    using Settled = CallBook::Settled;
    enum class Where { here, posted };

    void mayCall(std::string_view target, std::string_view name) const;
    void start(std::vector<Node> nodes, std::vector<Answer> known, std::string_view to,
               std::string_view name, const Json& data, Milliseconds deadline, const Make& make,
               std::uint64_t gone);
    void emit(std::uint64_t call, std::string_view to, std::string_view name, const Json& data);
    void acknowledge(const Event& piece, const Progress& progress);
    void deliver(std::vector<Settled> settled, Where where);
    void post(std::shared_ptr<Waiting> waiting);
    /// Nodes may have gone without a word to onPresence: looks who is there.
    void lookAround();
    void ring();
    std::string idOf(std::uint64_t call) const;
    std::uint64_t numberIn(std::string_view id) const;

    Agent& agent_;
    const std::shared_ptr<Gate> gate_;
    const std::string prefix_;  // of the ids of our calls: nobody else's, and not to be guessed
    std::mutex mutex_;          // of the next three
    CallBook book_;
    std::map<std::pair<std::string, std::string>, Picker> pickers_;
    std::unique_ptr<Alarm> alarm_;
    std::atomic<std::uint64_t> gone_{0};  // nodes so far
};

}  // namespace netcluster::tasks
