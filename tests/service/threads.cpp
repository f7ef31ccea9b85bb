#include "threads.hpp"

#include <doctest/doctest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace netcluster::service {

std::vector<pid_t> threadsOf(pid_t process) {
    std::vector<pid_t> threads;
    const std::string tasks = "/proc/" + std::to_string(process) + "/task";
    for (const auto& entry : std::filesystem::directory_iterator(tasks)) {
        threads.push_back(std::stoi(entry.path().filename().string()));
    }
    std::sort(threads.begin(), threads.end());  // the main thread's id is the process's
    return threads;
}

Held::Held(pid_t thread) : thread_(thread) {
    REQUIRE(ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0);
    REQUIRE(ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0);
    int status = 0;
    REQUIRE(waitpid(thread_, &status, __WALL) == thread_);
    REQUIRE(WIFSTOPPED(status));
}

Held::~Held() {
    ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
}

}  // namespace netcluster::service
