// What the original leaves open: servers that are not there, do not read, are not wanted; and how
// long is waited for whom.
#include <thread>

#include "support.hpp"

namespace netcluster::cluster {

using std::chrono::milliseconds;

TEST_CASE("an envelope for a server that is not there waits for it, for a while") {
    Options options;
    options.holdTime = milliseconds(1500);
    Cluster cluster(3, options);
    Reports reports;
    cluster[0].onUndelivered([&](const Undelivered& one) { reports.add(one); });
    cluster[0].start();
    send(cluster[0], BROADCAST, "to all", 1);
    send(cluster[0], pidAt(1), "to one", 2);
    CHECK(cluster[0].online().empty());
    cluster[1].start();
    CHECK(receive(cluster[1]) == Envelope{pidAt(0), 1, "to all"});
    CHECK(receive(cluster[1]) == Envelope{pidAt(0), 2, "to one"});
    CHECK(cluster[0].online() == std::vector<Pid>{pidAt(1)});
    const auto all = reports.await(1);
    REQUIRE(all.size() == 1);
    CHECK(all[0].pid == pidAt(2));
    CHECK(all[0].msgId == 1);
    CHECK(nameOf(all[0].why) == "unreachable");

    // It comes too late for that one, and is there for the next.
    cluster[2].start();
    send(cluster[0], pidAt(2), "again", 3);
    CHECK(receive(cluster[2]) == Envelope{pidAt(0), 3, "again"});
}

TEST_CASE("what waits for a server is bounded, and what is left when we stop is reported") {
    Options options;
    options.holdLimit = 1000;
    options.linger = milliseconds(10);
    Cluster cluster(2, options);
    Reports reports;
    cluster[0].onUndelivered([&](const Undelivered& one) { reports.add(one); });
    cluster[0].start();
    const std::string text(398, 'x');
    for (int n = 0; n < 4; ++n) send(cluster[0], pidAt(1), text, n);
    reports.await(2);
    cluster[0].stop();
    const auto all = reports.await(4);
    REQUIRE(all.size() == 4);
    const std::vector<std::pair<int, std::string>> expected{
        {2, "full"}, {3, "full"}, {0, "stopped"}, {1, "stopped"}};
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(all[i].msgId == expected[i].first);
        CHECK(nameOf(all[i].why) == expected[i].second);
    }
}

