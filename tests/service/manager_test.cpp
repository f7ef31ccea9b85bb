// The face between ncserver and the manager of services, its systemd half.
#include "manager.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "notify_socket.hpp"

namespace netcluster::service {
namespace {

using namespace std::chrono_literals;

/// What systemd says in the environment, as long as this lives.
class Environment {
  public:
    explicit Environment(const std::map<std::string, std::string>& variables)
        : variables_(variables) {
        for (const auto& [name, value] : variables_) setenv(name.c_str(), value.c_str(), 1);
    }
    ~Environment() {
        for (const auto& [name, value] : variables_) unsetenv(name.c_str());
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    const std::map<std::string, std::string> variables_;
};

std::string socketName() {
    return "@netcluster-service-test-" + std::to_string(getpid());
}

std::chrono::milliseconds pulseWith(std::map<std::string, std::string> variables) {
    variables["NOTIFY_SOCKET"] = socketName();
    const Environment environment(variables);
    return Manager().pulse();
}

struct Managed {
    NotifySocket systemd{socketName()};
    Environment environment{{{"NOTIFY_SOCKET", socketName()}, {"WATCHDOG_USEC", "3000000"}}};
    Manager manager;
};

}  // namespace

TEST_CASE("where nobody manages us nothing is wanted, and telling is harmless") {
    Manager manager;
    CHECK(manager.pulse() == 0ms);
    manager.ready("x");
    manager.reloading();
    manager.status("y");
    manager.alive();
    manager.stopping();
}

TEST_CASE_FIXTURE(Managed, "a life, as systemd hears it") {
    manager.ready("3 channels");
    manager.alive();
    manager.reloading();
    manager.ready("4 channels");
    manager.stopping();

    CHECK(systemd.next() == "READY=1\nSTATUS=3 channels");
    CHECK(systemd.next() == "WATCHDOG=1");
    const std::string reloading = systemd.next().value_or("");
    CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(valueOf("STATUS", reloading) == "reloading");
    CHECK(systemd.next() == "READY=1\nSTATUS=4 channels");
    CHECK(systemd.next() == "STOPPING=1\nSTATUS=stopping");
    CHECK_FALSE(systemd.next(0ms));
}

TEST_CASE_FIXTURE(Managed, "the time of a reload is the monotonic clock's, in microseconds") {
    const auto before = std::chrono::steady_clock::now().time_since_epoch();
    manager.reloading();
    const auto after = std::chrono::steady_clock::now().time_since_epoch();
    const std::string time = valueOf("MONOTONIC_USEC", systemd.next().value_or(""));
    REQUIRE(time != "");
    CHECK(std::stoll(time) >= before / 1us);
    CHECK(std::stoll(time) <= after / 1us);
}

TEST_CASE_FIXTURE(Managed, "a status that has not changed is not sent again") {
    manager.ready("1 client");
    manager.status("1 client");
    manager.status("2 clients");
    manager.status("2 clients");
    manager.status("1 client");
    CHECK(valueOf("STATUS", systemd.next().value_or("")) == "1 client");
    CHECK(systemd.next() == "STATUS=2 clients");
    CHECK(systemd.next() == "STATUS=1 client");
    CHECK_FALSE(systemd.next(0ms));
}

TEST_CASE_FIXTURE(Managed, "a status cannot smuggle in other lines, nor be of any length") {
    manager.status("bad name \"a\nSTOPPING=1\"");
    CHECK(systemd.next() == "STATUS=bad name \"a STOPPING=1\"");
    manager.status(std::string(100'000, 'x'));
    CHECK(systemd.next().value_or("").size() < 1000);
}

TEST_CASE_FIXTURE(Managed, "nobody who listens too slowly holds the loop up") {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 10'000; ++i) manager.alive();
    CHECK(std::chrono::steady_clock::now() - begin < 4s);  // one wait would be 5 s
}

TEST_CASE("the socket may have a path, too") {
    const std::string path = "/tmp/nc-notify-" + std::to_string(getpid());
    {
        NotifySocket systemd(path);
        const Environment environment({{"NOTIFY_SOCKET", path}});
        Manager manager;
        manager.ready("x");
        CHECK(systemd.next() == "READY=1\nSTATUS=x");
    }
    unlink(path.c_str());
}

TEST_CASE("the pulse is half of what the watchdog waits, and at least the status's") {
    CHECK(pulseWith({}) == 5s);
    CHECK(pulseWith({{"WATCHDOG_USEC", "3000000"}}) == 1500ms);
    CHECK(pulseWith({{"WATCHDOG_USEC", "600000000"}}) == 5s);
    CHECK(pulseWith({{"WATCHDOG_USEC", "nonsense"}}) == 5s);
}

TEST_CASE("the watchdog of another process is none of ours") {
    const std::string own = std::to_string(getpid());
    CHECK(pulseWith({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", own}}) == 1500ms);
    CHECK(pulseWith({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "1"}}) == 5s);

    NotifySocket systemd(socketName());
    const Environment environment(
        {{"NOTIFY_SOCKET", socketName()}, {"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "1"}});
    Manager manager;
    manager.alive();
    manager.status("x");
    CHECK(systemd.next() == "STATUS=x");
}

TEST_CASE("signals are requests, in order, also those that came before anybody waited") {
    Manager manager;
    std::raise(SIGHUP);
    Request request = manager.next();
    CHECK(request.kind == Request::reload);
    std::raise(SIGTERM);
    request = manager.next();
    CHECK(request.kind == Request::stop);
    CHECK(request.by == "signal 15");
    std::raise(SIGINT);
    CHECK(manager.next().kind == Request::stop);
}

TEST_CASE("run hands the program's exit status on") {
    CHECK(run([](Manager&) { return 7; }) == 7);
}

}  // namespace netcluster::service
