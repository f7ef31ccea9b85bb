// Hosts that come and go, as clients of a daemon are told: docs/wire-protocol.md, "Notices". The
// hosts are daemons of this machine that meet on its loopback interface.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <netcluster/agent.hpp>
#include <set>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

// A port of this test run's own, below those that the system gives out.
std::string linkConfig(const std::string& name, unsigned offset, int heartbeat = 100) {
    const unsigned port = 10'000 + (static_cast<unsigned>(getpid()) * 8 + offset) % 20'000;
    return R"({"connecttonet": true, "addr": "239.255.44.62", "netinterface": "lo", "port": )" +
           std::to_string(port) + R"(, "heartbeat": )" + std::to_string(heartbeat) +
           R"(, "name": ")" + name + '"' +
           R"(, "channels": {"control": {}, "A": {}, "deaf": {"acceptfromnet": false}}})";
}

std::string switchedOff(std::string config) {
    return config.replace(config.find("true"), 4, "false");
}

// Asks until the daemon knows of `count` hosts, itself included; the harness bounds each question.
void awaitHosts(const Daemon& daemon, std::size_t count) {
    const auto deadline = Clock::now() + patience();
    while (daemon.ask("hosts").size() != count) REQUIRE(Clock::now() < deadline);
}

// As `ncctl hosts` tells it.
std::string addressOf(const Daemon& daemon, const std::string& host) {
    for (const Json& entry : daemon.ask("hosts")) {
        if (entry.at("name") == host) return entry.at("address");
    }
    return "unknown";
}

// A raw binary client that asks for notices and is greeted: what it is told up to the answer to its
// sync, in words.
std::vector<std::string> toldAtHello(const Daemon& daemon, const std::string& channel,
                                     std::uint32_t capabilities) {
    Connection connection(daemon.socket(channel));
    netcluster::wire::Hello hello;
    hello.agent = "scenario";
    hello.capabilities = capabilities;
    std::string bytes = greeting(hello);
    netcluster::wire::appendSync(bytes, netcluster::wire::FrameType::sync, 1);
    connection.send(bytes);
    std::string buffer;
    std::size_t used = 0;
    std::vector<std::string> told;
    for (;;) {
        netcluster::wire::FrameView frame;
        // What comes before the preface are JSON packets, for a client that is not decided yet.
        const std::size_t preface = buffer.find(netcluster::wire::preface);
        if (used == 0 && preface != std::string::npos) used = preface + 4;
        const std::string_view rest = std::string_view(buffer).substr(used);
        if (used == 0 ||
            netcluster::wire::nextFrame(rest, 1 << 20, frame) != netcluster::wire::Walk::frame) {
            REQUIRE(connection.receive(buffer));
            continue;
        }
        used += frame.whole.size();
        if (frame.type == netcluster::wire::FrameType::synced) return told;
        if (frame.type == netcluster::wire::FrameType::welcome) {
            const auto welcome = netcluster::wire::readWelcome(frame);
            REQUIRE(welcome);
            told.push_back("welcome " + std::to_string(welcome->capabilities));
        }
        if (frame.type != netcluster::wire::FrameType::event) continue;
        const auto event = netcluster::wire::readEvent(frame);
        REQUIRE(event);
        CHECK(event->channel == channel);
        CHECK(event->flags == 0);
        // When it is known that all are heard depends on when we ask.
        if (event->name == "nc-hosts-known") continue;
        told.push_back(std::string(event->name) + " " +
                       Json::parse(event->payload).at("name").get<std::string>());
    }
}

using Words = std::vector<std::string>;
constexpr std::uint32_t notices = netcluster::wire::noticesCapability;

}  // namespace

TEST_CASE("who asks is told of the hosts that are there, right after the welcome") {
    Daemon alpha(linkConfig("alpha", 0));
    CHECK(toldAtHello(alpha, "A", notices) == Words{"welcome 2"});
    Daemon beta(linkConfig("beta", 0));
    awaitHosts(alpha, 2);
    for (const char* channel : {"A", "deaf", "control"}) {
        CHECK(toldAtHello(alpha, channel, notices) == Words{"welcome 2", "nc-host-online beta"});
        CHECK(toldAtHello(alpha, channel, 0) == Words{"welcome 0"});
    }
}

