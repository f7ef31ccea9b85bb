// Relay over random networks, in virtual time: whatever loops there are, whatever ways are cut and
// hosts restarted, no event comes twice; in calm weather each comes once and in order.
#include <doctest/doctest.h>

#include <cstdlib>
#include <numeric>

#include "relay_network.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

// As in link_model_test.cpp.
unsigned seeds() {
    const char* wanted = std::getenv("NETCLUSTER_MODEL_SEEDS");
    return wanted ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 60;
}

// Of a host that fell silent five heartbeats are waited for; its signs of life wait at each relay
// for up to one, and each hop is given one more.
constexpr Time::duration settling(std::size_t hosts) {
    return (heartbeatsMissed + 2 + 2 * hosts) * 1s;
}

struct RandomNetwork : RelayNetwork {
    explicit RandomNetwork(unsigned seed)
        : RelayNetwork(3 + seed % 6, seed, someRelays(3 + seed % 6, seed)) {
        // Connected at first, with some loops.
        for (std::size_t host = 1; host < size(); ++host) connect(host, random() % host);
        for (std::size_t more = random() % 5; more > 0; --more) toggle(true);
    }

    static std::set<std::size_t> someRelays(std::size_t count, unsigned seed) {
        std::mt19937 random(seed + 1000);
        std::set<std::size_t> relays;
        for (std::size_t host = 0; host < count; ++host) {
            if (random() % 8 != 0) relays.insert(host);
        }
        return relays;
    }

    void toggle(bool onlyConnect = false) {
        const std::size_t one = random() % size();
        const std::size_t other = random() % size();
        if (one == other) return;
        if (!connected(one, other)) return connect(one, other);
        if (!onlyConnect) cut(one, other);
    }

    /// Somebody says something.
    void say() {
        const std::size_t host = random() % size();
        if (!alive(host)) return;
        emit(host, std::to_string(++said_));
        by_[std::to_string(said_)] = host;
    }
    void chatter(int count, std::chrono::milliseconds longestPause) {
        for (int i = 0; i < count; ++i) {
            say();
            runFor(std::chrono::microseconds(
                random() % (1 + 1000 * static_cast<unsigned>(longestPause.count()))));
        }
    }

    std::size_t byWhom(const std::string& event) const { return by_.at(event); }
    int said() const { return said_; }

  private:
    int said_ = 0;
    std::map<std::string, std::size_t> by_;
};

bool nothingTwice(RandomNetwork& all) {
    for (std::size_t host = 0; host < all.size(); ++host) {
        if (!all.alive(host)) continue;
        std::set<std::string> events;
        for (const auto& heard : all[host].heard) {
            if (!events.insert(heard.event).second) return false;
            if (heard.host != "host" + std::to_string(all.byWhom(heard.event))) return false;
        }
    }
    return true;
}

/// What was said since `from` has come to all who can be reached, in the order of each origin.
void checkCalm(RandomNetwork& all, int from) {
    for (std::size_t host = 0; host < all.size(); ++host) {
        if (!all.alive(host)) continue;
        std::map<std::string, std::vector<int>> heard;
        for (const auto& one : all[host].heard) {
            if (std::stoi(one.event) > from) heard[one.host].push_back(std::stoi(one.event));
        }
        std::map<std::string, std::vector<int>> wanted;
        for (int event = from + 1; event <= all.said(); ++event) {
            const std::size_t by = all.byWhom(std::to_string(event));
            if (by == host || !all.reachable(by).contains(host)) continue;
            wanted["host" + std::to_string(by)].push_back(event);
        }
        CAPTURE(host);
        CHECK(heard == wanted);
    }
}

void checkPresence(RandomNetwork& all) {
    for (std::size_t host = 0; host < all.size(); ++host) {
        if (!all.alive(host)) continue;
        std::set<std::string> wanted;
        for (const std::size_t other : all.reachable(host)) {
            if (other != host) wanted.insert("host" + std::to_string(other));
        }
        CAPTURE(host);
        CHECK(all[host].there == wanted);
    }
}

}  // namespace

TEST_CASE("random networks with loops: each event comes to every host once, in order") {
    for (unsigned seed = 0; seed < seeds(); ++seed) {
        CAPTURE(seed);
        RandomNetwork all(seed);
        all.runFor(settling(all.size()));
        checkPresence(all);
        all.chatter(60, 20ms);
        all.runFor(5s);
        checkCalm(all, 0);
        REQUIRE(nothingTwice(all));
    }
}

