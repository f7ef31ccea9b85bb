// A process that is some nodes of the region `all`: task_node RUNDIR ID… It says "ready" when it
// is, and does these tasks until it is killed or its standard input ends:
//     echo   its data
//     hold   answered with its data by the next `go` to that process
#include <future>
#include <iostream>
#include <mutex>
#include <netcluster/tasks.hpp>
#include <vector>

using namespace netcluster;

int main(int count, char** arguments) {
    using namespace std::chrono_literals;
    Options options;
    options.dir = arguments[1];
    Tasks tasks("A", options);
    std::mutex mutex;
    std::vector<std::pair<Reply, Json>> held;
    tasks.handle("echo", [](const Task& task) { return task.data(); });
    tasks.handleAsync("hold", [&](const Task& task, Reply reply) {
        const std::lock_guard lock(mutex);
        held.emplace_back(std::move(reply), task.data());
    });
    tasks.handle("held", [&](const Task&) {
        const std::lock_guard lock(mutex);
        return held.size();
    });
    tasks.handle("go", [&](const Task&) {
        const std::lock_guard lock(mutex);
        for (const auto& [reply, data] : held) reply.succeed(data);
        held.clear();
        return nullptr;
    });
    tasks.agent().connect(60s);
    for (int n = 2; n < count; ++n) {
        NodeDescription node;
        node.id = arguments[n];
        node.regions = {"all"};
        tasks.agent().registerNode(node, 60s);
    }
    std::cout << "ready" << std::endl;
    std::promise<void>().get_future().wait();
}
