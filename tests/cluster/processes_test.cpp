// A cluster of two processes, one of which comes to a sudden end.
#include <csignal>

#include "harness.hpp"
#include "support.hpp"

namespace netcluster::cluster {
namespace {

// What a killed one leaves behind goes with the test's own directory.
std::unique_ptr<scenario::Process> echo(const Cluster& cluster) {
    return std::make_unique<scenario::Process>(
        std::vector<std::string>{NETCLUSTER_CLUSTER_ECHO, std::to_string(pidAt(1)),
                                 cluster.file.name},
        scenario::Spawn{.environment = {{"TMPDIR", cluster.file.dir.name()}}});
}

void exchange(Server& server, int messages) {
    for (int n = 0; n < messages; ++n) send(server, pidAt(1), {{"n", n}}, n);
    for (int n = 0; n < messages; ++n) {
        CHECK(receive(server) == Envelope{pidAt(1), n, {{"n", n}}});
    }
    scenario::awaitTrue([&] { return server.counters().confirmed == server.counters().sent; });
}

}  // namespace

TEST_CASE("two processes; one is killed, and what is written to it waits for its next start") {
    Options options;
    options.holdTime = patience;
    Cluster cluster(2, options);
    Reports reports;
    cluster[0].onUndelivered([&](const Undelivered& one) { reports.add(one); });
    cluster[0].start();
    auto other = echo(cluster);
    exchange(cluster[0], 500);

    other->signal(SIGKILL);
    other->wait();
    scenario::awaitTrue([&] { return cluster[0].online().empty(); });  // 5 s without a sign of life
    for (int n = 0; n < 10; ++n) send(cluster[0], pidAt(1), "waits", n);
    other = echo(cluster);
    for (int n = 0; n < 10; ++n) CHECK(receive(cluster[0]) == Envelope{pidAt(1), n, "waits"});
    exchange(cluster[0], 500);

    // It is started anew before anybody has noticed that it was gone.
    other->signal(SIGKILL);
    other->wait();
    send(cluster[0], pidAt(1), "never read", 77);
    scenario::awaitTrue([&] { return cluster[0].counters().sent == 1011; });
    other = echo(cluster);
    const Undelivered lost = reports.await(1)[0];
    CHECK(lost.msgId == 77);
    CHECK(nameOf(lost.why) == "unconfirmed");

    send(cluster[0], pidAt(1), "stop");
    CHECK(other->wait() == 0);
    // What it prints is the program's own; its daemon only warns.
    CHECK(other->out.waitForEnd());
    CHECK(other->err.waitForEnd());
    CHECK(other->out.text() == "");
    CHECK(other->err.text().starts_with("netcluster: server " + std::to_string(pidAt(1)) +
                                        ": link: neither encrypted nor authenticated"));
    CHECK(reports.await(1).size() == 1);
}

}  // namespace netcluster::cluster
