// Somebody without the key in the same network, who may say what they like: nothing of it is
// delivered, nothing crashes, memory and log stay bounded, and the honest traffic goes on.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "attacker.hpp"
#include "keys.hpp"
#include "presence.hpp"
#include "printing.hpp"
#include "stream.hpp"

using namespace netcluster::scenario;
using namespace std::chrono_literals;

namespace {

std::uint64_t malformed(const Host& host) {
    std::uint64_t sum = 0;
    const Json stats = host.linkStats();
    for (const auto& [reason, count] : stats.at("malformed").items()) {
        sum += count.get<std::uint64_t>();
    }
    return sum;
}

// A host takes what bears its own session for its own; so both are asked.
std::uint64_t malformedAtBoth(Lab& lab) {
    return malformed(lab[0]) + malformed(lab[1]);
}

std::size_t logLines(const Host& host) {
    const std::string log = host.daemon().log();
    return static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n'));
}

/// Two honest hosts, the first emits what the second hears, and somebody else at their switch.
struct Siege {
    explicit Siege(const std::string& more)
        : config{.more = std::string(roomyQueues) + (more.empty() ? "" : ", " + more)},
          lab({config, config}, atSwitch),
          attacker(lab) {
        heardBy(1, {"h1", "again"});
        emitter = std::make_unique<Emitter>(lab[0].socket("A"), "h1");
    }

    void heardBy(std::size_t host, const std::vector<std::string>& streams) {
        collector.reset();
        collector = std::make_unique<Collector>(lab[host].socket("A"), streams,
                                                Collector::Hears::everything);
    }

    /// Datagrams of the honest hosts, their events and signs of life.
    std::vector<std::string> record() {
        for (int n = 0; n < 50; ++n) {
            emitter->emit(20);
            settle(*emitter, {collector.get()});
        }
        return attacker.capture(100);
    }

    void checkHonestOnly() {
        const Heardof heard = collector->of("h1");
        CAPTURE(heard);
        CHECK(heard.repeated == 0);
        CHECK(heard.wrong == 0);
        CHECK(heard.missing == 0);
        CHECK(heard.received == emitter->emitted());
        CHECK(collector->strange() == 0);
        CHECK(collector->lostAtHome() == 0);
    }

    /// Both hosts know each other, and nobody else, and have not said much about it.
    void checkOnlyTheTwo() {
        for (std::size_t n = 0; n < 2; ++n) {
            const Json stats = lab[n].linkStats();
            CAPTURE(stats.at("hosts").dump());
            CHECK(hostsHeard(lab[n]) == 1);
            CHECK(sessionsOf(lab[n], lab[1 - n].name()).size() == 1);
            CHECK(logLines(lab[n]) < 100);
        }
    }
    void checkNobodyWasMissed() {
        for (std::size_t n = 0; n < 2; ++n) {
            CHECK(lab[n].daemon().log().find("is gone") == std::string::npos);
        }
    }

    HostConfig config;
    Lab lab;
    Attacker attacker;
    std::unique_ptr<Collector> collector;
    std::unique_ptr<Emitter> emitter;
};

// The key outlives the daemons.
struct KeyOfSiege {
    KeyFile file{firstKey};
};
struct KeyedSiege : KeyOfSiege, Siege {
    KeyedSiege() : Siege(file.setting()) {}
};

}  // namespace

TEST_CASE("forged datagrams with headers that look right are counted and change nothing") {
    KeyedSiege siege;
    const std::vector<std::string> real = siege.record();
    const std::uint64_t before = malformedAtBoth(siege.lab);
    std::uint64_t said = 0;
    {
        Flow honest(*siege.emitter, 1000);
        // Of one datagram of each host, early and late.
        for (const std::size_t which : {std::size_t{0}, std::size_t{1}, real.size() - 1}) {
            const std::vector<std::string> forged = forgedLike(real[which], 1);
            siege.attacker.say(forged);
            said += forged.size();
        }
        honest.stop();
    }
    settle(*siege.emitter, {siege.collector.get()});
    siege.checkHonestOnly();
    siege.checkOnlyTheTwo();
    siege.checkNobodyWasMissed();
    CHECK(malformedAtBoth(siege.lab) >= before + said / 2);
}

