// Tasks against real daemons: what a call says of each node, whatever happens to it.
#include "task_hosts.hpp"

using namespace netcluster;
using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

Json add(const Task& task) {
    return task.data().at(0).get<int>() + task.data().at(1).get<int>();
}

std::string callAll(Program& caller, const std::string& target, const std::string& name,
                    const Json& data = nullptr, std::chrono::milliseconds deadline = patience()) {
    return told(caller.call(target, name, data, deadline).get());
}

}  // namespace

TEST_CASE("every node that is meant answers, on this host, on another and in this process") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b", "c"});
    caller.handle("add", add);
    there.handle("add", add);
    caller.awaitNodes(3);
    CHECK(callAll(caller, "all", "add", {2, 3}) == "a: success 5; b: success 5; c: success 5");
    CHECK(callAll(caller, "c:a:c", "add", {2, 3}) == "a: success 5; c: success 5");
    CHECK(callAll(caller, "region=all & !b", "add", {1, 3}) == "a: success 4; c: success 4");
    CHECK(callAll(caller, "region=none", "add").empty());
    CHECK(callAll(caller, "b:nobody:nothing", "add", {2, 3}) ==
          "b: success 5; nobody: unknown node, there is no node or region nobody; "
          "nothing: unknown node, there is no node or region nothing");
}

TEST_CASE("who is asked sees who asks and what") {
    TwoHosts hosts;
    Program caller(hosts.alpha);
    Program there(hosts.beta, {"b"});
    caller.awaitNodes(1);
    there.handle("who", [](const Task& task) -> Json {
        return {task.name(), task.node(), task.host(), task.caller(), task.data()};
    });
    const auto answers = caller.call("b", "who", {{"x", "é"}}, patience()).get();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].result == Json{"who", "b", "alpha", caller.agent().uuid(), {{"x", "é"}}});
    CHECK(answers[0].host == "beta");
    CHECK(answers[0].took > 0us);
}

TEST_CASE("what goes wrong on a node is said in its answer") {
    TwoHosts hosts;
    Program caller(hosts.alpha);
    Program there(hosts.beta, {"b"});
    caller.awaitNodes(1);
    there.handle("throws", [](const Task&) -> Json { throw std::runtime_error("no disk"); });
    there.handle("throws odd", [](const Task&) -> Json { throw 5; });
    there.handle("not text", [](const Task&) -> Json { throw std::runtime_error("\xFF?"); });
    there.handle("bad result", [](const Task&) -> Json { return "\xFF"; });
    there.handleAsync("fails", [](const Task&, const Reply& reply) { reply.fail("later"); });
    there.handleAsync("forgets", [](const Task&, const Reply&) {});
    there.handleAsync("unknown", [](const Task&, const Reply& reply) { reply.unknown(); });
    CHECK(callAll(caller, "b", "throws") == "b: failed, no disk");
    CHECK(callAll(caller, "b", "throws odd") ==
          "b: failed, the function threw something that is not a std::exception");
    CHECK(callAll(caller, "b", "not text") == "b: failed, \uFFFD?");
    CHECK(callAll(caller, "b", "bad result").starts_with("b: failed, the result cannot be sent"));
    CHECK(callAll(caller, "b", "fails") == "b: failed, later");
    CHECK(callAll(caller, "b", "forgets") == "b: failed, the function gave no answer");
    CHECK(callAll(caller, "b", "unknown") == "b: unknown function, there is no function unknown");
    CHECK(callAll(caller, "b", "nothing") == "b: unknown function, there is no function nothing");
    there.handleDefault([](const Task& task, const Reply& reply) { reply.succeed(task.name()); });
    CHECK(callAll(caller, "b", "nothing") == "b: success \"nothing\"");
    CHECK(there.removeHandler("throws"));
    CHECK_FALSE(there.removeHandler("throws"));
    CHECK(callAll(caller, "b", "throws") == "b: success \"throws\"");
}

TEST_CASE("one of several: each way to pick, the turns kept for each target and function") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b", "c"});
    for (Program* program : {&caller, &there}) {
        program->handle("who", [](const Task& task) { return task.node(); });
        program->handle("other", [](const Task& task) { return task.node(); });
    }
    caller.awaitNodes(3);
    const auto one = [&](const char* name, Pick how, std::string_view key = {}) {
        const Answer answer = caller.callOne("all", name, nullptr, patience(), how, key).get();
        CHECK(answer.ok());
        CHECK(answer.result == answer.node);
        return answer.node;
    };
    CHECK(one("who", Pick::first) == "a");
    CHECK(one("who", Pick::last) == "c");
    std::string turns;
    for (int i = 0; i < 4; ++i) turns += one("who", Pick::roundRobin);
    CHECK(turns == "abca");
    CHECK(one("other", Pick::roundRobin) == "a");
    CHECK(one("who", Pick::roundRobin) == "b");
    const std::string sticky = one("who", Pick::sticky, "key");
    CHECK(one("other", Pick::sticky, "key") == sticky);
    for (const Pick how : {Pick::random, Pick::leastLoaded, Pick::leastMemory}) one("who", how);
    CHECK(told({caller.callOne("nobody", "who", nullptr, patience()).get()}) ==
          "nobody: unknown node, no node is meant by nobody");
    CHECK(told({caller.callOne("region=none", "who", nullptr, patience()).get()}) ==
          "region=none: unknown node, no node is meant by region=none");
}

