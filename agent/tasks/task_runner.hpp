// The side of a Tasks that does tasks: its functions, what is under way, and the answers. Any
// thread.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <netcluster/tasks.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "answer_sender.hpp"
#include "gate.hpp"
#include "task_wire.hpp"

namespace netcluster::tasks {

/// Callers whose broken tasks have been reported, at most; then the oldest is forgotten. Reason: a
/// report is for whoever mends the program, and a log that a stranger can fill is none.
inline constexpr std::size_t maxReported = 64;

class TaskRunner : public std::enable_shared_from_this<TaskRunner> {
  public:
    using AsyncFunction = Tasks::AsyncFunction;

    /// Uses the agent, of that Options::queueLimit, inside of the gate alone. Pairs with `leave`.
    static std::shared_ptr<TaskRunner> enter(Agent& agent, std::size_t queueLimit,
                                             std::shared_ptr<Gate> gate);
    void leave();
    TaskRunner(Agent& agent, std::size_t queueLimit, std::shared_ptr<Gate> gate);

    void handle(const std::string& name, AsyncFunction function);
    void handleDefault(AsyncFunction function);
    bool remove(const std::string& name);

    /// An event of a name that tasks have. Throws Error, to be reported, when it is one that cannot
    /// be read and nobody can be told.
    void onEvent(const Event& event);

    // -- for a Reply, once each. `counts`: as a task done.
    Gate& gate() { return *gate_; }
    AnswerSender& answers() { return *answers_; }
    void began();
    void ended(bool counts);

  private:
    using Function = std::shared_ptr<const AsyncFunction>;
    struct Functions;

    bool hears(const TaskRunner& other, bool remote) const;
    bool mine(const std::string& name, bool remote) const;
    std::vector<std::shared_ptr<TaskRunner>> company(bool remote) const;
    Function find(const std::string& name) const;
    bool has(const std::string& name) const;
    bool hasDefault() const;
    std::vector<std::string> ownNodes(std::string_view to) const;
    void refuse(const Asked& asked, const Event& event, const std::vector<std::string>& nodes);
    void perform(Task& task, const Function& function, Reply reply);
    void report();

    Agent& agent_;
    const std::shared_ptr<Gate> gate_;
    const std::shared_ptr<AnswerSender> answers_;
    mutable std::mutex mutex_;  // of the next three
    std::map<std::string, Function, std::less<>> functions_;
    Function default_;
    std::deque<std::string> reported_;  // callers
    std::atomic<std::uint64_t> busy_{0};
    std::atomic<std::uint64_t> done_{0};
};

}  // namespace netcluster::tasks
