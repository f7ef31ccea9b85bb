// The example of docs/examples/worker, as it is, on a real daemon.
#include <csignal>

#include "support.hpp"

using namespace netcluster;
using namespace netcluster::scenario;
using Became = Answer::Outcome;

namespace {

std::vector<std::string> example(const std::string& id, std::vector<std::string> more = {}) {
    more.insert(more.end(),
                {"-id", id, "-region", "shop:eu", "-script", NETCLUSTER_WORKER_EXAMPLE});
    return more;
}

int timesIn(const std::string& text, const std::string& part) {
    int count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

}  // namespace

TEST_CASE("the example: tasks, hooks, schedules, events, errors") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    Heard heard(asker, "shop\\..*");
    WorkerProcess one(daemon, example("shelf-1"));
    one.awaitLog("script: shelf-1 of shop, eu begins");
    CHECK(heard.next("shop.opened") == Json{{"id", "shelf-1"}});
    one.awaitReady();
    asker.awaitNodes(1);

    CHECK(asker.result("shelf-1", "tasks.test1", {{"price", 10}, {"pieces", 4}}) ==
          Json{{"total", 40}, {"by", "shelf-1"}});
    CHECK(asker.result("eu", "tasks.later", 0.01) == "after 0.01 s");
    const Json me = asker.result("shelf-1", "utils.whoami");
    CHECK(me.at("regions") == Json{"shop", "eu"});

    // A region that asks its own region: each worker goes on while it waits.
    {
        WorkerProcess two(daemon, example("shelf-2"));
        asker.awaitNodes(2);
        two.awaitReady();
        for (const Answer& answer : asker.all("shop", "tasks.test2", {{"price", 3}})) {
            CHECK(answer.error == "");
            CHECK(answer.result == 6);
        }
    }
    CHECK(heard.next("shop.closing") == Json{{"id", "shelf-2"}});
    asker.awaitNodes(1);

    // What fails: the caller is told, onError as well, and the worker goes on.
    const Answer failed = asker.ask("shelf-1", "tasks.fail");
    CHECK(failed.outcome == Became::failed);
    CHECK(failed.error == "tasks.lua:29: this is test number three");
    Json error = heard.next("shop.error");
    CHECK(error.at("kind") == "task");
    CHECK(error.at("name") == "tasks.fail");
    CHECK(error.at("message") == failed.error);
    CHECK(asker.result("shelf-1", "tasks.test1") == "price is missing");
    const Answer endless = asker.ask("shelf-1", "tasks.endless");
    CHECK(endless.outcome == Became::failed);
    CHECK(contains(endless.error, "tasks.lua:34: cut off: "));
    const Json host = asker.tasks.agent().host();
    CHECK(asker.result("shelf-1", "utils.whoami").at("host") == host);

    // A task that nobody has, and one that is not for others.
    CHECK(asker.result("shelf-1", "tasks.none", 5) == Json{{"unknown", "tasks.none"}, {"data", 5}});
    CHECK(asker.result("shelf-1", "utils.count", "x") ==
          Json{{"unknown", "utils.count"}, {"data", "x"}});

    const int beats = heard.next("shop.heartbeat").at("beats").get<int>();
    CHECK(heard.next("shop.heartbeat").at("beats") == beats + 1);
    asker.tasks.agent().emit("shop.delivered", {{"pieces", 12}});
    const auto deadline = Clock::now() + patience();
    Json stock;
    do {
        REQUIRE(Clock::now() < deadline);
        stock = asker.result("shelf-1", "tasks.stock");
    } while (stock.at("delivered") != 12);
    CHECK(stock.at("worker").at("cut") == 1);

    const std::size_t from = one.log().size();
    CHECK(one.stop() == 0);
    one.awaitLog("script: shelf-1 has ended", from);
    CHECK(heard.next("shop.closing") == Json{{"id", "shelf-1"}});
    asker.awaitNodes(0);
}

