// Prints how many Lua tasks one worker does in a second, and how long they take, without and with
// tasks among them that never end.
//
//     worker_rate [SECONDS [AT ONCE]]        default 5 s, 16 at once
#define DOCTEST_CONFIG_IMPLEMENT  // for the harness
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <netcluster/tasks.hpp>

#include "harness.hpp"

using namespace netcluster;
using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

const char* const scripts = R"(
tasks = {}
function tasks.add(data) return {sum = data[1] + data[2], text = json.encode(data)} end
function tasks.endless() while true do end end
)";

struct Load {
    Tasks& tasks;
    Clock::time_point until;
    std::mutex mutex{};
    std::condition_variable ended{};
    std::vector<double> took{};  // ms
    int failed = 0, open = 0, cut = 0;

    void add() {
        {
            const std::lock_guard lock(mutex);
            ++open;
        }
        tasks.call(
            "w1", "tasks.add", {2, 3}, 30s,
            [this](const Answer& answer) {
                const std::lock_guard lock(mutex);
                took.push_back(static_cast<double>(answer.took.count()) / 1000);
                failed += answer.ok() ? 0 : 1;
            },
            [this] { next(); });
    }
    void endless() {
        {
            const std::lock_guard lock(mutex);
            ++open;
        }
        tasks.call(
            "w1", "tasks.endless", nullptr, 30s,
            [this](const Answer& answer) {
                const std::lock_guard lock(mutex);
                cut += answer.error.find("cut off") != std::string::npos ? 1 : 0;
            },
            [this] { end(Clock::now() < until, true); });
    }
    void next() { end(Clock::now() < until, false); }
    void end(bool again, bool wasEndless) {
        if (again) wasEndless ? endless() : add();
        const std::lock_guard lock(mutex);
        if (--open == 0) ended.notify_all();
    }
};

void measure(Tasks& tasks, const std::string& what, double seconds, int atOnce, int endless) {
    const auto start = Clock::now();
    Load load{tasks, start + std::chrono::milliseconds(static_cast<int>(seconds * 1000))};
    for (int i = 0; i < endless; ++i) load.endless();
    for (int i = 0; i < atOnce; ++i) load.add();
    std::unique_lock lock(load.mutex);
    load.ended.wait(lock, [&] { return load.open == 0; });
    std::sort(load.took.begin(), load.took.end());
    const auto at = [&](double part) {
        return load
            .took[static_cast<std::size_t>(part * static_cast<double>(load.took.size() - 1))];
    };
    std::cout << std::left << std::setw(34) << what << std::right << std::fixed
              << std::setprecision(0) << std::setw(7)
              << static_cast<double>(load.took.size()) / seconds << " tasks/s, median "
              << std::setprecision(2) << at(0.5) << " ms, 99 % " << at(0.99) << " ms, "
              << load.failed << " failed; " << load.cut << " endless ones cut off\n";
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
    const int atOnce = argc > 2 ? std::atoi(argv[2]) : 16;
    const Daemon daemon(localConfig(R"("A": {})"));
    const Scratch scratch;
    scratch.write("bootstrap.lua", scripts);
    Process worker({NETCLUSTER_NCWORKER, "--dir", daemon.runDir(), "-id", "w1", "-script",
                    scratch.path(), "-log_level", "error", "-instructions", "1000000", "-run-time",
                    "0.5"});
    Options options;
    options.dir = daemon.runDir();
    Tasks tasks("A", options);
    tasks.agent().connect();
    awaitTrue([&] { return !tasks.agent().nodes().empty(); });
    measure(tasks, "Lua tasks alone", seconds, atOnce, 0);
    measure(tasks, "one endless among them, always", seconds, atOnce, 1);
    measure(tasks, "ten endless among them, always", seconds, atOnce, 10);
    worker.signal(SIGTERM);
    return worker.wait();
}
