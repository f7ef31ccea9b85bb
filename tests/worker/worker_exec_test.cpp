// Commands as handlers of tasks and events, on a real daemon.
#include <csignal>

#include "support.hpp"

using namespace netcluster;
using namespace netcluster::scenario;
using Became = Answer::Outcome;

TEST_CASE("commands do tasks: payload, environment, status, output") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    const Scratch scratch;
    WorkerProcess worker(daemon, {"-id",           "w1",
                                  "-region",       "a:b",
                                  "-tag",          "disk=ssd",
                                  "--exec",        "echo=cat",
                                  "--exec",        "env=env | grep ^NETCLUSTER_ | sort",
                                  "--exec",        "fail=echo no disk >&2; exit 3",
                                  "--exec",        "slow=sleep 100",
                                  "--exec",        "killed=kill -9 $$",
                                  "--exec",        "much=head -c 100000 /dev/zero | tr '\\0' x",
                                  "--exec-time",   "0.3",
                                  "--exec-output", "1",
                                  "--exec-jobs",   "2",
                                  "--pid",         scratch.file("pid")});
    asker.awaitNodes(1);
    worker.awaitReady();
    CHECK(asker.result("w1", "echo", "it's; $(data) `only`") ==
          Json{{"status", 0}, {"stdout", "it's; $(data) `only`"}, {"stderr", ""}});
    CHECK(asker.result("w1", "echo", {{"a", 1}}).at("stdout") == R"({"a":1})");
    const std::string said = asker.result("w1", "env").at("stdout");
    for (const std::string part :
         {"NETCLUSTER_TASK=env\n", "NETCLUSTER_EVENT=task.env\n", "NETCLUSTER_NODE=w1\n",
          "NETCLUSTER_CHANNEL=A\n", "NETCLUSTER_REGIONS=a:b\n", "NETCLUSTER_TAG_DISK=ssd\n"}) {
        CAPTURE(part);
        CHECK(said.find(part) != std::string::npos);
    }
    CHECK(said.find("NETCLUSTER_SENDER=" + asker.tasks.agent().uuid()) != std::string::npos);
    CHECK(said.find("NETCLUSTER_DIR=" + daemon.runDir()) != std::string::npos);
    CHECK(said.find("NETCLUSTER_HOST=" + asker.tasks.agent().host() + "\n") != std::string::npos);

    const Answer failed = asker.ask("w1", "fail");
    CHECK(failed.outcome == Became::failed);
    CHECK(failed.error == R"(exit status 3: {"status":3,"stderr":"no disk\n","stdout":""})");
    CHECK(contains(asker.result("w1", "slow"), "not finished after 300 ms (--exec-time 0.3)"));
    CHECK(asker.result("w1", "killed") ==
          R"(ended by signal 9: {"signal":9,"status":null,"stderr":"","stdout":""})");
    const Json much = asker.result("w1", "much");
    CHECK(much.at("stdout").get<std::string>().size() == 1024);
    CHECK(much.at("cut") == Json{"stdout"});
    CHECK(asker.ask("w1", "none").outcome == Became::unknownFunction);
    Process read({"/bin/cat", scratch.file("pid")});
    CHECK(read.wait() == 0);
}

TEST_CASE("scripts and commands are told the same host of the caller, by its name") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    Heard heard(asker, "heard");
    const Scratch scratch;
    scratch.write("bootstrap.lua", R"(
tasks = {host = function(_, task) return task.host end}
function onAsked(_, event) emit('heard', event.host) end
events = {asked = 'onAsked'})");
    WorkerProcess worker(daemon, {"-id", "w1", "-script", scratch.path(), "-exec",
                                  "host=printf %s \"$NETCLUSTER_HOST\""});
    asker.awaitNodes(1);
    worker.awaitReady();
    const std::string host = asker.tasks.agent().host();
    CHECK(host != "");
    CHECK(asker.result("w1", "tasks.host") == host);
    CHECK(asker.result("w1", "host").at("stdout") == host);
    asker.tasks.agent().emit("asked");
    CHECK(heard.next("heard") == host);
}

TEST_CASE("commands hear events") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    const Scratch scratch;
    const std::string file = scratch.file("heard");
    WorkerProcess worker(
        daemon, {"-id", "w1", "--on", "sensor\\..*=echo \"$NETCLUSTER_EVENT $(cat)\" >> " + file,
                 "--exec", "read=cat " + file, "--exec-jobs", "1"});
    worker.awaitReady();
    asker.awaitNodes(1);
    asker.tasks.agent().emit("sensor.a", {{"c", 21}});
    asker.tasks.agent().emit("other", 1);
    asker.tasks.agent().emit("sensor.b", 2);
    asker.tasks.agent().sync(patience());
    // One at a time, in order.
    CHECK(asker.result("w1", "read").at("stdout") == "sensor.a {\"c\":21}\nsensor.b 2\n");
}

TEST_CASE("more commands than may wait are refused, with the option that says how many run") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    WorkerProcess worker(
        daemon, {"-id", "w1", "--exec", "slow=sleep 100", "--exec-jobs", "1", "--grace", "0.1"});
    asker.awaitNodes(1);
    std::vector<std::future<std::vector<Answer>>> asked;
    for (int i = 0; i < 257; ++i) {
        asked.push_back(asker.tasks.call("w1", "slow", nullptr, patience()));
    }
    CHECK(asker.result("w1", "slow") ==
          "the worker is busy: 257 commands run or wait (--exec-jobs 1)");
    CHECK(worker.stop() == 0);
    for (auto& one : asked) CHECK(one.get().at(0).error == "the worker stops");
}

TEST_CASE("stopping ends commands after the grace, and leaves none behind") {
    const Daemon daemon(workerConfig);
    Asker asker(daemon);
    WorkerProcess worker(daemon,
                         {"-id", "w1", "--exec", "slow=echo $$ >&2; sleep 100", "--grace", "0.2"});
    asker.awaitNodes(1);
    auto slow = asker.tasks.call("w1", "slow", nullptr, patience());
    CHECK(asker.ask("w1", "none").outcome == Became::unknownFunction);  // slow came before
    CHECK(worker.stop() == 0);
    const Answer cut = slow.get().at(0);
    CHECK(cut.outcome == Became::failed);
    CHECK(cut.error == "the worker stops");
}