TEST_CASE("what is said with a key cannot be read without it: neither names nor data") {
    KeyedSiege siege;
    JsonListener speaker(siege.lab[0].socket("A"));
    JsonListener listener(siege.lab[1].socket("A"));
    for (int n = 0; n < 100; ++n) {
        speaker.emit("confidential-name", "\"confidential-data\"");
        CHECK(listener.nextEvent().event == "confidential-name");
    }
    for (const std::string& datagram : siege.attacker.capture(100)) {
        CHECK(datagram.find("confidential") == std::string::npos);
    }
}

TEST_CASE("captured datagrams said again, to those who have heard them, change nothing") {
    KeyedSiege siege;
    const std::vector<std::string> real = siege.record();
    {
        Flow honest(*siege.emitter, 1000);
        siege.attacker.say(real);
        siege.attacker.say({real.rbegin(), real.rend()});
        honest.stop();
    }
    settle(*siege.emitter, {siege.collector.get()});
    siege.checkHonestOnly();
    siege.checkOnlyTheTwo();
    siege.checkNobodyWasMissed();
}

TEST_CASE("captured datagrams said again to a receiver that has started anew bring nothing back") {
    KeyedSiege siege;
    const std::vector<std::string> real = siege.record();
    const std::uint64_t past = siege.emitter->emitted();
    siege.collector.reset();
    siege.lab[1].start(siege.config);
    siege.heardBy(1, {"h1"});
    siege.attacker.say(real);
    siege.lab[1].awaitOnline({&siege.lab[0]});
    siege.attacker.say(real);
    siege.emitter->emit(1000);
    settle(*siege.emitter, {siege.collector.get()});
    siege.attacker.say(real);
    siege.emitter->emit(10);
    settle(*siege.emitter, {siege.collector.get()});
    const Heardof heard = siege.collector->of("h1");
    CAPTURE(heard);
    CHECK(heard.first == past);
    CHECK(heard.received == siege.emitter->emitted() - past);
    CHECK(heard.repeated == 0);
    CHECK(heard.wrong == 0);
    CHECK(siege.collector->strange() == 0);
}

TEST_CASE("captured datagrams of a sender that has started anew bring nothing back") {
    KeyedSiege siege;
    siege.record();
    siege.emitter.reset();
    siege.lab[0].start(siege.config);
    // With the goodbye that it said.
    const std::vector<std::string> real = siege.attacker.captured();
    awaitHeard(siege.lab[1], "h1");
    const Heardof past = siege.collector->of("h1");
    siege.emitter = std::make_unique<Emitter>(siege.lab[0].socket("A"), "again");
    {
        Flow honest(*siege.emitter, 1000);
        siege.attacker.say(real);
        honest.stop();
    }
    settle(*siege.emitter, {siege.collector.get()});
    const Heardof again = siege.collector->of("again");
    CAPTURE(again);
    CHECK(again.received == siege.emitter->emitted());
    CHECK(again.repeated == 0);
    CHECK(siege.collector->of("h1").received == past.received);
    CHECK(siege.collector->of("h1").repeated == 0);
    CHECK(siege.collector->strange() == 0);
    CHECK(sessionsOf(siege.lab[1], "h1").size() == 1);
    CHECK(hostsHeard(siege.lab[1]) == 1);
}

TEST_CASE("a captured datagram with any bit flipped, or cut off, is counted and not delivered") {
    KeyedSiege siege;
    const std::vector<std::string> real = siege.record();
    const std::uint64_t before = malformedAtBoth(siege.lab);
    std::uint64_t said = 0;
    for (std::size_t n = 0; n < 10; ++n) {
        const std::vector<std::string> altered =
            flipped(real[n * (real.size() - 1) / 9], static_cast<unsigned>(n) + 1);
        siege.attacker.say(altered);
        said += altered.size();
    }
    siege.emitter->emit(100);
    settle(*siege.emitter, {siege.collector.get()});
    siege.checkHonestOnly();
    siege.checkOnlyTheTwo();
    siege.checkNobodyWasMissed();
    CHECK(malformedAtBoth(siege.lab) >= before + said / 2);
}

