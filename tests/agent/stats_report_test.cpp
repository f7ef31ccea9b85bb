#include "stats_report.hpp"

#include <doctest/doctest.h>

using namespace netcluster;
using namespace std::chrono_literals;

TEST_CASE("the load is over the time since the last report, at first since the process began") {
    StatsReport report;
    ProcessStats now;
    now.processorTime = 3s;
    now.uptime = 10s;
    now.memory = 4096;
    now.hostLoad = 1.23456;
    now.cpus = 4;
    Json told = report.next(now);
    CHECK(told.at("load") == 0.3);
    CHECK(told.at("uptime") == 10);
    CHECK(told.at("memory") == 4096);
    CHECK(told.at("hostload") == 1.235);
    CHECK(told.at("cpus") == 4);
    now.processorTime += 1500ms;
    now.uptime += 1s;
    now.hostLoad.reset();
    told = report.next(now);
    CHECK(told.at("load") == 1.5);
    CHECK_FALSE(told.contains("hostload"));
    CHECK(report.next(now).at("load") == 0);  // no time has passed
}

TEST_CASE("the system says how this process is doing") {
    const ProcessStats before = processStats();
    CHECK(before.memory > 100'000);
    CHECK(before.cpus > 0);
    CHECK(before.uptime >= 0ms);
    CHECK(before.uptime < 1h);
    volatile unsigned work = 0;
    while (processStats().processorTime < before.processorTime + 20ms) work = work + 1;
    CHECK(processStats().uptime > before.uptime);
}