TEST_CASE(
    "ways are cut and mended, hosts die and come back: nothing twice, and all is well after") {
    for (unsigned seed = 0; seed < seeds(); ++seed) {
        CAPTURE(seed);
        RandomNetwork all(seed);
        all.runFor(settling(all.size()));
        for (int change = 0; change < 6; ++change) {
            const std::size_t host = all.random() % all.size();
            if (all.random() % 4 != 0) {
                all.toggle();
            } else if (!all.alive(host) || all.random() % 2 == 0) {
                all.start(host);  // anew, whether it was there or not
            } else {
                all.kill(host);
            }
            all.chatter(20, std::chrono::milliseconds(1 + all.random() % 700));
        }
        all.runFor(settling(all.size()));
        checkPresence(all);
        const int before = all.said();
        all.chatter(40, 20ms);
        all.runFor(5s);
        checkCalm(all, before);
        REQUIRE(nothingTwice(all));
    }
}

TEST_CASE("a faster way that opens in the middle of a stream: what it brings waits for the rest") {
    RelayNetwork all(4, 1, {1, 2});
    all.connect(0, 1, 40ms);
    all.connect(1, 3, 40ms);
    all.connect(2, 3, 100us);
    all.runFor(20s);
    const auto say = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            all.emit(0, std::to_string(i));
            all.runFor(1ms);
        }
    };
    say(0, 200);
    all.connect(0, 2, 100us);
    say(200, 2000);
    all.runFor(1s);
    std::vector<int> heard;
    for (const auto& one : all[3].heard) heard.push_back(std::stoi(one.event));
    std::vector<int> wanted(2000);
    std::iota(wanted.begin(), wanted.end(), 0);
    CHECK(heard == wanted);
    CHECK(all[3].relay->counts().held > 0);
    CHECK(all[3].relay->counts().outOfOrder == 0);
}

TEST_CASE("what never comes is waited for once, and not for long") {
    RelayNetwork all(3, 1, {1});
    all.connect(0, 1, 1ms);
    all.connect(1, 2, 1ms);
    all.runFor(20s);
    all.emit(0, "1");
    all.runFor(100ms);
    all.cut(1, 2);
    all.emit(0, "2");
    all.runFor(100ms);
    all.connect(1, 2, 1ms);
    all.emit(0, "3");
    all.emit(0, "4");
    all.runFor(holdTime - 20ms);
    CHECK(all[2].heard.size() == 1);
    all.runFor(50ms);
    CHECK(all[2].heard.size() == 3);
    all.emit(0, "5");
    all.runFor(20ms);
    CHECK(all[2].heard.size() == 4);
    CHECK(all[2].relay->counts().outOfOrder == 1);
}

TEST_CASE("no host passes an event on twice, and none that all others hear by themselves") {
    for (const bool mesh : {false, true}) {
        CAPTURE(mesh);
        RelayNetwork all(6, 1, {0, 1, 2, 3, 4, 5});
        for (std::size_t host = 0; host < 6; ++host) {
            all.connect(host, (host + 1) % 6);
            for (std::size_t other = 0; mesh && other < host; ++other) all.connect(host, other);
        }
        all.runFor(20s);
        for (int i = 0; i < 100; ++i) {
            all.emit(0, std::to_string(i));
            all.runFor(1ms);
        }
        all.runFor(1s);
        for (std::size_t host = 1; host < 6; ++host) {
            CHECK(all[host].heard.size() == 100);
            CHECK(all[host].relay->counts().passedOn <= (mesh ? 0 : 100));
        }
    }
}

TEST_CASE("an event passes so many relays and no more") {
    RelayNetwork all(maxHops + 3, 1, [] {
        std::set<std::size_t> relays;
        for (std::size_t host = 0; host < maxHops + 3; ++host) relays.insert(host);
        return relays;
    }());
    for (std::size_t host = 1; host < all.size(); ++host) all.connect(host - 1, host);
    all.runFor(300s);
    all.emit(0, "far");
    all.runFor(10s);
    CHECK(all[maxHops + 1].heard.size() == 1);
    CHECK(all[maxHops + 1].relay->counts().hopLimit == 1);
    CHECK(all[maxHops + 2].heard.empty());
    CHECK(all[maxHops + 1].there.contains("host0"));
    CHECK_FALSE(all[maxHops + 2].there.contains("host0"));
}
