// A daemon, workers on it, and a program that asks them.
#pragma once

#include <doctest/doctest.h>

#include <netcluster/tasks.hpp>

#include "awaiting_nodes.hpp"
#include "harness.hpp"

namespace netcluster::scenario {

using namespace std::chrono_literals;

/// ncworker as a child. Stopped with the test, which fails when it does not stop as promised.
class WorkerProcess {
  public:
    WorkerProcess(const Daemon& daemon, std::vector<std::string> arguments)
        : process_(words(daemon, std::move(arguments))) {}
    ~WorkerProcess() {
        if (!process_.running()) return;
        CHECK_MESSAGE(stop() == 0, log());
    }
    void awaitReady() { awaitLog("ready"); }
    void awaitLog(std::string_view part, std::size_t from = 0) {
        REQUIRE_MESSAGE(process_.err.waitFor(part, from), log());
    }
    std::string log() const { return process_.err.text(); }
    void signal(int number) const { process_.signal(number); }
    int wait() { return process_.wait(); }
    int stop() {
        signal(SIGTERM);
        return wait();
    }

  private:
    static std::vector<std::string> words(const Daemon& daemon, std::vector<std::string> rest) {
        std::vector<std::string> all{NETCLUSTER_NCWORKER, "--dir", daemon.runDir()};
        all.insert(all.end(), rest.begin(), rest.end());
        return all;
    }
    Process process_;
};

/// Who asks, and hears what workers emit.
class Asker {
  public:
    explicit Asker(const Daemon& daemon) : tasks(std::string("A"), at(daemon)) {
        tasks.agent().connect(patience());
    }
    static Options at(const Daemon& daemon) {
        Options options;
        options.dir = daemon.runDir();
        return options;
    }
    void awaitNodes(std::size_t count) {
        scenario::awaitNodes([&] { return tasks.agent().nodes().size() == count; }, tasks.agent());
    }
    std::vector<Answer> all(const std::string& target, const std::string& name,
                            const Json& data = nullptr) {
        return tasks.call(target, name, data, patience()).get();
    }
    Answer ask(const std::string& target, const std::string& name, const Json& data = nullptr) {
        auto answers = all(target, name, data);
        REQUIRE(answers.size() == 1);
        return answers[0];
    }
    /// The result, or the error.
    Json result(const std::string& target, const std::string& name, const Json& data = nullptr) {
        const Answer answer = ask(target, name, data);
        return answer.ok() ? answer.result : Json(answer.error);
    }

    Tasks tasks;
};

/// What is emitted under names that match, in order.
class Heard {
  public:
    Heard(Asker& asker, const std::string& pattern) {
        asker.tasks.agent().on(pattern, [this](const Event& event) {
            const std::lock_guard lock(mutex_);
            events_.emplace_back(event.name(), event.data());
            changed_.notify_all();
        });
        asker.tasks.agent().sync(patience());
    }
    Json next(const std::string& name) {
        std::unique_lock lock(mutex_);
        for (;;) {
            while (next_ < events_.size()) {
                const auto& [heard, data] = events_[next_++];
                if (heard == name) return data;
            }
            REQUIRE_MESSAGE(
                changed_.wait_for(lock, patience(), [this] { return next_ < events_.size(); }),
                name << " is not heard");
        }
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::pair<std::string, Json>> events_;
    std::size_t next_ = 0;
};

inline const std::string workerConfig = localConfig(R"("A": {})");

inline bool contains(const Json& text, const std::string& part) {
    return text.is_string() && text.get<std::string>().find(part) != std::string::npos;
}

}  // namespace netcluster::scenario
