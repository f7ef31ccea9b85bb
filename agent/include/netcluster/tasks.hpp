// Tasks: functions that nodes offer, and calls of them: on one node, on all of a region, on one of
// several.
//
//     #include <netcluster/tasks.hpp>
//     #include <iostream>
//
//     int main() {
//         netcluster::Tasks tasks("A");                  // a channel of the host's ncserver
//         tasks.handle("add", [](const netcluster::Task& task) -> netcluster::Json {
//             return task.data().at(0).get<int>() + task.data().at(1).get<int>();
//         });
//         tasks.agent().connect();
//         tasks.agent().registerNode({.id = "calc-1", .regions = {"calculators"}});
//         using namespace std::chrono_literals;
//         for (const netcluster::Answer& answer :
//              tasks.call("calculators", "add", {2, 3}, 1s).get()) {
//             std::cout << answer.node << ": " << answer.result << '\n';
//         }
//     }
//
// A task travels as an event named `task.<NAME>`, an answer as `task-reply.<NAME>`: the rules of
// the hosts' configurations decide by these names where tasks may go (docs/cluster-guide.md).
//
// THREADS. As of an Agent (agent.hpp): functions, callbacks and handlers run where listeners of its
// events run, tasks of this process on the thread that calls. A function that takes long should
// keep its Reply, return, and answer from a thread of its own: as long as it runs, nothing else is
// heard.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <netcluster/agent.hpp>
#include <netcluster/node.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace netcluster {

/// A task as the function that does it sees it: a view, good until the function returns.
class NETCLUSTER_API Task {
  public:
    const std::string& name() const { return name_; }  ///< of the function
    const Json& data() const { return data_; }
    const std::string& node() const { return node_; }  ///< the node of this process that is asked
    /// Ties the answers to the call; empty when nobody waits for one.
    const std::string& id() const { return id_; }
    const std::string& caller() const { return caller_; }  ///< uuid of the caller's connection
    const std::string& host() const { return host_; }      ///< the caller's; empty for this host

  private:
    friend class TaskAccess;
    std::string name_, node_, id_, caller_, host_;
    Json data_;
};

/// Answers a task, once, from any thread. Copies are the same one. When the last is gone and
/// nothing was answered, the caller is told that the task failed. Does nothing once its Tasks is
/// gone.
class NETCLUSTER_API Reply {
  public:
    void succeed(const Json& result = nullptr) const;
    void fail(const std::string& why) const;
    /// As if there were no such function.
    void unknown() const;

  private:
    friend class TaskAccess;
    struct State;
    std::shared_ptr<State> state_;
};

/// What became of a task on one node.
struct Answer {
    enum class Outcome {
        success,          ///< `result` is what the function returned
        failed,           ///< the function threw or failed; `error` is what it said
        unknownFunction,  ///< the node has no such function
        unknownNode,      ///< there is no such node, or none in that region
        lost,             ///< the node, or its host, was gone before it had answered
        timeout,          ///< no answer until the deadline
        refused,          ///< the call could not be sent; `error` says why
    };
    std::string node{};  ///< its id; for unknownNode the name nobody has
    std::string host{};  ///< name of the node's host
    Outcome outcome = Outcome::success;
    Json result{};
    std::string error{};  ///< in words; empty with success
    std::chrono::microseconds took{0};
    bool ok() const { return outcome == Outcome::success; }
};
/// "success", "failed", "unknown function", "unknown node", "lost", "timeout", "refused".
NETCLUSTER_API std::string_view nameOf(Answer::Outcome outcome);

class NETCLUSTER_API Tasks {
  public:
    /// What it returns is the answer; what it throws makes it fail.
    using Function = std::function<Json(const Task&)>;
    /// Answers when it likes.
    using AsyncFunction = std::function<void(const Task&, Reply)>;

    /// Has an Agent of its own, which shares the connection of the process's other agents of that
    /// channel. Throws Error as Agent does.
    explicit Tasks(std::string channel, Options options = {});
    /// Calls under way end: futures with std::future_errc::broken_promise, callbacks are not
    /// called.
    ~Tasks();
    Tasks(const Tasks&) = delete;
    Tasks& operator=(const Tasks&) = delete;

    /// To connect, to register nodes, for events, for `poll`, with all handlers of its own. Its
    /// listeners for `task` and `task-reply` belong to this class.
    Agent& agent();

    // -- to do tasks. A node of this process answers tasks that are meant for it. All Tasks of a
    // process on a channel are one set of functions for all of its nodes; of two functions of one
    // name, that of the Tasks made first is called. A result has at most 256 MiB of JSON text.

    /// Replaces the function of that name. Throws Error when the name is empty, longer than 200
    /// bytes, or not UTF-8 without control characters.
    void handle(const std::string& name, Function function);
    void handleAsync(const std::string& name, AsyncFunction function);
    /// For names that no function has; an empty one removes it.
    void handleDefault(AsyncFunction function);
    /// False when there is none.
    bool removeHandler(const std::string& name);

    // -- to have tasks done

    /// Asks every node that `target` means (docs/cluster-guide.md: names and regions as `a:b`, or
    /// an expression over tags) and gathers one Answer for each, in the order of their ids. Which
    /// those are is looked up now; a name that nobody has is answered for as unknownNode. An
    /// expression that means nobody gives no answers. Never throws for what becomes of the call;
    /// throws Error when `target` or `name` is none, or when the agent is not connected.
    std::future<std::vector<Answer>> call(std::string_view target, std::string_view name,
                                          const Json& data, std::chrono::milliseconds deadline);
    /// The same: `each` for each answer as it comes, then `done`, if there is one.
    void call(std::string_view target, std::string_view name, const Json& data,
              std::chrono::milliseconds deadline, std::function<void(const Answer&)> each,
              std::function<void()> done = {});

    /// Asks one of the nodes that `target` means. `key`: for Pick::sticky.
    std::future<Answer> callOne(std::string_view target, std::string_view name, const Json& data,
                                std::chrono::milliseconds deadline, Pick how = Pick::roundRobin,
                                std::string_view key = {});
    void callOne(std::string_view target, std::string_view name, const Json& data,
                 std::chrono::milliseconds deadline, Pick how, std::string_view key,
                 std::function<void(const Answer&)> done);

    /// Has it done and asks for no answer. Throws as `call`.
    Emitted send(std::string_view target, std::string_view name, const Json& data = nullptr);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace netcluster