TEST_CASE("one of several means that node, not a region that is named like it") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"all"});
    Program there(hosts.beta, {"b"});
    std::atomic<int> asked{0};
    for (Program* program : {&caller, &there}) {
        program->handle("count", [&](const Task&) { return ++asked; });
    }
    caller.awaitNodes(2);
    CHECK(caller.callOne("all", "count", nullptr, patience(), Pick::first).get().node == "all");
    CHECK(callAll(caller, "all", "count") == "all: success 2; b: success 3");
}

TEST_CASE("done and no answer asked for") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    std::promise<std::string> done;
    there.handle("note", [&](const Task& task) {
        done.set_value(task.id() + "|" + task.data().dump());
        return nullptr;
    });
    caller.awaitNodes(2);
    CHECK(caller.send("b", "note", {1, 2}) == Emitted::accepted);
    auto noted = done.get_future();
    REQUIRE(noted.wait_for(patience()) == std::future_status::ready);
    CHECK(noted.get() == "|[1,2]");
}

TEST_CASE("a call that is none throws, one that cannot be sent is refused") {
    TwoHosts hosts(R"({"propagatetonet": ".*"})", R"(, "maxevent": 1000)");
    Program caller(hosts.alpha, {"a"});
    caller.handle("f", [](const Task&) { return 1; });
    const auto errorOf = [&](std::string_view target, std::string_view name) -> std::string {
        try {
            caller.call(target, name, nullptr, 1s);
        } catch (const Error& error) {
            return error.what();
        }
        return "none";
    };
    CHECK(errorOf("a b", "f") == "'a b' is no target: unexpected at byte 3");
    CHECK(errorOf("!\xFF", "f") == "a target must be UTF-8");
    CHECK(errorOf("", "f") == "'' is no target: a name is missing at byte 1");
    for (const std::string& name :
         {std::string(), std::string("a\nb"), std::string(201, 'x'), std::string("\xFF")}) {
        CHECK(errorOf("a", name) ==
              "the name of a function must be 1 to 200 bytes of UTF-8 without control characters");
    }
    CHECK_THROWS_AS(caller.handle("", [](const Task&) { return 1; }), Error);
    CHECK_THROWS_AS(caller.handle("f", nullptr), Error);
    CHECK(callAll(caller, "a", "f", std::string(2000, 'x')) ==
          "a: refused, event 'task.f': the data has 2002 bytes, more than the daemon takes (1000)");
    caller.agent().disconnect();
    CHECK(errorOf("a", "f") == "channel 'A': not connected");
}

TEST_CASE("rules decide by the names of functions where tasks may go") {
    TwoHosts hosts(R"({"propagatetonet": "task\\.open\\..*|task-reply\\..*"})");
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    for (Program* program : {&caller, &there}) {
        program->handleDefault([](const Task&, const Reply& reply) { reply.succeed(1); });
    }
    caller.awaitNodes(2);
    CHECK(callAll(caller, "all", "open.f") == "a: success 1; b: success 1");
    CHECK(callAll(caller, "all", "closed.f", nullptr, 100ms) ==
          "a: success 1; b: timeout, no answer within 100 ms");
}

TEST_CASE("results of any size come whole") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    Program near(hosts.alpha, {"n"}, {}, "B");
    for (Program* program : {&caller, &there, &near}) {
        program->handle("large", [](const Task& task) {
            Json result = Json::array();
            const auto size = task.data().get<std::size_t>();
            for (std::size_t i = 0; i < size / 100; ++i) {
                result.push_back(std::to_string(i) + "\"\\é" + std::string(90, 'x'));
            }
            return result;
        });
    }
    caller.awaitNodes(3);
    for (const std::size_t size : {1'000, 100'000, 5'000'000 / slowness()}) {
        CAPTURE(size);
        const auto answers = caller.call("a:b", "large", size, 4 * patience()).get();
        REQUIRE(answers.size() == 2);
        for (const Answer& answer : answers) {
            CAPTURE(answer.node);
            CAPTURE(answer.error);
            REQUIRE(answer.ok());
            REQUIRE(answer.result.size() == size / 100);
            CHECK(answer.result.back() ==
                  std::to_string(size / 100 - 1) + "\"\\é" + std::string(90, 'x'));
            CHECK(answer.result == answers[0].result);
        }
    }
}

TEST_CASE("large results find their way through daemons and queues that take little") {
    TwoHosts hosts(R"({"propagatetonet": ".*"})", R"(, "maxevent": 2000)");
    Options options;
    options.queueLimit = 10'000;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"}, options);
    there.handle("large", [](const Task&) { return std::string(100'000, '"'); });
    there.handle("deep", [](const Task&) {
        Json deep;
        for (int i = 0; i < 100; ++i) deep = Json::array({deep});
        return deep;
    });
    caller.awaitNodes(2);
    const auto answers = caller.call("b", "large", nullptr, 4 * patience()).get();
    REQUIRE(answers.size() == 1);
    CAPTURE(answers[0].error);
    CHECK(answers[0].result == std::string(100'000, '"'));
    const auto deep = caller.call("b", "deep", nullptr, patience()).get();
    CHECK(deep[0].ok());
}

TEST_CASE("a result that is too large is an error at once") {
    TwoHosts hosts;
    Program caller(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    there.handle("huge", [](const Task&) { return std::string(256 << 20, 'x'); });
    caller.awaitNodes(2);
    CHECK(callAll(caller, "b", "huge", nullptr, 4 * patience()) ==
          "b: failed, the result has more than 268435456 bytes");
}
