// How the library fills in what a function is given: a Task, and the Reply that goes with it.
#pragma once

#include <memory>
#include <netcluster/tasks.hpp>
#include <string>

#include "answer_sender.hpp"

namespace netcluster {

namespace tasks {
class TaskRunner;
}

class TaskAccess {
  public:
    static void fill(Task& task, std::string name, Json data, const Event& event);
    static void setNode(Task& task, const std::string& node) { task.node_ = node; }
    /// `wanted`: somebody waits for the answer.
    static Reply reply(std::weak_ptr<tasks::TaskRunner> runner, tasks::ReplyAddress address,
                       std::string name, bool wanted);
};

}  // namespace netcluster
