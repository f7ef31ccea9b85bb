// What nobody else wants is not sent; and that is never believed a moment too long.
#include <doctest/doctest.h>

#include <atomic>
#include <netcluster/agent.hpp>
#include <thread>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster;
using namespace netcluster::scenario;

namespace {

const std::string config = localConfig(R"("A": {}, "B": {"propagatetochannels": false})");
const std::string opened = localConfig(R"("A": {"propagatetochannels": "^B$"}, "B": {})");

struct Connected {
    explicit Connected(const Daemon& daemon, const std::string& channel = "A")
        : agent(channel, at(daemon.runDir())) {
        agent.connect(patience());
    }
    static Options at(const std::string& runDir) {
        Options options;
        options.dir = runDir;
        return options;
    }
    // Emits it, and learns what the daemon has to say to that.
    void learn(const std::string& event) {
        agent.emit(event);
        agent.sync(patience());
    }
    Agent agent;
};

std::uint64_t received(const Daemon& daemon) {
    return daemon.ask("stats").at("channels").at("A").at("received").get<std::uint64_t>();
}

}  // namespace

TEST_CASE("an event nobody else wants is sent once") {
    Daemon daemon(config);
    Connected here(daemon);
    int heard = 0;
    here.agent.on("quiet", [&](const Event&) { ++heard; });
    here.agent.sync(patience());
    here.learn("quiet");
    for (int n = 0; n < 1000; ++n) CHECK(here.agent.emit("quiet") == Emitted::accepted);
    const std::byte bytes[3]{};
    here.agent.emitBytes("quiet", bytes);
    here.agent.sync(patience());
    CHECK(received(daemon) == 1);
    CHECK(heard == 1002);

    // How far it goes is part of the question.
    here.agent.emit("quiet", 1, {.broadcast = true});
    here.agent.sync(patience());  // one notice in a turn
    here.agent.emit("quiet", 1, {.scope = Scope::host});
    here.agent.sync(patience());
    CHECK(received(daemon) == 3);
    here.agent.emit("quiet", 1, {.broadcast = true});
    here.agent.emit("quiet", 1, {.scope = Scope::host});
    here.agent.emit("quiet");
    here.agent.sync(patience());
    CHECK(received(daemon) == 3);
}

TEST_CASE("each name is learnt by itself, and a thread that comes later knows it too") {
    Daemon daemon(config);
    Connected here(daemon);
    const auto emitAll = [&] {
        for (int n = 0; n < 50; ++n) {
            here.agent.emit("n" + std::to_string(n));
            here.agent.sync(patience());
        }
    };
    emitAll();
    std::thread(emitAll).join();
    emitAll();
    CHECK(received(daemon) == 50);
}

TEST_CASE("a listener that is there when its sync is answered hears every later event") {
    Daemon daemon(config);
    Connected here(daemon);
    BinaryClient listener(daemon.socket("A"), {});
    for (int n = 0; n < 300; ++n) {
        const std::string event = "n" + std::to_string(n);
        here.learn(event);
        listener.subscribe(event);
        listener.sync();
        here.agent.emit(event);
        CHECK(listener.nextEvent().event == event);
    }
}

TEST_CASE("also when it comes and goes while another thread emits all the time") {
    Daemon daemon(config);
    Connected here(daemon);
    std::atomic<std::uint64_t> last{0};
    std::atomic<bool> done{false};
    std::thread emitting([&] {
        for (std::uint64_t n = 1; !done; ++n) {
            while (here.agent.emit("count", n) == Emitted::queueFull) std::this_thread::yield();
            last = n;
        }
    });
    for (int round = 0; round < 200; ++round) {
        BinaryClient listener(daemon.socket("A"), {"count"});
        // The one that is being emitted now may have been looked at before; the next may not.
        const std::uint64_t due = last + 2;
        std::uint64_t number = 0;  // those before it may have been emitted before the sync
        while (number < due) number = std::stoull(listener.nextEvent().data);
        CHECK(number == due);
    }
    done = true;
    emitting.join();
}

TEST_CASE("JSON clients, agents of other processes and rules count as well") {
    Daemon daemon(config);
    Connected here(daemon);
    here.learn("e");
    {
        JsonListener listener(daemon.socket("A"));
        here.agent.emit("e");
        CHECK(listener.nextEvent().event == "e");
    }
    BinaryClient neighbour(daemon.socket("B"), {"e"});
    here.learn("e");
    here.agent.emit("e");
    daemon.ask("reloadconfig", Json::parse(opened));
    here.agent.emit("e", "now");
    CHECK(neighbour.nextEvent().data == "\"now\"");
}

TEST_CASE("nothing that was learnt of one daemon is believed of the next") {
    const Scratch scratch;
    const std::string runDir = scratch.file("run");
    auto daemon = std::make_unique<Daemon>(config, DaemonOptions{.runDir = runDir});
    Connected here(*daemon);
    here.learn("e");
    for (int round = 0; round < 3; ++round) {
        daemon.reset();
        here.agent.emit("e", round);  // kept for whoever comes
        daemon = std::make_unique<Daemon>(config, DaemonOptions{.runDir = runDir});
        BinaryClient listener(daemon->socket("A"), {"e"});
        here.agent.connect(patience());
        here.agent.emit("e", "after");
        Heard heard = listener.nextEvent();
        if (heard.data == std::to_string(round)) heard = listener.nextEvent();
        CHECK(heard.data == "\"after\"");
    }
}
