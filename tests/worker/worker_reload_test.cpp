// SIGHUP: other scripts, the same worker, no task lost.
#include <csignal>
#include <filesystem>

#include "support.hpp"

using namespace netcluster;
using namespace netcluster::scenario;

namespace {

void writeVersion(const Scratch& scratch, const std::string& version) {
    // At once, as an editor does it: half a file is a file, too.
    const std::string quoted = '"' + version + '"';
    scratch.write("new",
                  "tasks = {}\n"
                  "function tasks.loads() return info().loads end\n"
                  "function tasks.version() return " +
                      quoted +
                      " end\n"
                      "function tasks.later(s) sleep(s) return " +
                      quoted +
                      " end\n"
                      "function finalize() emit('finalized', " +
                      quoted + ") end\n");
    std::filesystem::rename(scratch.file("new"), scratch.file("bootstrap.lua"));
}

}  // namespace

TEST_CASE("new scripts take new tasks, those under way end in the old ones") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    Heard heard(asker, "finalized");
    const Scratch scratch;
    writeVersion(scratch, "one");
    WorkerProcess worker(daemon, {"-id", "w1", "-script", scratch.path()});
    asker.awaitNodes(1);
    auto under = asker.tasks.call("w1", "tasks.later", 1.5, patience());
    CHECK(asker.result("w1", "tasks.version") == "one");

    writeVersion(scratch, "two");
    worker.signal(SIGHUP);
    worker.awaitLog("are loaded anew; 1 calls end in the old ones");
    CHECK(asker.result("w1", "tasks.version") == "two");
    CHECK(under.wait_for(0s) != std::future_status::ready);
    CHECK(under.get().at(0).result == "one");
    CHECK(heard.next("finalized") == "one");
    CHECK(asker.result("w1", "tasks.version") == "two");
    CHECK(asker.result("w1", "tasks.loads") == 2);
}

TEST_CASE("scripts that do not load change nothing, and the log says where") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    const Scratch scratch;
    writeVersion(scratch, "one");
    WorkerProcess worker(daemon, {"-id", "w1", "-script", scratch.path(), "-wall-time", "0.5"});
    asker.awaitNodes(1);
    worker.awaitReady();
    for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
             {"\nx = = 3", "bootstrap.lua:2: unexpected symbol near '='"},
             {"\n\nerror('so')", "bootstrap.lua:3: so"},
             {"while true do end", "bootstrap.lua:1: cut off: "},
             {"require('none')", "none.lua: No such file"},
             {"function init() error('never', 0) end", "stay: init: never"},
             {"\nfunction init() sleep(1000) end",
              "stay: init: bootstrap.lua:2: cut off: not finished after 500 ms (--wall-time 0.5)"},
             {"tasks = 3", "bootstrap.lua: tasks: a number, where a table is wanted"},
             {"schedules = {f = 0}", "bootstrap.lua: schedules[\"f\"]: its period"},
             {"schedules = {f = 1}", "bootstrap.lua: schedules[\"f\"]: there is no function f"},
             {"config.Tasks = {f = {}}",
              "bootstrap.lua: config.Tasks[\"f\"]: there is no function f"},
             {"events = {a = 'f'}", "bootstrap.lua: events[\"a\"]: there is no function f"},
             {"events = {['('] = 'print'}", "bootstrap.lua: events: pattern '(': missing )"}}) {
        CAPTURE(text);
        const std::size_t from = worker.log().size();
        scratch.write("bootstrap.lua", text);
        worker.signal(SIGHUP);
        worker.awaitLog("are not loaded anew, the old ones stay: ", from);
        worker.awaitLog(why, from);
        CHECK(asker.result("w1", "tasks.version") == "one");
        CHECK(asker.result("w1", "tasks.loads") == 1);
    }
}