TEST_CASE("who gives the longest times that there are waits, and is not sent away at once") {
    for (const milliseconds longest :
         {milliseconds::max(), milliseconds(std::chrono::years(300))}) {
        CAPTURE(longest.count());
        Options options;
        options.holdTime = options.linger = longest;
        options.inboxLimit = 100'000;
        options.outboxLimit = options.holdLimit = 1 << 20;
        Cluster cluster(2, options);
        cluster[0].start();
        send(cluster[0], pidAt(1), "held", 1);
        std::thread late([&] {
            cluster[1].start();
            send(cluster[1], pidAt(0), "late");
        });
        const auto first = cluster[0].inbox().receive(longest);
        late.join();
        REQUIRE(first);
        CHECK(first->msg == "late");
        CHECK(receive(cluster[1]) == Envelope{pidAt(0), 1, "held"});

        const std::string text(50'000, 'x');
        std::int64_t sent = 2;
        while (cluster[0].outbox().send({pidAt(1), sent, text}, milliseconds(200)) ==
               Sent::accepted) {
            REQUIRE(++sent < 200);
        }
        std::thread reader([&] {
            for (std::int64_t n = 2; n <= sent; ++n) CHECK(receive(cluster[1]).msgId == n);
        });
        CHECK(cluster[0].outbox().send({pidAt(1), sent, text}, longest) == Sent::accepted);
        cluster[0].stop();
        reader.join();
        CHECK(cluster[0].counters().undelivered == 0);
    }
}

TEST_CASE("times below nothing are nothing") {
    Options options;
    options.holdTime = options.linger = milliseconds(-5'000);
    Cluster cluster(2, options);
    Reports reports;
    cluster[0].onUndelivered([&](const Undelivered& one) { reports.add(one); });
    cluster[0].start();
    CHECK_FALSE(cluster[0].inbox().receive(milliseconds::min()));
    CHECK(cluster[0].outbox().send({pidAt(1), 1, "x"}, milliseconds::min()) == Sent::accepted);
    CHECK(nameOf(reports.await(1)[0].why) == "unreachable");
    cluster[0].stop();
}

TEST_CASE("a server that does not read holds up who writes to it, and nobody else") {
    Options options;
    options.inboxLimit = 100'000;
    options.outboxLimit = options.holdLimit = 1 << 20;
    Cluster cluster(3, options);
    cluster.start();
    const std::string text(50'000, 'x');
    int sent = 0;
    while (cluster[0].outbox().send({pidAt(1), sent, text}, milliseconds(500)) == Sent::accepted) {
        REQUIRE(++sent < 200);
    }
    CHECK(sent > 40);
    send(cluster[2], pidAt(0), "still here");
    CHECK(receive(cluster[0]).msg == "still here");
    for (int n = 0; n < sent; ++n) CHECK(receive(cluster[1]).msgId == n);
    CHECK(cluster[0].counters().undelivered == 0);
}

TEST_CASE("a handler that throws ends nothing, and one that would stop the server is refused") {
    Cluster cluster(2);
    Server& server = cluster[0];
    Reports reports;
    std::mutex mutex;
    std::vector<std::string> told, refused;
    server.onUndelivered([&](const Undelivered& one) {
        for (const auto& call : {&Server::stop, &Server::start}) {
            try {
                (server.*call)();
            } catch (const Error& error) {
                const std::lock_guard lock(mutex);
                refused.emplace_back(error.what());
            }
        }
        reports.add(one);
        if (one.msgId == 1) throw std::runtime_error("no disk");
        throw 7;
    });
    server.onError([&](const std::string& what) {
        const std::lock_guard lock(mutex);
        told.push_back(what);
        throw std::runtime_error("no paper");
    });
    server.start();
    server.blacklist({pidAt(1)});
    send(server, pidAt(1), "one", 1);
    send(server, pidAt(1), "two", 2);
    reports.await(2);
    server.stop();
    CHECK(refused ==
          std::vector<std::string>{"stop must not be called from a handler of the server",
                                   "start must not be called from a handler of the server",
                                   "stop must not be called from a handler of the server",
                                   "start must not be called from a handler of the server"});
    CHECK(told ==
          std::vector<std::string>{"the handler of onUndelivered threw: no disk",
                                   "the handler of onUndelivered threw: something that is not a "
                                   "std::exception"});
}

TEST_CASE("servers on the blacklist are neither written to nor heard, as long as they are on it") {
    Cluster cluster(3);
    Reports reports;
    cluster[0].onUndelivered([&](const Undelivered& one) { reports.add(one); });
    cluster.start();
    cluster[0].blacklist({pidAt(1)});
    CHECK(cluster[0].blacklist() == std::vector<Pid>{pidAt(1)});

    send(cluster[0], BROADCAST, "not for all");
    send(cluster[0], pidAt(1), "not for you", 5);
    CHECK(nameOf(reports.await(1)[0].why) == "blacklisted");
    CHECK(receive(cluster[2]).msg == "not for all");

    send(cluster[1], pidAt(0), "ignored");
    cluster[1].stop();  // it has been confirmed
    CHECK(cluster[0].counters().ignored == 1);
    cluster[1].start();

    cluster[0].blacklist({});
    send(cluster[0], pidAt(1), "for you");
    CHECK(receive(cluster[1]).msg == "for you");
    send(cluster[1], pidAt(0), "heard");
    CHECK(receive(cluster[0]).msg == "heard");
    CHECK_THROWS_WITH_AS(cluster[0].blacklist({5}), doctest::Contains("no other server has pid 5"),
                         Error);
}

TEST_CASE("a server that is alone in its file runs, and has nobody to write to") {
    Cluster cluster(1);
    cluster.start();
    CHECK(cluster[0].peers().empty());
    send(cluster[0], BROADCAST, "to nobody");
    cluster.stop();
    CHECK(cluster[0].counters().sent == 0);
}

TEST_CASE("the warnings of a server's daemon go where its program wants them") {
    std::mutex mutex;
    std::vector<std::string> lines;
    Options options;
    options.onWarning = [&](const std::string& line) {
        const std::lock_guard lock(mutex);
        lines.push_back(line);
    };
    Cluster cluster(2, options);
    cluster.start();
    send(cluster[0], pidAt(1), "hello");
    receive(cluster[1]);
    cluster.stop();
    // One from each, at its start, in words that its program knows.
    REQUIRE(lines.size() == 2);
    for (const std::string& line : lines) {
        CHECK(line.starts_with("link: neither encrypted nor authenticated"));
        CHECK(line.find("netkeyfile") == std::string::npos);
    }
}

TEST_CASE("two servers of one port, each on an address of its own") {
    const std::string port = ":" + std::to_string(portOf(0));
    const PeersFileOnDisk file(R"({"Pid": 1, "Addr": "127.0.0.1)" + port + "\"}\n" +
                               R"({"Pid": 2, "Addr": "127.0.0.2)" + port + "\"}\n");
    Server one(1, file.name);
    Server two(2, file.name);
    one.start();
    two.start();
    send(one, 2, "ping");
    CHECK(receive(two) == Envelope{1, 0, "ping"});
    send(two, 1, "pong");
    CHECK(receive(one) == Envelope{2, 0, "pong"});
}

}  // namespace netcluster::cluster
