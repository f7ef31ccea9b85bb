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
