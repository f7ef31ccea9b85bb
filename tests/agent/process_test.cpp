// Agents of one process that share a channel: no daemon, no socket.
#include <doctest/doctest.h>

#include <netcluster/agent.hpp>
#include <optional>

#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;

namespace {

// A directory of its own for each test, so that no daemon and no other test is met.
Options in(const std::string& dir) {
    Options options;
    options.dir = "/nonexistent/" + dir;
    return options;
}

Json nested(int depth) {
    Json value = 1;
    for (int i = 0; i < depth; ++i) value = Json::array({value});
    return value;
}

}  // namespace

TEST_CASE("agents of one channel and directory hear each other before emit returns") {
    Agent first("A", in("share"));
    Agent second("A", in("share"));
    Agent elsewhere("A", in("elsewhere"));
    Agent otherChannel("B", in("share"));
    std::string log;
    second.on("sensor\\..*", [&](const Event& event) {
        log += std::string(event.name()) + "=" + event.data().dump() + "@" +
               std::string(event.channel());
        CHECK(event.fromThisProcess());
    });
    elsewhere.on(".*", [&](const Event&) { log += "no"; });
    otherChannel.on(".*", [&](const Event&) { log += "no"; });

    CHECK(first.emit("sensor.temperature", {{"celsius", 21.5}}) == Emitted::accepted);
    CHECK(log == R"(sensor.temperature={"celsius":21.5}@A)");
    first.emit("other");
    CHECK(log == R"(sensor.temperature={"celsius":21.5}@A)");
}

TEST_CASE("listeners of all agents run in the order they were registered") {
    Agent first("A", in("order"));
    Agent second("A", in("order"));
    std::string log;
    first.on("a", [&](const Event&) { log += "1"; });
    second.on("a", [&](const Event&) { log += "2"; });
    first.on(".*", [&](const Event&) { log += "3"; });
    second.emit("a");
    CHECK(log == "123");
}

TEST_CASE("an agent hears itself unless it asked not to") {
    Agent agent("A", in("own"));
    Agent other("A", in("own"));
    std::string log;
    agent.on("a", [&](const Event&) { log += "own "; });
    agent.on("a", [&](const Event&) { log += "skipped "; }, {.skipOwn = true});
    agent.emit("a");
    CHECK(log == "own ");
    other.emit("a");
    CHECK(log == "own own skipped ");
}

TEST_CASE("bytes arrive as they are") {
    Agent agent("A", in("bytes"));
    std::string heard;
    agent.on("blob", [&](const Event& event) {
        REQUIRE(event.isBytes());
        heard.assign(reinterpret_cast<const char*>(event.bytes().data()), event.bytes().size());
    });
    const std::string_view bytes("\x00\x01\xfe", 3);
    agent.emitBytes("blob", std::as_bytes(std::span(bytes)));
    CHECK(heard == bytes);
}

TEST_CASE("ids and where to answer are passed on as they are") {
    Agent agent("A", in("address"));
    agent.on("ask", [&](const Event& event) {
        CHECK(event.broadcast());
        agent.emit(event.replyTo(), event.data(), {.id = event.id()});
    });
    std::string answer;
    agent.on("answer", [&](const Event& event) { answer = event.id(); });
    agent.emit("ask", 1, {.broadcast = true, .id = "42", .replyTo = "answer"});
    CHECK(answer == "42");
}

TEST_CASE("an event for somebody is not heard in a process that is no node") {
    Agent agent("A", in("to"));
    int heard = 0;
    agent.on("x", [&](const Event&) { ++heard; });
    for (const char* to : {"web", "*", "!web", "region=eu", "client=", "!client=7"}) {
        CAPTURE(to);
        if (std::string(to) == "client=") {
            CHECK_THROWS_AS(agent.emit("x", 1, {.to = to}), Error);
        } else {
            CHECK(agent.emit("x", 1, {.to = to}) == Emitted::accepted);
        }
    }
    CHECK(heard == 1);  // whoever is not client 7
    CHECK(contains(errorOf([&] { agent.emit("x", 1, {.to = "a b"}); }), "is no target"));
    CHECK_THROWS_AS(agent.emitBytes("x", {}, {.to = "("}), Error);
    CHECK(heard == 1);
}

TEST_CASE("counts, names and removing concern the agent's own listeners") {
    Agent agent("A", in("count"));
    Agent other("A", in("count"));
    const auto nothing = [](const Event&) {};
    const Listener b = agent.on("b", nothing);
    agent.on("a", nothing);
    agent.once("b", nothing);
    const Listener foreign = other.on("b", nothing);

    CHECK(agent.listenerCount() == 3);
    CHECK(agent.listenerCount("b") == 2);
    CHECK(agent.listenerCount("c") == 0);
    CHECK(agent.eventNames() == std::vector<std::string>{"b", "a"});
    CHECK_FALSE(agent.removeListener(foreign));
    CHECK_FALSE(agent.removeListener("a", b));
    CHECK(agent.removeListener("b", b));
    agent.removeAllListeners("b");
    CHECK(agent.eventNames() == std::vector<std::string>{"a"});
    agent.removeAllListeners();
    CHECK(agent.listenerCount() == 0);
    CHECK(other.listenerCount() == 1);
}

