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
}

TEST_CASE("scripts that do not load change nothing, and the log says where") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    const Scratch scratch;
    writeVersion(scratch, "one");
    WorkerProcess worker(daemon, {"-id", "w1", "-script", scratch.path()});
    asker.awaitNodes(1);
    worker.awaitReady();
    for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
             {"\nx = = 3", "bootstrap.lua:2: unexpected symbol near '='"},
             {"\n\nerror('so')", "bootstrap.lua:3: so"},
             {"while true do end", "bootstrap.lua:1: cut off: "},
             {"require('none')", "none.lua: No such file"},
             {"function init() error('never', 0) end", "init: never"},
             {"schedules = {f = 0}", "schedules: f: its period"},
             {"events = {['('] = 'f'}", "missing )"}}) {
        CAPTURE(text);
        const std::size_t from = worker.log().size();
        scratch.write("bootstrap.lua", text);
        worker.signal(SIGHUP);
        worker.awaitLog("are not loaded anew, the old ones stay: ", from);
        worker.awaitLog(why, from);
        CHECK(asker.result("w1", "tasks.version") == "one");
    }
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