TEST_CASE("tasks in the forms of Gleam and Z-Node are done by scripts too") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    Heard heard(asker, "task-reply.*");
    WorkerProcess worker(daemon, example("shelf-1"));
    asker.awaitNodes(1);
    asker.tasks.agent().emit("task", {{"Name", "tasks.test1"}, {"Data", {{"price", 2}}}},
                             {.to = "shelf-1", .id = "1"});
    CHECK(heard.next("task-reply").at("result").at("total") == 2);
}

TEST_CASE("while scripts run without end others are done, and all are cut off") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    WorkerProcess worker(daemon, example("shelf-1", {"--run-time", "0.3", "--queue", "100"}));
    asker.awaitNodes(1);
    std::vector<std::future<std::vector<Answer>>> endless;
    for (int i = 0; i < 10; ++i) {
        endless.push_back(asker.tasks.call("shelf-1", "tasks.endless", nullptr, patience()));
    }
    int done = 0;
    while (endless.back().wait_for(0s) != std::future_status::ready) {
        REQUIRE(asker.result("shelf-1", "tasks.test1", {{"price", 1}}).at("total") == 1);
        ++done;
    }
    CHECK(done > 10);
    for (auto& one : endless) CHECK(one.get().at(0).outcome == Became::failed);
}

TEST_CASE("more than the worker can hold is refused, and what it holds is done") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    WorkerProcess worker(daemon, example("shelf-1", {"--queue", "8"}));
    asker.awaitNodes(1);
    std::vector<std::future<std::vector<Answer>>> asked;
    for (int i = 0; i < 40; ++i) {
        asked.push_back(asker.tasks.call("shelf-1", "tasks.later", 0.5, patience()));
    }
    int done = 0, refused = 0;
    for (auto& one : asked) {
        const Answer answer = one.get().at(0);
        done += answer.ok() ? 1 : 0;
        refused += contains(answer.error, "the worker is busy: ") ? 1 : 0;
    }
    CHECK(done >= 1);
    CHECK(done + refused == 40);
    CHECK(refused >= 32);
    // Told: the first one at once, and those behind it without waiting for yet another.
    worker.awaitLog("the worker is busy: 8 calls are under way (--queue 8) (1 refused since");
    const std::size_t first = worker.log().find(" refused since");
    worker.awaitLog(" refused since", first + 1);
    const std::string log = worker.log();
    const std::size_t second = log.find(" refused since", first + 1);
    // Its schedule was refused as well.
    CHECK(std::stoi(log.substr(log.rfind('(', second) + 1)) >= refused - 1);
    CHECK(asker.result("shelf-1", "tasks.test1", {{"price", 1}}).at("total") == 1);
}

TEST_CASE("stopping: what is under way ends, what comes new is refused, then it is over") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    Heard heard(asker, "shop\\..*");
    WorkerProcess worker(daemon, example("shelf-1"));
    asker.awaitNodes(1);
    auto later = asker.tasks.call("shelf-1", "tasks.later", 1.0, patience());
    CHECK(asker.result("shelf-1", "tasks.test1", {{"price", 1}}).at("total") == 1);
    worker.signal(SIGTERM);
    worker.awaitLog("stopping: 1 calls");
    CHECK(asker.result("shelf-1", "tasks.test1", {{"price", 1}}) == "the worker stops");
    CHECK(later.get().at(0).result == "after 1.0 s");
    CHECK(heard.next("shop.closing") == Json{{"id", "shelf-1"}});
    CHECK(worker.wait() == 0);

    // What does not end in the grace is cut off.
    WorkerProcess hasty(daemon, example("shelf-2", {"--grace", "0.2"}));
    asker.awaitNodes(1);
    later = asker.tasks.call("shelf-2", "tasks.later", 1000, patience());
    CHECK(asker.result("shelf-2", "tasks.test1", {{"price", 1}}).at("total") == 1);
    CHECK(hasty.stop() == 0);
    const Answer cut = later.get().at(0);
    CHECK(cut.outcome == Became::failed);
    CHECK(contains(cut.error, "the worker stops"));
}

