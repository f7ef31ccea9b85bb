// Tasks over five hosts with ten nodes each: every node of the region answers every call, also
// while the network loses datagrams; and when a host dies, its nodes are lost, and nobody else is.
//
// Prints how long calls took; that fails nothing, for machines differ:
//     build/release/bin/net_tasks_test
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <netcluster/tasks.hpp>

#include "printing.hpp"
#include "stream.hpp"
#include "weather.hpp"

using namespace netcluster;
using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t hosts = 5;
constexpr std::size_t processesPerHost = 2;
constexpr std::size_t nodesPerProcess = 5;
constexpr std::size_t allNodes = hosts * processesPerHost * nodesPerProcess;
constexpr std::uint64_t fullCount = 10'000;

std::vector<HostConfig> fiveHosts(int heartbeat) {
    HostConfig config;
    config.heartbeat = heartbeat;
    return std::vector<HostConfig>(hosts, config);
}

/// Five hosts, fifty nodes in ten processes, and one who calls, on the first host.
struct Region {
    explicit Region(int heartbeat) : lab(fiveHosts(heartbeat)) {
        for (std::size_t host = 0; host < hosts; ++host) startProcesses(host);
        for (auto& ofHost : processes) {
            for (auto& process : ofHost) REQUIRE(process->out.waitFor("ready"));
        }
        Options options;
        options.dir = lab[0].daemon().runDir();
        caller.emplace("A", options);
        caller->agent().connect(patience());
        await("fifty nodes", [&] { return caller->agent().nodes("all").size() == allNodes; });
    }

    void startProcesses(std::size_t host) {
        auto& ofHost = processes.emplace_back();
        for (std::size_t number = 0; number < processesPerHost; ++number) {
            std::vector<std::string> arguments{NETCLUSTER_TASK_NODE, lab[host].daemon().runDir()};
            for (std::size_t node = 0; node < nodesPerProcess; ++node) {
                arguments.push_back(lab[host].name() + "-" + std::to_string(number) + "-" +
                                    std::to_string(node));
            }
            ofHost.push_back(std::make_unique<Process>(arguments));
        }
    }

    /// As if its plug were pulled.
    void kill(std::size_t host) {
        for (auto& process : processes[host]) process->signal(SIGKILL);
        Daemon& daemon = lab[host].daemon();
        daemon.process().signal(SIGKILL);
        daemon.process().wait();
        for (const auto& entry : std::filesystem::directory_iterator(daemon.runDir())) {
            if (entry.is_socket()) std::filesystem::remove(entry.path());
        }
    }

    Lab lab;
    std::vector<std::vector<std::unique_ptr<Process>>> processes;
    std::optional<Tasks> caller;
};

std::string milliseconds(std::chrono::microseconds time) {
    const auto hundredths = time.count() / 10;
    const std::string rest = std::to_string(100 + hundredths % 100).substr(1);
    return std::to_string(hundredths / 100) + "." + rest + " ms";
}

/// Calls `echo` on all, one call after the other, or so many at once.
void callAll(Region& region, double loss, std::uint64_t count) {
    for (std::size_t host = 0; host < hosts; ++host) {
        dropAtRandom(region.lab[host].network(), loss);
    }
    std::vector<std::chrono::microseconds> took;
    took.reserve(count);
    std::uint64_t bad = 0;
    std::string firstBad;
    for (std::uint64_t number = 0; number < count; ++number) {
        const auto begin = Clock::now();
        const auto answers = region.caller->call("all", "echo", number, patience()).get();
        took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin));
        bad += answers.size() == allNodes ? 0 : 1;
        for (const Answer& answer : answers) {
            if (answer.ok() && answer.result == number) continue;
            if (bad++ == 0) firstBad = answer.node + ": " + std::string(nameOf(answer.outcome));
        }
    }
    std::uint64_t lost = 0;
    for (std::size_t host = 0; host < hosts; ++host) {
        lost += dropped(region.lab[host].network());
        dropAtRandom(region.lab[host].network(), 0);
    }
    std::sort(took.begin(), took.end());
    const auto at = [&](double share) {
        return milliseconds(
            took[static_cast<std::size_t>(share * static_cast<double>(took.size() - 1))]);
    };
    std::cout << count << " calls of " << allNodes << " nodes on " << hosts << " hosts, " << loss
              << " % of the datagrams dropped (" << lost << "): p50 " << at(0.5) << ", p99 "
              << at(0.99) << ", most " << at(1) << "; answers that are missing or wrong: " << bad
              << std::endl;
    CAPTURE(firstBad);
    CHECK(bad == 0);
    if (loss > 0) CHECK(lost > 0);
}

}  // namespace

TEST_CASE("every node of the region answers every call, whatever the network loses") {
    Region region(0);
    callAll(region, 0, 20);  // until all names are known everywhere
    callAll(region, 0, scaled(fullCount));
    callAll(region, 5, scaled(fullCount));
}

TEST_CASE("a host that dies in the middle of a call: its nodes are lost, the others succeed") {
    constexpr std::chrono::milliseconds heartbeat{200};
    Region region(static_cast<int>(heartbeat.count()));
    std::mutex mutex;
    std::map<std::string, Answer> answers;
    std::promise<void> done;
    region.caller->call(
        "all", "hold", "x", 10 * patience(),
        [&](const Answer& answer) {
            const std::lock_guard lock(mutex);
            answers[answer.node] = answer;
        },
        [&] { done.set_value(); });
    // Once all of them hold it, the last host goes.
    await("all hold it", [&] {
        const auto held = region.caller->call("all", "held", nullptr, patience()).get();
        return std::all_of(held.begin(), held.end(), [](const Answer& answer) {
            return answer.ok() && answer.result == nodesPerProcess;
        });
    });
    const std::string gone = region.lab[hosts - 1].name();
    const auto killed = Clock::now();
    SUBCASE("killed") {
        region.kill(hosts - 1);
    }
    SUBCASE("cut off") {
        region.lab.unplug(region.lab[hosts - 1]);
    }
    region.caller->send("all & !host=" + gone, "go");
    auto ended = done.get_future();
    REQUIRE(ended.wait_for(patience()) == std::future_status::ready);
    const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - killed);
    std::size_t lost = 0;
    for (const auto& [node, answer] : answers) {
        CAPTURE(node);
        CAPTURE(answer.error);
        const bool isGone = answer.host == gone;
        lost += isGone ? 1 : 0;
        CHECK(nameOf(answer.outcome) == (isGone ? "lost" : "success"));
    }
    CHECK(answers.size() == allNodes);
    CHECK(lost == allNodes / hosts);
    std::cout << "a host is lost " << after.count() << " ms after it died, with a heartbeat of "
              << heartbeat.count() << " ms" << std::endl;
    // 5 heartbeats of silence, the one that had just come, and what a busy machine takes.
    CHECK(after <= 6 * heartbeat + 1s * slowness());
}
