// What the tests of the Go package "cluster" ask of theirs, asked of ours.
#include <thread>

#include "support.hpp"

namespace netcluster::cluster {

TEST_CASE("a cluster comes up and goes down 64 times, each time with new servers") {
    for (int round = 0; round < 64; ++round) {
        Cluster cluster(3);
        cluster.start();
        cluster.stop();
    }
}

TEST_CASE("the same servers can be started again after they were stopped") {
    Cluster cluster(3);
    for (int round = 0; round < 3; ++round) {
        CAPTURE(round);
        cluster.start();
        send(cluster[0], BROADCAST, round);
        CHECK(receive(cluster[1]) == Envelope{pidAt(0), 0, round});
        CHECK(receive(cluster[2]) == Envelope{pidAt(0), 0, round});
        cluster.stop();
        CHECK(cluster[0].outbox().trySend({BROADCAST, 0, "late"}) == Sent::stopped);
        CHECK_FALSE(cluster[1].inbox().receive());
    }
    CHECK(cluster[0].counters().sent == 6);
    CHECK(cluster[0].counters().confirmed == 6);
}

TEST_CASE("one server of many is stopped and started 64 times; the others find it each time") {
    Cluster cluster(2);
    cluster[0].start();
    for (int round = 0; round < 64; ++round) {
        cluster[1].start();
        send(cluster[1], pidAt(0), round);
        CHECK(receive(cluster[0]).msg == round);
        cluster[1].stop();
    }
    CHECK(cluster[0].counters().gaps == 0);
}

TEST_CASE("a pid that is missing in the file is an error") {
    const Cluster cluster(3);
    const std::string& file = cluster.file.name;
    CHECK_THROWS_WITH_AS(Server(7, file), (file + ": no line has pid 7").c_str(), Error);
}

TEST_CASE("every one of 12 servers broadcasts at once, and all others get each message once") {
    constexpr std::size_t count = 12;
    constexpr int each = 20;
    Cluster cluster(count);
    cluster.start();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            for (int n = 0; n < each; ++n) send(cluster[i], BROADCAST, {{"n", n}}, n);
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < count; ++i) {
        CAPTURE(i);
        std::map<Pid, int> next;
        for (std::size_t n = 0; n < (count - 1) * each; ++n) {
            const Envelope envelope = receive(cluster[i]);
            CHECK(envelope.msg.at("n") == next[envelope.pid]);
            CHECK(envelope.msgId == next[envelope.pid]++);
        }
        CHECK(next.size() == count - 1);
        CHECK_FALSE(next.contains(pidAt(i)));
    }
    cluster.stop();  // from here on nothing else can come
    for (std::size_t i = 0; i < count; ++i) {
        CHECK(cluster[i].inbox().size() == 0);
        CHECK(cluster[i].counters().undelivered == 0);
    }
}

TEST_CASE("each server writes to each other one, and what it writes arrives in order") {
    constexpr std::size_t count = 4;
    constexpr int each = 50;
    Cluster cluster(count);
    cluster.start();
    for (int n = 0; n < each; ++n) {
        for (std::size_t from = 0; from < count; ++from) {
            for (std::size_t to = 0; to < count; ++to) {
                if (to != from) send(cluster[from], pidAt(to), {pidAt(to), n});
            }
            if (n % 10 == 0) send(cluster[from], BROADCAST, {BROADCAST, n});
        }
    }
    for (std::size_t to = 0; to < count; ++to) {
        std::map<Pid, std::vector<Json>> got;
        for (std::size_t n = 0; n < (count - 1) * (each + each / 10); ++n) {
            Envelope envelope = receive(cluster[to]);
            got[envelope.pid].push_back(std::move(envelope.msg));
        }
        std::vector<Json> expected;
        for (int n = 0; n < each; ++n) {
            expected.push_back({pidAt(to), n});
            if (n % 10 == 0) expected.push_back({BROADCAST, n});
        }
        for (const auto& [from, messages] : got) CHECK(messages == expected);
    }
}

TEST_CASE("any JSON is a message, and the number of the message travels with it") {
    Cluster cluster(2);
    cluster.start();
    const std::vector<Json> all{nullptr,
                                true,
                                -7,
                                0.5,
                                "text \u00e4",
                                Json::array(),
                                Json::object(),
                                {{"a", {1, {{"b", nullptr}}}}}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        send(cluster[0], pidAt(1), all[i], INT64_MAX - static_cast<std::int64_t>(i));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(receive(cluster[1]) ==
              Envelope{pidAt(0), INT64_MAX - static_cast<std::int64_t>(i), all[i]});
    }
}

TEST_CASE("large messages, both ways at once") {
    Cluster cluster(2);
    cluster.start();
    const auto text = [](std::size_t size, char with) { return std::string(size, with); };
    const std::vector<std::size_t> sizes{100'000, 1 << 20, 1, 50'000};
    std::thread back([&] {
        for (const std::size_t size : sizes) send(cluster[1], pidAt(0), text(size, 'b'));
    });
    for (const std::size_t size : sizes) send(cluster[0], pidAt(1), text(size, 'a'));
    for (const std::size_t size : sizes) {
        CHECK((receive(cluster[1]).msg == text(size, 'a')));
        CHECK((receive(cluster[0]).msg == text(size, 'b')));
    }
    back.join();
    const std::size_t largest = (16 << 20) - 2;
    send(cluster[0], pidAt(1), text(largest, 'l'));
    CHECK((receive(cluster[1]).msg == text(largest, 'l')));
    CHECK_THROWS_WITH_AS((void)cluster[0].outbox().trySend({pidAt(1), 0, text(17 << 20, 'c')}),
                         doctest::Contains("at most 16777216"), Error);
}

TEST_CASE("many messages: none is lost, none comes twice, and the order is kept") {
    constexpr int many = 20'000;
    Cluster cluster(2);
    cluster.start();
    const std::string ballast(500, 'x');
    std::thread sender([&] {
        for (int n = 0; n < many; ++n) send(cluster[0], pidAt(1), {n, ballast});
    });
    int wrong = 0;
    for (int n = 0; n < many; ++n) wrong += receive(cluster[1]).msg.at(0) != n;
    sender.join();
    CHECK(wrong == 0);
    cluster[0].stop();
    CHECK(cluster[0].counters().confirmed == many);
    CHECK(cluster[0].counters().undelivered == 0);
    CHECK(cluster[1].inbox().size() == 0);
}

}  // namespace netcluster::cluster
