// Agents and fork(), where there is one.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "fake_daemon.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;
using Words = std::vector<std::string>;

namespace {

constexpr std::chrono::milliseconds longTime{20000};

}  // namespace

// The thread sanitizer does not follow a fork into a process with threads.
#ifndef __SANITIZE_THREAD__
TEST_CASE("after a fork, the child makes agents of its own and may drop its parent's") {
    const FakeDaemon daemon;
    auto agent = std::make_unique<Agent>("A", daemon.options());
    auto connecting = inBackground([&] { agent->connect(longTime); });
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();

    const pid_t child = ::fork();
    if (child == 0) {
        agent.reset();
        Agent own("A", daemon.options());
        own.connect(longTime);
        own.emit("child");
        own.sync(longTime);
        ::_exit(0);
    }
    FakeClient childs = daemon.accept();
    childs.greet();
    CHECK(childs.untilSync() == Words{"event child null"});
    childs.synced();
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    agent->emit("parent");
    CHECK(client.next().name == "parent");
}
#endif
