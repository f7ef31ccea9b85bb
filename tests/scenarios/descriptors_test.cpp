// Too many clients: the limit of the configuration, and file descriptors that run out.
#include <doctest/doctest.h>

#include <csignal>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

const std::string config = localConfig(R"("A": {"propagatetochannels": "^B$"}, "B": {}, "C": {})");

const std::string grown = localConfig(R"("A": {}, "B": {}, "C": {}, "D": {}, "E": {})");

struct Starved {
    Starved()
        : daemon(config, {.spawn = {.openFiles = 40}}),
          emitter(daemon.socket("A")),
          onA(daemon.socket("A")),
          onB(daemon.socket("B")),
          onC(daemon.socket("C")),
          control(daemon.socket("control")) {
        CHECK(control.ask("stats").contains("pid"));  // all of them have been accepted
        roundWorks();
        warmUp();
        for (int n = 0; n < 60; ++n) {
            crowd.push_back(std::make_unique<Connection>(daemon.socket("C")));
        }
        daemon.awaitLog("turned a client away");
    }

    /// All that happens later without descriptors, once with them: UBSan opens a pipe when it sees
    /// a virtual type for the first time, and takes the lack of one for a bad object.
    void warmUp() {
        const std::size_t logged = daemon.log().size();
        daemon.process().signal(SIGHUP);
        daemon.awaitLog(" taken: ", logged);
        CHECK(control.ask("reloadconfig", "/no/such/file").contains("error"));
        CHECK(control.ask("showchannel", "missing").contains("error"));
        CHECK(control.ask("reloadconfig", Json::parse(grown)).contains("status"));
        CHECK(control.ask("reloadconfig", Json::parse(config)).contains("status"));
    }

    /// Events go where the rules say: to A and B, not to C.
    void roundWorks() {
        emitter.emit("round");
        CHECK(onA.nextEvent().event == "round");
        CHECK(onB.nextEvent().event == "round");
    }

    Daemon daemon;
    JsonClient emitter;
    JsonClient onA;
    JsonClient onB;
    JsonClient onC;
    JsonClient control;
    std::vector<std::unique_ptr<Connection>> crowd;
};

}  // namespace

TEST_CASE("out of descriptors: it does not spin, those who are there are served, and it recovers") {
    Starved house;
    // It sheds one client a time; while that goes on it must be all but idle.
    const auto busyBefore = house.daemon.processorTime();
    const auto start = Clock::now();
    REQUIRE(house.daemon.process().err.waitForCount("turned a client away", 6));
    for (int n = 0; n < 20; ++n) house.roundWorks();
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    const auto busy = house.daemon.processorTime() - busyBefore;
    CAPTURE(elapsed.count());
    CAPTURE(busy.count());
    CHECK(busy <= elapsed / 2 + std::chrono::milliseconds(50));

    house.crowd.clear();
    // New clients are accepted again as soon as there is room.
    auto until = Clock::now() + patience();
    bool served = false;
    while (!served && Clock::now() < until) {
        try {
            BinaryClient client(house.daemon.socket("A"));
            client.emit("recovered");
            client.sync();
            served = true;
        } catch (const std::exception&) {
            // Shed: it had a place in the queue from before.
        }
    }
    CHECK(served);
    CHECK(house.onA.nextEvent().event == "recovered");
}

TEST_CASE(
    "a reload without descriptors keeps the rules, or applies the new ones; never half of it") {
    Starved house;
    const std::size_t logged = house.daemon.log().size();
    house.daemon.process().signal(SIGHUP);  // the file is unchanged
    REQUIRE(house.daemon.process().err.waitFor("config", logged));
    for (int n = 0; n < 20; ++n) house.roundWorks();
    const Json rules = house.control.ask("showchannel", "A").at("rules");
    CHECK(rules.at("propagatetochannels") == "^B$");
    // A new channel needs a descriptor: refused as a whole, or done.
    const Json answer = house.control.ask("reloadconfig", Json::parse(grown));
    const Json after = house.control.ask("showconfig").at("channels");
    CHECK(after.contains("D") == answer.contains("status"));
    CHECK(after.at("A").at("propagatetochannels") ==
          (answer.contains("status") ? Json(false) : Json("^B$")));
}

TEST_CASE("maxclients: one more is told so and turned away; when one goes the next is served") {
    Daemon daemon(localConfig(R"("A": {})", R"("maxclients": 3)"));
    JsonClient one(daemon.socket("A"));
    auto two = std::make_unique<BinaryClient>(daemon.socket("A"));
    JsonClient three(daemon.socket("control"));
    CHECK(three.ask("stats").at("clients") == 3);
    for (int n = 0; n < 5; ++n) {
        JsonClient four(daemon.socket("A"));
        CHECK(four.reasonOfEnd().find("as many clients as it may") != std::string::npos);
    }
    daemon.awaitLog("maxclients");
    two.reset();
    // Its end is noticed before the next question is answered, or soon after.
    while (three.ask("stats").at("clients") != 2) {
    }
    JsonClient next(daemon.socket("A"));
    next.emit("x");
    CHECK(one.nextEvent().event == "x");
}

TEST_CASE("clients that come and go by the thousand leave nothing behind") {
    Daemon daemon(config);
    JsonClient control(daemon.socket("control"));
    JsonClient listener(daemon.socket("A"));
    for (int n = 0; n < 1500; ++n) {
        JsonClient client(daemon.socket("A"));
        client.emit("n", std::to_string(n));
        REQUIRE(listener.nextEvent().data == std::to_string(n));
    }
    while (control.ask("stats").at("clients") != 2) {
    }
    CHECK(control.ask("stats").at("queued").get<std::size_t>() < 4096);
    CHECK(control.ask("showchannel", "A").at("received") == 1500);
}
