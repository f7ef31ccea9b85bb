// A host that stands still under full load: the others do not wait for it, and it finds back.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "presence.hpp"
#include "printing.hpp"
#include "stream.hpp"

using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

/// A process that stands still as long as this object lives.
class Stopped {
  public:
    explicit Stopped(Process& process) : process_(process) { process_.signal(SIGSTOP); }
    ~Stopped() { process_.signal(SIGCONT); }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;

  private:
    Process& process_;
};

// Events that come in each of `spans` equal spans; their median.
std::uint64_t medianOf(const Collector& collector, int spans) {
    constexpr auto span = 500ms;
    std::vector<std::uint64_t> counts;
    std::uint64_t last = collector.received();
    auto ends = Clock::now();
    for (int n = 0; n < spans; ++n) {
        std::this_thread::sleep_until(ends += span);
        const std::uint64_t now = collector.received();
        counts.push_back(now - last);
        last = now;
    }
    std::nth_element(counts.begin(), counts.begin() + spans / 2, counts.end());
    return counts[static_cast<std::size_t>(spans) / 2];
}

/// One host sends as fast as it can, two listen.
struct Load {
    Load() : lab({config, config, config}) {}

    const HostConfig config{.more = std::string(roomyQueues)};
    Lab lab;
    Emitter emitter{lab[0].socket("A"), "h1", {.size = 1000}};
    Collector other{lab[1].socket("A"), {"h1"}};
    Collector stopped{lab[2].socket("A"), {"h1"}};
};

}  // namespace

TEST_CASE("one of three stands still for 10 s: the other keeps its rate, the stopped one is back") {
    Load load;
    JsonListener first(load.lab[0].socket("control"));
    JsonListener second(load.lab[1].socket("control"));
    Flow flow(load.emitter, 0);
    // The machine's own moods are not the link's: it need not go well each time.
    constexpr int attempts = 3;
    bool kept = false;
    for (int n = 0; n < attempts && !kept; ++n) {
        const std::uint64_t before = medianOf(load.other, 9);
        REQUIRE(before > 0);
        {
            const Stopped still(load.lab[2].daemon().process());
            const std::uint64_t during = medianOf(load.other, 20);
            MESSAGE("events each half second: before " << before << ", meanwhile " << during);
            kept = during * 10 >= before * 9;
            for (JsonListener* control : {&first, &second}) {
                awaitNotice(*control, hostExpired, "h3");
            }
        }
        for (JsonListener* control : {&first, &second}) awaitNotice(*control, hostOnline, "h3");
    }
    CHECK(kept);
    flow.stop();
    settle(load.emitter, {&load.other, &load.stopped});

    const Heardof other = load.other.of("h1");
    CAPTURE(other);
    CHECK(other.missing == 0);
    CHECK(other.repeated == 0);
    CHECK(other.wrong == 0);
    CHECK(load.other.lostAtHome() == 0);

    const Heardof stopped = load.stopped.of("h1");
    const Json gaps = load.lab[2].linkStats().at("gaps");
    CAPTURE(stopped);
    CAPTURE(gaps.dump());
    CHECK(stopped.repeated == 0);
    CHECK(stopped.wrong == 0);
    CHECK(load.stopped.lostAtHome() == 0);
    CHECK(stopped.received + stopped.missing == load.emitter.emitted());
    CHECK(stopped.holes <=
          gaps.at("count").get<std::uint64_t>() + gaps.at("resets").get<std::uint64_t>());
    CHECK(stopped.untold == 0);

    // It hears and is heard like before.
    Emitter back(load.lab[2].socket("A"), "h3");
    Collector hears(load.lab[0].socket("A"), {"h3"});
    back.emit(100);
    settle(back, {&hears});
    CHECK(hears.of("h3").received == 100);
    load.emitter.emit(100);
    settle(load.emitter, {&load.stopped});
    CHECK(load.stopped.of("h1").missing == stopped.missing);
}

TEST_CASE(
    "a sender stands still in the midst of its stream: what follows is in order, none missing") {
    Load load;
    {
        Flow flow(load.emitter, 5000);
        for (int n = 0; n < 5; ++n) {
            std::this_thread::sleep_for(100ms);
            const Stopped still(load.lab[0].daemon().process());
            std::this_thread::sleep_for(n == 4 ? 1000ms : 100ms);  // the last time it is missed
        }
        flow.stop();
    }
    settle(load.emitter, {&load.other, &load.stopped});
    for (const Collector* collector : {&load.other, &load.stopped}) {
        const Heardof heard = collector->of("h1");
        CAPTURE(heard);
        CHECK(heard.received == load.emitter.emitted());
        CHECK(heard.missing == 0);
        CHECK(heard.repeated == 0);
    }
}
