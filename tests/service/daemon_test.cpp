// The real ncserver, with systemd's part played by this test.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>

#include "clients.hpp"
#include "harness.hpp"
#include "notify_socket.hpp"
#include "threads.hpp"

using namespace netcluster::scenario;
using netcluster::service::Held;
using netcluster::service::NotifySocket;
using netcluster::service::threadsOf;
using netcluster::service::valueOf;

namespace {

using namespace std::chrono_literals;

const std::string good = localConfig(R"("A": {}, "B": {})");
const std::string bad = localConfig(R"("A": {"propagatetonet": "("})");

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string socketName() {
    return "@netcluster-daemon-test-" + std::to_string(getpid());
}

// The watchdog's period in the environment; pings come at half of it.
constexpr auto watchdog = 400ms;

DaemonOptions managed() {
    DaemonOptions options;
    options.spawn.environment = {
        {"NOTIFY_SOCKET", socketName()},
        {"WATCHDOG_USEC", std::to_string(std::chrono::microseconds(watchdog).count())}};
    return options;
}

struct Managed {
    NotifySocket systemd{socketName()};
    Daemon daemon{good, managed()};
};

/// As the systemd of a unit starts it: standard error is the journal's stream, and says so.
struct Journalled {
    Scratch scratch;
    std::optional<Process> process;
    void start(const std::string& config, const std::string& stream) {
        const std::string script = "JOURNAL_STREAM=" + stream + " exec " + serverPath() + " -c " +
                                   scratch.write("config.json", config) + " --rundir " +
                                   scratch.file("run");
        process.emplace(std::vector<std::string>{"/bin/sh", "-c", script});
    }
};

const std::string ownStream = "$(stat -L -c %d:%i /dev/fd/2)";

}  // namespace

TEST_CASE("ready is said when clients can connect, and not before") {
    NotifySocket systemd(socketName());
    Scratch scratch;
    Process process(
        {serverPath(), "-c", scratch.write("config.json", good), "--rundir", scratch.file("run")},
        managed().spawn);
    const std::string first = systemd.next().value_or("");
    CHECK(first.starts_with("READY=1\n"));
    CHECK(has(valueOf("STATUS", first), "3 channels, 0 clients, no link"));
    JsonClient client(scratch.file("run") + "/control.sock");  // at once
    CHECK(client.ask("stats").contains("clients"));
    process.signal(SIGTERM);
    CHECK(process.wait() == 0);
}

TEST_CASE("one that cannot start is never ready") {
    NotifySocket systemd(socketName());
    Scratch scratch;
    CHECK(runServer({"-c", scratch.write("config.json", bad), "--rundir", scratch.file("run")},
                    managed().spawn)
              .status == 2);
    CHECK_FALSE(systemd.next(0ms));
}

TEST_CASE_FIXTURE(Managed, "a reload is announced, and over when it is taken") {
    systemd.await("READY=1");
    daemon.rewriteConfig(localConfig(R"("A": {}, "B": {}, "C": {})"));
    daemon.process().signal(SIGHUP);
    const std::string announced = systemd.await("RELOADING=1");
    CHECK(valueOf("MONOTONIC_USEC", announced) != "");
    const std::string over = systemd.await("READY=1");
    CHECK(has(valueOf("STATUS", over), "4 channels"));
    JsonClient client(daemon.socket("C"));  // at once
}

TEST_CASE_FIXTURE(Managed, "a reload that is refused is over too, and the status says why") {
    systemd.await("READY=1");
    daemon.rewriteConfig(bad);
    daemon.process().signal(SIGHUP);
    CHECK(systemd.await("RELOADING=1") != "");
    const std::string refused = valueOf("STATUS", systemd.await("READY=1"));
    CHECK(has(refused, "3 channels"));
    CHECK(has(refused, "the last reload was refused and changed nothing: " + daemon.configFile()));
    CHECK(has(refused, "/channels/A/propagatetonet"));
    daemon.awaitLog("error: reload: ");

    // Until one is taken, whoever asks for it.
    daemon.rewriteConfig(good);
    daemon.ask("reloadconfig");
    CHECK(systemd.await("STATUS=3 channels, 0 clients, no link") != "");
}

TEST_CASE_FIXTURE(Managed, "the status follows the clients") {
    JsonClient client(daemon.socket("A"));
    CHECK(systemd.await("STATUS=3 channels, 1 client, no link") != "");
    JsonClient other(daemon.socket("A"));
    CHECK(systemd.await("STATUS=3 channels, 2 clients, no link") != "");
}

TEST_CASE_FIXTURE(Managed, "a stop is announced before it is over") {
    systemd.await("READY=1");
    daemon.process().signal(SIGTERM);
    CHECK(systemd.await("STOPPING=1") != "");
    CHECK(daemon.process().wait() == 0);
    CHECK_FALSE(systemd.next(0ms));
}

// Each thread in turn is held, all others run: exactly one of them is what the pings hang on, and
// it is the one that serves clients.
TEST_CASE_FIXTURE(Managed, "a loop that hangs is silent, whatever the other threads do") {
    systemd.await("READY=1");
    CHECK(systemd.await("WATCHDOG=1") != "");
    const pid_t main = daemon.process().pid();
    std::vector<pid_t> silenced;
    for (const pid_t thread : threadsOf(main)) {
        const Held held(thread);
        systemd.drain();
        // Three periods without a ping; systemd would have acted after one.
        const bool pinged = systemd.next(3 * watchdog * slowness()).has_value();
        if (!pinged) silenced.push_back(thread);
    }
    REQUIRE(silenced.size() == 1);
    CHECK(silenced.front() != main);
    CHECK(systemd.await("WATCHDOG=1") != "");  // it goes on where it was let go

    Connection client(daemon.socket("control"));
    {
        const Held loop(silenced.front());
        client.send(std::string(R"({"event":"nc-control-stats"})") + '\0');
        CHECK_FALSE(client.readable(watchdog));
    }
    CHECK(client.readable(patience()));
}

TEST_CASE_FIXTURE(Journalled, "lines for the journal have a level and no time of their own") {
    start(good, ownStream);
    CHECK(process->err.waitFor("<6>ncserver "));
    CHECK(process->err.waitFor(" ready: "));
    scratch.write("config.json", bad);
    process->signal(SIGHUP);
    CHECK(process->err.waitFor("\n<3>reload: " + scratch.file("config.json") + ":"));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
    CHECK(process->err.text().ends_with("<6>stopped\n"));
}

TEST_CASE_FIXTURE(Journalled, "a refused configuration is an error in the journal, line by line") {
    start(bad, ownStream);
    CHECK(process->wait() == 2);
    CHECK(has(process->err.text(), "<3>" + scratch.file("config.json") + ":"));
    CHECK(has(process->err.text(), "\n<3>ncserver: the configuration is refused"));
}

TEST_CASE_FIXTURE(Journalled, "standard error that was led elsewhere has lines as ever") {
    start(good, "1:2");  // inherited from a service that started this one
    CHECK(process->err.waitFor(" ready: "));
    CHECK(process->err.text().starts_with("20"));  // a year
    CHECK_FALSE(has(process->err.text(), "<6>"));
    process->signal(SIGTERM);
    CHECK(process->wait() == 0);
}
