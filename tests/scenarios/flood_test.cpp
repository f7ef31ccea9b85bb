// 200,000 events from 4 emitters to 4 listeners at full speed, each an agent in a process of its
// own: none lost, none doubled, each emitter's order kept. Two listeners sit on another channel.
#include <doctest/doctest.h>

#include "harness.hpp"

using namespace netcluster::scenario;

namespace {

constexpr int emitters = 4;
constexpr long each = 50000;

std::unique_ptr<Process> agent(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), NETCLUSTER_FLOOD_AGENT);
    return std::make_unique<Process>(std::move(arguments));
}

}  // namespace

TEST_CASE("200,000 events from 4 emitters to 4 listeners: none lost, none doubled, in order") {
    // Under sanitizers nine busy processes may well pause one of them for longer than 250 ms.
    Daemon daemon(localConfig(R"("A": {"propagatetochannels": "^B$"}, "B": {})",
                              slowness() > 1 ? R"("stalltimeout": 10000)" : ""));
    std::vector<std::unique_ptr<Process>> listeners;
    for (const char* channel : {"A", "B", "A", "B"}) {
        listeners.push_back(agent({"listen", daemon.runDir(), channel, std::to_string(emitters)}));
    }
    for (auto& listener : listeners) {
        REQUIRE_MESSAGE(listener->out.waitFor("ready\n"), listener->err.text());
    }
    std::vector<std::unique_ptr<Process>> emitting;
    for (int n = 1; n <= emitters; ++n) {
        emitting.push_back(
            agent({"emit", daemon.runDir(), "A", std::to_string(n), std::to_string(each)}));
    }
    const auto until = Clock::now() + 4 * patience();
    for (auto& emitter : emitting) {
        while (!emitter->err.waitForEnd() && Clock::now() < until) {
        }
        CHECK_MESSAGE(emitter->wait() == 0, emitter->err.text());
    }
    const std::string expected =
        "received " + std::to_string(emitters * each) + " wrong 0 gaps 0\n";
    for (auto& listener : listeners) {
        while (!listener->err.waitForEnd() && Clock::now() < until) {
        }
        CHECK_MESSAGE(listener->wait() == 0, listener->err.text());
        REQUIRE(listener->out.waitForEnd());
        CHECK(listener->out.text() == "ready\n" + expected);
    }
    CHECK(daemon.ask("showchannel", "A").at("dropped") == 0);
    CHECK(daemon.ask("showchannel", "B").at("dropped") == 0);
}