TEST_CASE("a link that is switched off by a reload takes its hosts along") {
    Daemon alpha(linkConfig("alpha", 1));
    Daemon beta(linkConfig("beta", 1));
    awaitHosts(alpha, 2);
    netcluster::Options options;
    options.dir = alpha.runDir();
    options.poll = true;
    netcluster::Agent agent("A", options);
    std::vector<netcluster::Presence> told;
    agent.onPresence([&](const netcluster::Presence& presence) { told.push_back(presence); });
    agent.connect(patience());
    const auto pollFor = [&](std::size_t count) {
        const auto deadline = Clock::now() + patience();
        while (told.size() < count) {
            REQUIRE(Clock::now() < deadline);
            agent.poll(std::chrono::milliseconds(100));
        }
    };
    pollFor(1);
    CHECK(told[0].kind == netcluster::Presence::Kind::hostOnline);
    CHECK(told[0].name == "beta");
    CHECK(told[0].version != "");
    CHECK(told[0].address == addressOf(alpha, "beta"));

    JsonClient control(alpha.socket("control"));
    control.ask("stats");  // the daemon knows it
    JsonClient onA(alpha.socket("A"));
    BinaryClient sender(alpha.socket("A"));
    alpha.rewriteConfig(switchedOff(linkConfig("alpha", 1)));
    CHECK(alpha.ask("reloadconfig").at("status") == "done");
    Heard heard = control.nextEvent();
    if (heard.event == "nc-hosts-known") heard = control.nextEvent();  // or it came before us
    CHECK(heard.event == "nc-host-expired");
    CHECK(heard.channel == "control");
    CHECK(Json::parse(heard.data).at("name") == "beta");
    CHECK(Json::parse(heard.data).at("why") == "forgotten");
    pollFor(2);
    CHECK(told[1].kind == netcluster::Presence::Kind::hostExpired);
    CHECK(told[1].id == told[0].id);
    CHECK(told[1].reason == "forgotten");
    // A JSON client of a data channel is told nothing of the kind.
    sender.emit("next");
    CHECK(onA.nextEvent().event == "next");
}

TEST_CASE("hosts that come and go are told to control and to who asks, to nobody else") {
    Daemon alpha(linkConfig("alpha", 3));
    JsonListener control(alpha.socket("control"));
    BinaryClient program(alpha.socket("control"), {});
    JsonListener onA(alpha.socket("A"));
    BinaryClient sender(alpha.socket("A"));
    netcluster::Options options;
    options.dir = alpha.runDir();
    options.poll = true;
    netcluster::Agent agent("A", options);
    std::vector<netcluster::Presence> told;
    agent.onPresence([&](const netcluster::Presence& presence) { told.push_back(presence); });
    agent.on(".*", [](const netcluster::Event& event) { FAIL(event.name()); });
    agent.connect(patience());
    const auto hear = [](Client& client, const std::string& event) {
        Heard heard = client.nextEvent();
        if (heard.event == "nc-hosts-known") heard = client.nextEvent();
        CHECK(heard.event == event);
        CHECK(heard.channel == "control");
        CHECK(Json::parse(heard.data).at("name") == "beta");
        return Json::parse(heard.data);
    };
    const auto pollFor = [&](std::size_t count) {
        const auto deadline = Clock::now() + patience();
        while (told.size() < count) {
            REQUIRE(Clock::now() < deadline);
            agent.poll(std::chrono::milliseconds(100));
        }
    };

    auto beta = std::make_unique<Daemon>(linkConfig("beta", 3));
    const Json online = hear(control, "nc-host-online");
    CHECK(hear(program, "nc-host-online") == online);
    for (const char* key : {"id", "name", "address", "version", "session"}) {
        CHECK(online.at(key).get<std::string>() != "");
    }
    pollFor(1);
    CHECK(told[0].id == online.at("id"));
    CHECK(told[0].version == online.at("version"));
    CHECK(told[0].address == addressOf(alpha, "beta"));

    beta.reset();
    CHECK(hear(control, "nc-host-expired").at("why") == "goodbye");
    CHECK(hear(program, "nc-host-expired").at("id") == online.at("id"));
    pollFor(2);
    CHECK(told[1].kind == netcluster::Presence::Kind::hostExpired);
    CHECK(told[1].reason == "goodbye");
    agent.removeAllListeners();
    sender.emit("next");
    CHECK(onA.nextEvent().event == "next");
}

TEST_CASE("after a restart of the daemon the agent tells only what has changed") {
    const Scratch place;
    const auto start = [&] {
        return std::make_unique<Daemon>(linkConfig("alpha", 2, 400),
                                        DaemonOptions{.runDir = place.file("run")});
    };
    auto alpha = start();
    Daemon beta(linkConfig("beta", 2));
    auto gamma = std::make_unique<Daemon>(linkConfig("gamma", 2));
    awaitHosts(*alpha, 3);
    netcluster::Options options;
    options.dir = place.file("run");
    options.poll = true;
    netcluster::Agent agent("A", options);
    std::multiset<std::string> online;
    std::vector<std::string> expired;
    agent.onPresence([&](const netcluster::Presence& presence) {
        if (presence.kind == netcluster::Presence::Kind::hostOnline) {
            online.insert(presence.name);
        } else {
            expired.push_back(presence.name);
        }
    });
    agent.connect(patience());
    agent.poll();
    CHECK(online == std::multiset<std::string>{"beta", "gamma"});
    alpha.reset();
    gamma.reset();
    alpha = start();
    const auto deadline = Clock::now() + patience();
    const auto isGone = [&](const char* name) {
        return std::find(expired.begin(), expired.end(), name) != expired.end();
    };
    while (!isGone("gamma")) {
        REQUIRE(Clock::now() < deadline);
        agent.poll(std::chrono::milliseconds(100));
    }
    CHECK(expired == std::vector<std::string>{"gamma"});
    CHECK(online == std::multiset<std::string>{"beta", "gamma"});
}
