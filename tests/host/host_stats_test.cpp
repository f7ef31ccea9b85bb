#include "host_stats.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace netcluster::daemon;

TEST_CASE("the system says how loaded it is") {
    const HostStats stats = readHostStats();
    CHECK(stats.load >= 0);
    CHECK(stats.cpus >= 1);
    CHECK(stats.memoryTotal > 0);
    CHECK(stats.memoryAvailable > 0);
    CHECK(stats.memoryAvailable <= stats.memoryTotal);
    CHECK(stats.rss > 0);
    CHECK(stats.rss < stats.memoryTotal);
}

TEST_CASE("memory that this process takes shows in its own") {
    constexpr std::size_t taken = std::size_t{64} << 20;
    const std::uint64_t before = readHostStats().rss;
    const std::vector<char> memory(taken, 'x');
    CHECK(readHostStats().rss >= before + memory.size() / 2);
}