TEST_CASE(
    "a worker whose id another one has taken meanwhile is its node again when that one goes") {
    const Scratch place;
    const DaemonOptions there{.runDir = place.file("run")};
    auto daemon = std::make_unique<Daemon>(workerConfig, there);
    WorkerProcess worker(*daemon, example("shelf-1"));
    worker.awaitReady();
    worker.signal(SIGSTOP);  // the other one is first
    daemon.reset();
    daemon = std::make_unique<Daemon>(workerConfig, there);
    Asker asker(*daemon);
    NodeDescription other;
    other.id = "shelf-1";
    asker.tasks.agent().registerNode(other, patience());
    worker.signal(SIGCONT);
    worker.awaitLog(
        "node shelf-1 is no more, and is tried again every 2 s: there is a node shelf-1");
    asker.tasks.agent().unregisterNode("shelf-1");
    worker.awaitLog("node shelf-1 is there again");
    asker.awaitNodes(1);
    CHECK(asker.result("shelf-1", "tasks.test1", {{"price", 1}}).at("total") == 1);
}

TEST_CASE("large arguments that come faster than scripts can take them are all done") {
    const Daemon daemon(workerConfig);
    Options options = Asker::at(daemon);
    options.queueLimit = std::size_t{64} << 20;
    Tasks caller("A", options);
    caller.agent().connect(patience());
    WorkerProcess worker(daemon, example("shelf-1"));
    scenario::awaitNodes([&] { return caller.agent().nodes().size() == 1; }, caller.agent());
    const Json large{{"price", 1}, {"text", std::string(3'900'000, 'x')}};
    std::vector<std::future<std::vector<Answer>>> asked;
    for (int i = 0; i < 12; ++i) {
        asked.push_back(caller.call("shelf-1", "tasks.test1", large, patience()));
    }
    for (auto& one : asked) {
        const Answer answer = one.get().at(0);
        CHECK_MESSAGE(answer.ok(), answer.error, worker.log());
    }

    // What the daemon cannot keep for a worker that takes nothing is lost, and not in silence.
    worker.signal(SIGSTOP);
    for (int i = 0; i < 10; ++i) caller.send("shelf-1", "tasks.test1", large);
    caller.agent().sync(patience());
    worker.signal(SIGCONT);
    worker.awaitLog("tasks or events are lost: this worker did not keep up");
    const Answer stock = caller.call("shelf-1", "tasks.stock", nullptr, patience()).get().at(0);
    CHECK(stock.result.at("worker").at("missed") > 0);
}

TEST_CASE("a daemon that is started anew finds the worker again, which has forgotten nothing") {
    const Scratch place;
    const DaemonOptions there{.runDir = place.file("run")};
    auto daemon = std::make_unique<Daemon>(workerConfig, there);
    WorkerProcess worker(*daemon, example("shelf-1"));
    worker.awaitReady();
    Asker(*daemon).tasks.agent().emit("shop.delivered", {{"pieces", 7}});
    const auto delivered = [](Asker& asker) {
        asker.awaitNodes(1);
        return asker.result("shelf-1", "tasks.stock").at("delivered");
    };
    const auto deadline = Clock::now() + patience();
    {
        Asker asker(*daemon);
        while (delivered(asker) != 7) REQUIRE(Clock::now() < deadline);
    }
    for (int round = 1; round <= 2; ++round) {
        const std::size_t from = worker.log().size();
        daemon.reset();
        worker.awaitLog("the daemon is lost", from);
        daemon = std::make_unique<Daemon>(workerConfig, there);
        Asker asker(*daemon);
        CHECK(delivered(asker) == 7);
        worker.awaitLog("the daemon is back", from);
        CHECK(timesIn(worker.log(), "the daemon is lost") == round);
        CHECK(timesIn(worker.log(), "the daemon is back") == round);
    }
}