TEST_CASE("what was left out of schedules is counted on over a reload; wrong options are refused") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    const Scratch scratch;
    const std::string script =
        "tasks = {}\n"
        "function tasks.slow() sleep(0.2) end\n"
        "function tasks.skipped() return info().skipped end\n"
        "function tasks.scoop() emit('x', 1, {scoop = 'host'}) end\n"
        "function tasks.broadcast() emit('x', 1, {broadcast = 1}) end\n"
        "function tasks.send() send('w1', 'x', 1, {scope = 'host'}) end\n"
        "function tasks.call() call('w1', 'x', 1, 1, {}) end\n"
        "function tasks.sleep() sleep() end\n"
        "function tasks.one() callOne('w1', 'x', 1, 1, 'first', 'key', {}) end\n";
    scratch.write("bootstrap.lua", script + "schedules = {['tasks.slow'] = 0.01}");
    WorkerProcess worker(daemon, {"-id", "w1", "-script", scratch.path()});
    asker.awaitNodes(1);
    const auto deadline = Clock::now() + patience();
    while (asker.result("w1", "tasks.skipped").get<int>() < 10) REQUIRE(Clock::now() < deadline);
    scratch.write("bootstrap.lua", script);
    worker.signal(SIGHUP);
    worker.awaitLog("are loaded anew");
    CHECK(asker.result("w1", "tasks.skipped").get<int>() >= 10);

    for (const auto& [name, why] : std::vector<std::pair<std::string, std::string>>{
             {"scoop", "emit: there is no option scoop"},
             {"broadcast", "emit: broadcast is not true or false"},
             {"send", "send: argument 4 is one too many"},
             {"call", "call: argument 5 is one too many"},
             {"sleep", "sleep: argument 1 (seconds) is not a number"},
             {"one", "callOne: argument 7 is one too many"}}) {
        const Json said = asker.result("w1", "tasks." + name);
        CHECK_MESSAGE(contains(said, why), said);
    }
}

TEST_CASE("SIGHUP while init runs: said, and done as soon as it has ended") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    Heard heard(asker, "waits");
    const Scratch scratch;
    const auto write = [&](const std::string& version) {
        scratch.write("new", "tasks = {version = function() return '" + version +
                                 "' end}\n"
                                 "function init() emit('waits', '" +
                                 version + "') callOne('gate', 'open', nil, 20) end\n");
        std::filesystem::rename(scratch.file("new"), scratch.file("bootstrap.lua"));
    };
    // `init` waits until we let it go.
    std::mutex mutex;
    std::condition_variable asked;
    std::vector<Reply> waiting;
    asker.tasks.handleAsync("open", [&](const Task&, Reply reply) {
        const std::lock_guard lock(mutex);
        waiting.push_back(std::move(reply));
        asked.notify_all();
    });
    asker.tasks.agent().registerNode({.id = "gate"}, patience());
    const auto letGo = [&] {
        std::unique_lock lock(mutex);
        REQUIRE(asked.wait_for(lock, patience(), [&] { return !waiting.empty(); }));
        waiting.back().succeed();
        waiting.pop_back();
    };

    write("one");
    WorkerProcess worker(daemon, {"-id", "w1", "-script", scratch.path()});
    CHECK(heard.next("waits") == "one");
    write("two");
    worker.signal(SIGHUP);
    worker.awaitLog("are loaded anew once the worker has started");
    letGo();
    worker.awaitReady();
    CHECK(heard.next("waits") == "two");
    write("three");
    worker.signal(SIGHUP);
    worker.awaitLog("are loaded anew once init of those that are being loaded has ended");
    letGo();
    CHECK(heard.next("waits") == "three");
    letGo();
    const auto deadline = Clock::now() + patience();
    while (asker.result("w1", "tasks.version") != "three") REQUIRE(Clock::now() < deadline);
}

TEST_CASE("a worker that is stopped while init runs stops, and was not wrong") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    Heard heard(asker, "waits");
    const Scratch scratch;
    scratch.write("bootstrap.lua", "function init() emit('waits') sleep(20) end");
    WorkerProcess worker(
        daemon, {"-id", "w1", "-script", scratch.path(), "--grace", "0.2", "-log_level", "debug"});
    heard.next("waits");
    CHECK(worker.stop() == 0);
    worker.awaitLog("1 calls and 0 commands are cut off");
    worker.awaitLog("[debug]   \t[C]: in function 'sleep'\n");  // a line for each of its lines
}

TEST_CASE("many reloads under load lose no task") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    const Scratch scratch;
    writeVersion(scratch, "0");
    WorkerProcess worker(daemon, {"-id", "w1", "-script", scratch.path()});
    asker.awaitNodes(1);
    std::vector<std::future<std::vector<Answer>>> asked;
    for (int round = 1; round <= 10; ++round) {
        for (int i = 0; i < 20; ++i) {
            asked.push_back(asker.tasks.call("w1", i % 4 == 0 ? "tasks.later" : "tasks.version",
                                             0.05, patience()));
        }
        writeVersion(scratch, std::to_string(round));
        worker.signal(SIGHUP);
    }
    for (auto& one : asked) {
        const Answer answer = one.get().at(0);
        CHECK(answer.error == "");
    }
    const auto deadline = Clock::now() + patience();
    while (asker.result("w1", "tasks.version") != "10") REQUIRE(Clock::now() < deadline);
}