TEST_CASE("what cannot travel is refused before anybody hears it") {
    Agent agent("A", in("refuse"));
    int heard = 0;
    agent.on(".*", [&](const Event&) { ++heard; });
    CHECK(contains(errorOf([&] { agent.emit("nc-host-online"); }), "reserved"));
    CHECK_THROWS_AS(agent.emit(""), Error);
    CHECK_THROWS_AS(agent.emit(std::string(256, 'x')), Error);
    CHECK_THROWS_AS(agent.emit("\xc3"), Error);
    CHECK_THROWS_AS(agent.emit("a", nested(33)), Error);
    CHECK_THROWS_AS(agent.emit("a", "\xff"), Error);
    CHECK_THROWS_AS(agent.emit("a", std::string(std::size_t{5} << 20, 'x')), Error);
    const std::vector<std::byte> large(std::size_t{5} << 20);
    CHECK_THROWS_AS(agent.emitBytes("a", large), Error);
    CHECK_THROWS_AS(agent.emit("a", 1, {.to = std::string(2000, 'x')}), Error);
    CHECK(heard == 0);

    agent.emit("a", nested(32));
    agent.emitBytes("a", large, {.scope = Scope::process});
    CHECK(heard == 2);
    Agent control("control", in("refuse"));
    CHECK_NOTHROW(control.emit("nc-control-stats"));
}

TEST_CASE("what is wrong with an agent is said when it is made") {
    CHECK(contains(errorOf([] { Agent agent("../A"); }), "'../A' is not a channel name"));
    CHECK_THROWS_AS(Agent("", {}), Error);
    Options options = in("wrong");
    options.poll = true;
    options.executor = [](std::function<void()> task) { task(); };
    CHECK(contains(errorOf([&] { Agent agent("A", options); }), "exclude"));
    options = in("wrong");
    options.name = "\xff";
    CHECK_THROWS_AS(Agent("A", options), Error);
    Agent agent("A", in("wrong"));
    CHECK_THROWS_AS(agent.poll(), Error);
    CHECK(contains(errorOf([&] { agent.on("*", [](const Event&) {}); }), "no argument"));
}

TEST_CASE("a listener that throws is reported to its own agent, where it threw") {
    Agent agent("A", in("throw"));
    Agent other("A", in("throw"));
    std::string report;
    std::string otherReport;
    agent.onError([&](const std::string& what) { report = what; });
    other.onError([&](const std::string& what) { otherReport = what; });
    agent.on("a", [](const Event&) { throw Error("no luck"); });
    CHECK(other.emit("a") == Emitted::accepted);
    CHECK(report == "a listener of 'a' threw on event 'a': no luck");
    CHECK(otherReport.empty());
}

TEST_CASE("an error handler that throws is survived") {
    Agent agent("A", in("throw twice"));
    agent.onError([](const std::string& what) { throw Error(what); });
    agent.on("a", [](const Event&) { throw Error("this line on stderr is part of the test"); });
    CHECK_NOTHROW(agent.emit("a"));
}

TEST_CASE("an agent that goes takes its listeners with it") {
    Agent agent("A", in("go"));
    std::string log;
    {
        Agent passing("A", in("go"));
        passing.on("a", [&](const Event&) { log += "x"; });
        agent.emit("a");
    }
    agent.emit("a");
    CHECK(log == "x");
}

TEST_CASE("a listener may let go of the agent it belongs to, even the last of the channel") {
    std::optional<Agent> agent(std::in_place, "A", in("self"));
    std::string log;
    agent->on("a", [&](const Event& event) {
        agent.reset();
        log += "alive on " + std::string(event.channel());
    });
    agent->on("a", [&](const Event&) { log += "never"; });
    agent->emit("a");
    CHECK(log == "alive on A");
    CHECK_FALSE(agent);
}

TEST_CASE("waiting functions refuse to be called from a listener") {
    Agent agent("A", in("inside"));
    std::string connecting;
    std::string syncing;
    agent.on("a", [&](const Event&) {
        connecting = errorOf([&] { agent.connect(); });
        syncing = errorOf([&] { agent.sync(); });
    });
    agent.emit("a");
    CHECK(contains(connecting, "must not be called from a listener"));
    CHECK(contains(syncing, "must not be called from a listener"));
}

TEST_CASE("before the first connect there is nothing to be told") {
    Agent agent("A", in("before"));
    CHECK_FALSE(agent.connected());
    CHECK(agent.uuid().empty());
    CHECK(agent.host().empty());
    CHECK(agent.channel() == "A");
    CHECK(contains(errorOf([&] { agent.sync(); }), "not connected"));
    CHECK_NOTHROW(agent.disconnect());
}
