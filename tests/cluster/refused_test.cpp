// What is wrong, and said so: messages that cannot be sent, servers that cannot be started.
#include "support.hpp"

namespace netcluster::cluster {
namespace {

Json nested(int levels) {
    Json value = 1;
    for (int n = 0; n < levels; ++n) {
        Json around = Json::array();
        around.push_back(std::move(value));
        value = std::move(around);
    }
    return value;
}

}  // namespace

TEST_CASE("a message is 30 deep at most; deeper ones are refused, however deep they are") {
    Cluster cluster(3);
    Reports reports;
    std::vector<std::string> told;
    cluster[0].onUndelivered([&](const Undelivered& one) { reports.add(one); });
    cluster[0].onError([&](const std::string& what) { told.push_back(what); });
    cluster.start();
    send(cluster[0], BROADCAST, nested(30), 1);
    for (std::size_t i : {1, 2}) CHECK(receive(cluster[i]) == Envelope{pidAt(0), 1, nested(30)});
    send(cluster[0], pidAt(1), {{"a", nested(30)}}, 2);
    send(cluster[0], pidAt(1), nested(100'000), 3);
    cluster[0].blacklist({pidAt(2)});
    send(cluster[0], BROADCAST, nested(100'000), 4);
    send(cluster[0], pidAt(2), nested(31), 5);
    const auto all = reports.await(4);
    cluster[0].blacklist({});
    send(cluster[0], BROADCAST, "after it", 6);
    for (std::size_t i : {1, 2}) CHECK(receive(cluster[i]).msgId == 6);
    cluster[0].stop();
    REQUIRE(all.size() == 4);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(all[i].pid == pidAt(1));
        CHECK(all[i].msgId == static_cast<std::int64_t>(i + 2));
        CHECK(nameOf(all[i].why) == "refused");
    }
    CHECK(all[3].pid == pidAt(2));
    CHECK(nameOf(all[3].why) == "blacklisted");
    REQUIRE(told.size() == 4);
    CHECK(told[1] == "envelope 3 for server 111 is nested deeper than 30: it is not sent");
    CHECK(told[2] == "envelope 4 for all is nested deeper than 30: it is not sent");
}

TEST_CASE("what is sent to nobody or cannot be sent is refused") {
    Cluster cluster(2);
    Outbox& outbox = cluster[0].outbox();
    CHECK_THROWS_WITH_AS((void)outbox.trySend({5, 0, "x"}),
                         doctest::Contains("no other server has pid 5"), Error);
    CHECK_THROWS_AS((void)outbox.trySend({pidAt(0), 0, "to myself"}), Error);
    CHECK_THROWS_WITH_AS((void)outbox.trySend({pidAt(1), 0, "\xff"}),
                         "the message holds text that is not UTF-8", Error);
    CHECK(outbox.trySend({pidAt(1), 0, "x"}) == Sent::stopped);

    Reports reports;
    cluster[0].onUndelivered([&](const Undelivered& one) { reports.add(one); });
    std::string complaint;
    cluster[0].onError([&](const std::string& what) { complaint = what; });
    cluster.start();
    send(cluster[0], pidAt(1), nested(40), 8);
    CHECK(nameOf(reports.await(1)[0].why) == "refused");
    CHECK(complaint.find("nested") != std::string::npos);
    send(cluster[0], pidAt(1), "and on it goes");
    CHECK(receive(cluster[1]).msg == "and on it goes");
}

TEST_CASE("an address that cannot be bound is named, and a second start is an error") {
    Cluster cluster(2);
    cluster[0].start();
    Server same(pidAt(0), cluster.file.name);
    const std::string taken = "127.0.0.1:" + std::to_string(portOf(0));
    CHECK_THROWS_WITH_AS(same.start(), doctest::Contains((":1: " + taken + ": port").c_str()),
                         Error);
    CHECK_THROWS_WITH_AS(cluster[0].start(), doctest::Contains("runs already"), Error);
    cluster[0].stop();
    same.start();  // the address has been let go

    for (const std::string host : {"192.0.2.1", "239.1.2.3", "255.255.255.255", "[ff02::1]"}) {
        const std::string where = host + ":" + std::to_string(portOf(2));
        const PeersFileOnDisk away(Json{{"Pid", 1}, {"Addr", where}}.dump());
        Server elsewhere(1, away.name);
        CHECK_THROWS_WITH_AS(
            elsewhere.start(),
            (away.name + ":1: " + where + " cannot be bound: it is no address of this host")
                .c_str(),
            Error);
    }
}

TEST_CASE("servers that cannot reach each other, as one is IPv4 and one is IPv6, are an error") {
    const std::string four = "127.0.0.1:" + std::to_string(portOf(0));
    const std::string six = "[::1]:" + std::to_string(portOf(1));
    const PeersFileOnDisk file(Json{{"Pid", 1}, {"Addr", four}}.dump() + "\n" +
                               Json{{"Pid", 2}, {"Addr", six}}.dump());
    Server one(1, file.name);
    Server two(2, file.name);
    CHECK_THROWS_WITH_AS(one.start(),
                         (file.name + ":2: " + four + " and " + six +
                          " are of different families (IPv4, IPv6): they cannot reach each other")
                             .c_str(),
                         Error);
    CHECK_THROWS_WITH_AS(two.start(),
                         (file.name + ":1: " + six + " and " + four +
                          " are of different families (IPv6, IPv4): they cannot reach each other")
                             .c_str(),
                         Error);
}

}  // namespace netcluster::cluster