TEST_CASE(
    "a flood of random and captured datagrams: the honest traffic arrives, memory is bounded") {
    KeyedSiege siege;
    std::vector<std::string> words = garbage(1000, 7);
    for (const std::string& datagram : siege.record()) {
        words.push_back(datagram);
        for (const std::string& forged : forgedLike(datagram, 3)) {
            if (words.size() < 4000) words.push_back(forged);
        }
    }
    std::shuffle(words.begin(), words.end(), std::minstd_rand(5));
    const std::size_t memory[] = {siege.lab[0].daemon().memory(), siege.lab[1].daemon().memory()};
    {
        Flow honest(*siege.emitter, 1000);
        const std::uint64_t before = siege.collector->received();
        const auto until = Clock::now() + patience();
        constexpr int rounds = 10;
        for (int n = 0; n < rounds || siege.collector->received() == before; ++n) {
            REQUIRE(Clock::now() < until);
            siege.attacker.flood(words, 10'000);
        }
        honest.stop();
    }
    settle(*siege.emitter, {siege.collector.get()});
    siege.checkHonestOnly();
    siege.checkOnlyTheTwo();
    for (std::size_t n = 0; n < 2; ++n) {
        // Sanitizers keep what was freed.
        const std::size_t bound =
            memory[n] + (std::size_t{80} << 20) * static_cast<std::size_t>(slowness());
        CHECK(siege.lab[n].daemon().memory() < bound);
    }
    siege.emitter->emit(1000);
    settle(*siege.emitter, {siege.collector.get()});
    siege.checkHonestOnly();
}

TEST_CASE("neither forged nor captured datagrams make the hosts say more than a little") {
    KeyedSiege siege;
    // Begins anew, so that the attacker has also heard how the two got to know each other.
    siege.collector.reset();
    siege.lab[1].start(siege.config);
    siege.heardBy(1, {"h1"});
    siege.lab[1].awaitOnline({&siege.lab[0]});
    const std::vector<std::string> real = siege.record();
    const auto sent = [&] {
        std::uint64_t sum = 0;
        for (std::size_t n = 0; n < 2; ++n) {
            const Json stats = siege.lab[n].linkStats();
            sum += stats.at("sent").at("datagrams").get<std::uint64_t>();
        }
        return sum;
    };
    const auto checkSaysLittle = [&](const std::vector<std::string>& words) {
        const std::uint64_t before = sent();
        const auto from = Clock::now();
        for (int n = 0; n < 5; ++n) siege.attacker.say(words);
        const std::uint64_t more = sent() - before;
        const auto took = std::chrono::ceil<std::chrono::seconds>(Clock::now() - from);
        // Each gives ten signs of life in a second; twice as much for whatever else honest hosts
        // may have to say.
        CHECK(more <= 2 * 30 * static_cast<std::uint64_t>(took.count() + 1));
    };
    checkSaysLittle(garbage(1000, 11));
    checkSaysLittle(forgedLike(real.back(), 13));
    checkSaysLittle(real);
}

TEST_CASE("without a key too random datagrams are neither delivered nor do they harm") {
    Siege siege("");
    siege.record();
    const std::vector<std::string> words = garbage(5000, 17);
    {
        Flow honest(*siege.emitter, 1000);
        siege.attacker.say(words);
        siege.attacker.flood(words, scaled(50'000));
        honest.stop();
    }
    settle(*siege.emitter, {siege.collector.get()});
    siege.checkHonestOnly();
    siege.checkOnlyTheTwo();
    CHECK(malformed(siege.lab[1]) > 0);
}

TEST_CASE("without a key altered datagrams may be believed, but crash nobody") {
    Siege siege("");
    const std::vector<std::string> real = siege.record();
    for (std::size_t n = 0; n < 20; ++n) {
        siege.attacker.say(flipped(real[n * (real.size() - 1) / 19], static_cast<unsigned>(n) + 1));
    }
    siege.attacker.say(forgedLike(real.back(), 19));
    for (std::size_t n = 0; n < 2; ++n) {
        CHECK(siege.lab[n].linkStats().at("connected") == true);
        CHECK(logLines(siege.lab[n]) < 500);
    }
}