TEST_CASE("a worker that looks for its daemon can be stopped") {
    const Scratch empty;
    Process worker(
        {NETCLUSTER_NCWORKER, "--dir", empty.path(), "-exec", "x=true", "-log_level", "debug"});
    REQUIRE(worker.err.waitFor("connecting to channel A"));
    worker.signal(SIGTERM);
    CHECK(worker.wait() == 0);
    CHECK(worker.err.waitFor("stopped"));
    CHECK(worker.err.text().find("cannot connect") == std::string::npos);
}

TEST_CASE("a worker that cannot start says why") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    WorkerProcess first(daemon, example("shelf-1"));
    asker.awaitNodes(1);
    WorkerProcess second(daemon, example("shelf-1"));
    CHECK(second.wait() == 1);
    second.awaitLog("shelf-1");
    CHECK(second.log().find("there is a node shelf-1") != std::string::npos);

    const Scratch scratch;
    scratch.write("bootstrap.lua", "\n\nx = = 3\n");
    WorkerProcess broken(daemon, {"-script", scratch.path()});
    CHECK(broken.wait() == 1);
    broken.awaitLog("bootstrap.lua:3: unexpected symbol near '='");
    Process tested({NETCLUSTER_NCWORKER, "-script", scratch.path(), "-t"});
    CHECK(tested.wait() == 2);
    CHECK(tested.err.waitFor("ncworker: bootstrap.lua:3: unexpected symbol"));
    Process fine({NETCLUSTER_NCWORKER, "-script", NETCLUSTER_WORKER_EXAMPLE, "-t"});
    CHECK(fine.wait() == 0);
    scratch.write("bootstrap.lua", "function init() error('not today', 0) end");
    WorkerProcess unwilling(daemon, {"-script", scratch.path()});
    CHECK(unwilling.wait() == 1);
    unwilling.awaitLog("init: not today");
    CHECK(timesIn(unwilling.log(), "not today") == 1);
    // -t does not call it.
    Process willing({NETCLUSTER_NCWORKER, "-script", scratch.path(), "-t"});
    CHECK(willing.wait() == 0);

    scratch.write("bootstrap.lua", "schedules = {['tasks.hartbeat'] = 1}");
    const std::string why =
        "bootstrap.lua: schedules[\"tasks.hartbeat\"]: there is no function tasks.hartbeat";
    WorkerProcess misspelt(daemon, {"-script", scratch.path()});
    CHECK(misspelt.wait() == 1);
    misspelt.awaitLog(why);
    Process misspeltTested({NETCLUSTER_NCWORKER, "-script", scratch.path(), "-t"});
    CHECK(misspeltTested.wait() == 2);
    CHECK(misspeltTested.err.waitFor("ncworker: " + why));

    // What is wrong on the command line is said before anything is tried.
    Process pattern({NETCLUSTER_NCWORKER, "-on", "(=true"});
    CHECK(pattern.wait() == 2);
    CHECK(pattern.err.waitFor("ncworker: --on: pattern '(': missing )"));
    Process channel({NETCLUSTER_NCWORKER, "-channel", "a/b", "-exec", "x=true"});
    CHECK(channel.wait() == 2);
    Process idle({NETCLUSTER_NCWORKER});
    CHECK(idle.wait() == 2);
    CHECK(idle.err.waitFor("There is nothing to do: give --script, --exec or --on.\n"));
    Process nowhere({NETCLUSTER_NCWORKER, "-exec", "x=true", "-log", "/dev/null/log"});
    CHECK(nowhere.wait() == 1);
    CHECK(nowhere.err.waitFor("/dev/null/log"));

    const Scratch empty;
    Process alone({NETCLUSTER_NCWORKER, "--dir", empty.path(), "-exec", "x=true"});
    CHECK(alone.wait() == 1);
    CHECK(alone.err.waitFor(empty.path()));
}
