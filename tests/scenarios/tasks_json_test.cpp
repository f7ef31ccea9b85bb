// Tasks of plain JSON clients, in the forms of Gleam and Z-Node, and what they are answered.
#include "task_hosts.hpp"

using namespace netcluster;
using namespace netcluster::scenario;

namespace {

struct Asker {
    explicit Asker(const Daemon& daemon) : client(daemon.socket("A")) {}
    /// The answer, as far as it does not change from run to run.
    std::string ask(const std::string& event, const Json& data, const EmitWith& how) {
        client.emit(event, data.dump(), how);
        return next();
    }
    std::string next() {
        for (;;) {
            const Heard heard = client.nextEvent();
            if (!heard.event.starts_with("task-reply")) continue;
            return heard.event + " " + heard.id + " " + heard.data;
        }
    }
    JsonListener client;
};

}  // namespace

TEST_CASE("Gleam's and Z-Node's forms are done and answered, on this host and another") {
    TwoHosts hosts;
    Program here(hosts.alpha, {"a"});
    Program there(hosts.beta, {"b"});
    for (Program* program : {&here, &there}) {
        program->handle("sum", [](const Task& task) -> Json {
            int sum = 0;
            for (const Json& number : task.data()) sum += number.get<int>();
            return {{"sum", sum}};
        });
    }
    here.awaitNodes(2);
    there.awaitNodes(2);
    Asker asker(hosts.alpha);
    for (const char* node : {"a", "b"}) {
        const std::string result =
            std::string(R"( 7 {"node":")") + node + R"(","result":{"sum":5}})";
        const EmitWith how{.to = node, .id = "7"};
        CHECK(asker.ask("task", {{"Name", "sum"}, {"Data", {2, 3}}}, how) == "task-reply" + result);
        CHECK(asker.ask("task", {{"Name", "sum"}, {"Params", {2, 3}}}, how) ==
              "task-reply" + result);
        CHECK(asker.ask("task.sum", {2, 3}, {.to = node, .id = "7", .replyTo = "client"}) ==
              "task-reply.sum" + result);
    }
    const EmitWith how{.to = "b", .id = "x"};
    CHECK(asker.ask("task", {{"Name", "nothing"}}, how) ==
          R"(task-reply x {"error":{"code":"unknown function","message":)"
          R"("there is no function nothing"},"node":"b"})");
    CHECK(asker.ask("task", {{"Name", "sum"}, {"Data", {"text"}}}, how)
              .starts_with(R"(task-reply x {"error":{"code":"failed","message":"[json)"));
}

TEST_CASE("a task that is broken is answered with what is wrong, if somebody can be told") {
    TwoHosts hosts;
    Program there(hosts.beta, {"b"});
    std::mutex mutex;
    std::vector<std::string> reported;
    there.agent().onError([&](const std::string& what) {
        const std::lock_guard lock(mutex);
        reported.push_back(what);
    });
    there.handle("f", [](const Task&) { return 1; });
    Asker asker(hosts.beta);
    const auto wrong = [](const std::string& start, const std::string& what) {
        return start + R"( {"error":{"code":"failed","message":")" + what + R"("},"node":"b"})";
    };
    const EmitWith how{.to = "b", .id = "7"};
    CHECK(asker.ask("task", 5, how) ==
          wrong("task-reply 7", "the data of a task must be an object with a Name"));
    CHECK(asker.ask("task", {{"name", "f"}}, how) ==
          wrong("task-reply 7", "a task needs a Name of 1 to 200 bytes"));
    CHECK(asker.ask("task", {{"Name", "f"}}, {.id = "7"}) ==
          wrong("task-reply 7", R"(a task needs a target in \"to\")"));
    CHECK(asker.ask("task.f", 5, {.to = "b", .replyTo = "client"}) ==
          wrong("task-reply.f ", "a task that is to be answered needs an id"));

    // Nobody waits for an answer: reported, once for each who does that.
    const EmitWith noAnswer{.to = "b"};
    for (int i = 0; i < 3; ++i) asker.client.emit("task", "5", noAnswer);
    asker.client.emit("task", R"({"Name": "f"})", noAnswer);
    asker.client.emit("task.f", "5");  // for nobody, so no task
    CHECK(asker.ask("task", {{"Name", "f"}}, how) == R"(task-reply 7 {"node":"b","result":1})");
    const std::lock_guard lock(mutex);
    REQUIRE(reported.size() == 1);
    CHECK(reported[0].find("was not done: the data of a task must be an object") !=
          std::string::npos);
}

TEST_CASE("a plain client that is a node is asked and answers") {
    TwoHosts hosts;
    Program caller(hosts.alpha);
    JsonListener node(hosts.beta.socket("A"));
    node.emit("nc-node-register", R"({"id": "shell"})");
    caller.awaitNodes(1);
    const auto answer = [&](const std::string& data) {
        auto answers = caller.call("shell", "f", 5, patience());
        for (;;) {
            const Heard task = node.nextEvent();
            if (task.event != "task.f" || task.to != "shell") continue;
            CHECK(task.data == "5");
            CHECK(task.replyTo == "client");
            node.emit("task-reply.f", data, {.to = "client=" + task.sender, .id = task.id});
            // Late, and of somebody who was not asked.
            node.emit("task-reply.f", data, {.to = "client=" + task.sender, .id = task.id});
            node.emit("task-reply.f", R"({"node":"other","result":1})",
                      {.to = "client=" + task.sender, .id = task.id});
            return told(answers.get());
        }
    };
    CHECK(answer(R"({"node":"shell","result":6})") == "shell: success 6");
    CHECK(answer(R"({"node":"shell","error":{"message":"no"}})") == "shell: failed, no");
    CHECK(answer(R"({"node":"shell"})") == "shell: failed, its answer is not one");
    CHECK(answer(R"({"node":"shell","part":1,"parts":3,"text":"x"})") ==
          "shell: failed, piece 1 of its result is lost");
    CHECK(answer(R"({"node":"shell","part":0,"parts":1,"text":"{"})") ==
          "shell: failed, its result is not JSON");
    CHECK(answer(R"({"node":"shell","part":0,"parts":1,"text":"[7]"})") == "shell: success [7]");
}
