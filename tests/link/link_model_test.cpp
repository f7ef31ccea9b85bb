// Whole links against seeded messy networks, in virtual time: what must hold whatever the network
// does, and how soon all is well again when the mess ends.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>

#include "lossy_network.hpp"
#include "model_host.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

constexpr Mess clean{};

// NETCLUSTER_MODEL_SEEDS: how many networks each of the seeded tests tries. The default is what is
// done within seconds without optimisation.
unsigned seeds() {
    const char* wanted = std::getenv("NETCLUSTER_MODEL_SEEDS");
    return wanted ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 300;
}

struct World {
    World(unsigned seed, std::size_t count, const ModelSettings& wanted)
        : settings(wanted), network(seed + 1, count, clean) {
        for (std::size_t i = 0; i < count; ++i) addHost(i, seed);
    }

    ModelHost& operator[](std::size_t i) { return *hosts[i]; }

    /// All of them know each other after this.
    void open() {
        for (const auto& host : hosts) host->open(now);
        runFor(settings.heartbeat + 100ms);
    }

    void setMess(Mess mess) {
        for (std::size_t i = 0; i < hosts.size(); ++i) network.setMess(i, mess);
    }

    Time next() const {
        Time first = network.next();
        for (const auto& host : hosts) first = std::min(first, host->deadline());
        return first;
    }

    void step() {
        now = std::max(now, next());
        if (network.next() <= now) {
            const LossyNetwork::Arrival one = network.take();
            return hosts[one.to]->arrive(now, *one.datagram);
        }
        for (const auto& host : hosts) {
            if (host->deadline() <= now) return host->run(now);
        }
    }

    void runTo(Time end) {
        while (next() <= end) step();
        now = end;
    }
    void runFor(Time::duration time) { runTo(now + time); }

    /// False: it did not happen in time.
    bool runUntil(const std::function<bool()>& done, Time::duration patience) {
        const Time end = now + patience;
        while (!done()) {
            if (next() > end) return false;
            step();
        }
        return true;
    }

    bool allKnown() const {
        for (const auto& one : hosts) {
            for (const auto& other : hosts) {
                if (one != other && !one->knowsAllOf(*other)) return false;
            }
        }
        return true;
    }
    bool allQuiet() const {
        return std::all_of(hosts.begin(), hosts.end(),
                           [](const auto& host) { return host->quiet(); });
    }
    std::size_t gaps() const {
        std::size_t count = 0;
        for (const auto& one : hosts) {
            for (const auto& other : hosts) count += one->heard(*other).gaps.size();
        }
        return count;
    }
    std::uint64_t overflowed() const {
        std::uint64_t sum = 0;
        for (const auto& host : hosts) sum += host->overflowed();
        return sum;
    }

    /// What holds after every mess.
    void check() const {
        for (const auto& one : hosts) {
            CAPTURE(one->name());
            CHECK(one->receiver().memoryUsed() == 0);
            CHECK(one->bad().empty());
            CHECK(one->keptWindows());
            CHECK(one->batchesFit());
            CHECK(one->keptPromises());
            for (const auto& other : hosts) {
                if (one == other) continue;
                CAPTURE(other->name());
                CHECK(one->agreesWith(*other));
                CHECK(one->heard(*other).resets == 0);
                CHECK(one->heard(*other).dropped == 0);
            }
        }
    }

    Time now{1h};
    ModelSettings settings;
    LossyNetwork network;
    std::vector<std::unique_ptr<ModelHost>> hosts;

  private:
    void addHost(std::size_t i, unsigned seed) {
        static const char* const names[] = {"alpha", "beta", "gamma", "delta"};
        hosts.push_back(std::make_unique<ModelHost>(static_cast<std::uint8_t>(i + 1), names[i],
                                                    settings, seed,
                                                    [this, i](Time when, std::string datagram) {
                                                        network.send(when, i, std::move(datagram));
                                                    }));
    }
};

// Small events, some that fill a datagram or several, now and then a large one.
std::size_t anySize(LossyNetwork& network) {
    const std::uint32_t kind = network.number(100);
    if (kind < 70) return network.number(60);
    if (kind < 95) return network.number(4000);
    return network.number(40'000);
}

// One host after the other says something, alone or many in one turn.
void talk(World& world, int turns, std::uint32_t pauseBelow = 3000) {
    for (int i = 0; i < turns; ++i) {
        ModelHost& host =
            world[world.network.number(static_cast<std::uint32_t>(world.hosts.size()))];
        const std::uint32_t events = world.network.chance(10) ? world.network.number(30) : 1;
        for (std::uint32_t n = 0; n < events; ++n) host.emit(anySize(world.network));
        host.flush(world.now);
        world.runFor(std::chrono::microseconds(world.network.number(pauseBelow)));
    }
}

Mess messOf(unsigned seed, int mostLoss) {
    const int percent = static_cast<int>(seed) % (mostLoss + 1);
    return {percent, percent / 2, percent, std::chrono::milliseconds(1 + seed % 40)};
}

void settle(World& world, Time::duration patience) {
    world.setMess(clean);
    CHECK(world.runUntil([&] { return world.allKnown() && world.allQuiet(); }, patience));
    world.check();
}

}  // namespace

TEST_CASE("in hundreds of messy networks every event comes once, in order, or in a reported gap") {
    for (unsigned seed = 0; seed < seeds(); ++seed) {
        CAPTURE(seed);
        ModelSettings settings;
        settings.window = 16u << (seed % 5);
        settings.askForProofs = seed % 3 == 0;
        // Too small for what is sent while a host is cut off.
        settings.repairRoom = seed % 4 == 0 ? 1 : std::size_t{8} << 20;
        settings.rate = seed % 7 == 0 ? 2'000'000 : 0;
        World world(seed, 2 + seed % 3, settings);
        world.open();
        world.setMess(messOf(seed, 30));
        talk(world, 15);
        const std::size_t victim = world.network.number(2);
        if (seed % 2 == 0) {
            world.network.cut(victim,
                              world.now + std::chrono::milliseconds(world.network.number(3000)));
        }
        if (seed % 5 == 0) world[1].stop(world.now + 400ms);
        talk(world, 15);
        settle(world, 10s);
    }
}

TEST_CASE("up to 20 % loss and a partition shorter than what is kept to repeat leave no gap") {
    for (unsigned seed = 0; seed < seeds(); ++seed) {
        CAPTURE(seed);
        ModelSettings settings;
        settings.window = 16u << (seed % 6);
        settings.askForProofs = seed % 2 == 0;
        World world(seed, 2 + seed % 3, settings);
        world.open();
        world.setMess(messOf(seed, 20));
        talk(world, 15);
        if (seed % 3 == 0) world.network.cut(1, world.now + 1s);
        if (seed % 4 == 0) world[0].stop(world.now + 500ms);
        talk(world, 15);
        // The mess goes on; it is over soon all the same.
        CHECK(world.runUntil([&] { return world.allKnown() && world.allQuiet(); }, 8s));
        settle(world, 1s);
        CHECK(world.gaps() == 0);
    }
}

TEST_CASE(
    "what a host sent while another was cut off comes when it is back, however small its window") {
    for (const std::uint32_t window : {16u, 92u, 1024u}) {
        CAPTURE(window);
        ModelSettings settings;
        settings.window = window;
        World world(1, 2, settings);
        world.open();
        world.network.cut(1, world.now + 3s);
        for (int i = 0; i < 3000; ++i) {
            world[0].emit(1000);
            world[0].flush(world.now);
            world.runFor(1ms);
        }
        settle(world, 5s);
        CHECK(world.gaps() == 0);
        CHECK(world[1].heard(world[0]).events == 3000);
    }
}

TEST_CASE("the same while it sends all the time and 20 % are lost") {
    for (unsigned seed = 0; seed < 3; ++seed) {
        CAPTURE(seed);
        ModelSettings settings;
        settings.window = 64;
        settings.repairRoom = std::size_t{32} << 20;
        World world(seed, 3, settings);
        world.open();
        world.setMess({20, 0, 0, 1ms});
        world.network.cut(1, world.now + 2s);
        for (int i = 0; i < 6000; ++i) {
            world[0].emit(1000);
            world[0].flush(world.now);
            world.runFor(500us);
        }
        settle(world, 10s);
        CHECK(world.gaps() == 0);
        CHECK(world[1].heard(world[0]).events == world[0].sent().size());
    }
}

TEST_CASE(
    "what is behind a hole that is given up is heard, even by a host that never stops reading") {
    ModelSettings settings;
    settings.window = 4096;
    World world(1, 2, settings);
    world.open();
    // Nobody can ask it for anything.
    world.network.setMess(0, {100, 0, 0, 1ms});
    world[1].setReadingTime(1050us);
    for (int i = 0; i < 3000; ++i) {
        world.network.setMess(1, i == 100 ? Mess{100, 0, 0, 1ms} : clean);
        world[0].emit(1000);
        world[0].flush(world.now);
        world.runFor(1ms);
    }
    settle(world, 5s);
    CHECK(world.gaps() == 1);
    CHECK(world[1].heard(world[0]).events == 2999);
}

TEST_CASE("a slow reader is never sent more than it has room for, and nothing is lost") {
    ModelSettings settings;
    settings.window = 64;
    World world(1, 3, settings);
    world[1].setReadingTime(100us);
    world.open();
    for (int i = 0; i < 3000; ++i) {
        while (!world[0].emit(1000)) world.runFor(1ms);
        world[0].flush(world.now);
    }
    settle(world, 5s);
    CHECK(world.gaps() == 0);
    CHECK(world.overflowed() == 0);
    CHECK(world[1].heard(world[0]).events == 3000);
    CHECK(world[0].longestHeld() < stallTime);
}

TEST_CASE("two hosts that send to a slow reader at once share its room") {
    ModelSettings settings;
    settings.window = 64;
    World world(1, 4, settings);
    world[3].setReadingTime(100us);
    world.open();
    for (int i = 0; i < 1000; ++i) {
        for (std::size_t host = 0; host < 3; ++host) {
            while (!world[host].emit(1000)) world.runFor(1ms);
            world[host].flush(world.now);
        }
    }
    settle(world, 5s);
    CHECK(world.gaps() == 0);
}

TEST_CASE("a receiver that stopped holds the others up for no longer than the stall time") {
    ModelSettings settings;
    settings.window = 64;
    World world(1, 3, settings);
    world.open();
    world[2].stop(world.now + 3s);
    for (int i = 0; i < 2000; ++i) {
        world[0].emit(1000);
        world[0].flush(world.now);
        world.runFor(1ms);
    }
    CHECK(world[0].longestHeld() >= stallTime);
    CHECK(world[0].longestHeld() <= stallTime + 20ms);
    CHECK(world[1].knowsAllOf(world[0]));
    CHECK(world[1].heard(world[0]).events == 2000);
    REQUIRE(world[0].sender().flow().find(world[2].session()));
    CHECK(world[0].sender().flow().find(world[2].session())->timesLagging == 1);
    // It is waited for again when it has caught up, and has lost nothing meanwhile.
    settle(world, 5s);
    CHECK(world.gaps() == 0);
    CHECK(world[2].heard(world[0]).events == 2000);
}

TEST_CASE("who joins while others talk hears all that begins from then on, whatever is lost") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        ModelSettings settings;
        settings.askForProofs = seed % 2 == 0;
        World world(seed, 3, settings);
        world[0].open(world.now);
        world[1].open(world.now);
        world.runFor(1100ms);
        world.setMess(messOf(seed, 20));
        talk(world, 10);
        world[2].open(world.now);
        talk(world, 20);
        world.setMess(clean);
        // With proofs it may have joined only now, behind all that was said.
        world.runFor(1100ms);
        for (const auto& host : world.hosts) {
            host->emit(10);
            host->flush(world.now);
            world.runFor(1ms);
        }
        CHECK(world.runUntil([&] { return world.allKnown() && world.allQuiet(); }, 10s));
        CHECK(world[1].agreesWith(world[0]));
        CHECK(world[0].agreesWith(world[1]));
        // Wherever it joined: no hole behind that.
        const ModelHost::Heard& heard = world[2].heard(world[0]);
        CHECK(heard.gaps.empty());
        const std::uint64_t joined = heard.missed.empty() ? 0 : heard.missed.back() + 1;
        CHECK(world[2].agreesWith(world[0], joined));
    }
}

TEST_CASE("a host that says goodbye is heard to the end, or what is missing is reported soon") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        World world(seed, 3, {});
        world.open();
        world.setMess(messOf(seed, 20));
        talk(world, 10);
        world[0].close(world.now);
        world.setMess(clean);
        world.runFor(200ms);
        for (const std::size_t other : {1, 2}) {
            // The goodbye itself may be lost: then silence says it.
            const auto& notices = world[other].notices();
            const bool said =
                std::find(notices.begin(), notices.end(), "-alpha:goodbye") != notices.end();
            if (!said) continue;
            CHECK(world[other].agreesWith(world[0]));
            CHECK(world[other].receiver().memoryUsed() == 0);
        }
        world.runFor(70s);
        CHECK(world[1].receiver().memoryUsed() == 0);
        CHECK(world[1].agreesWith(world[2]));
        CHECK(world[2].agreesWith(world[1]));
        CHECK_FALSE(world[1].sender().flow().find(world[0].session()));
    }
}

TEST_CASE("a host cut off for so long that it counted as gone is back without a gap") {
    ModelSettings settings;
    settings.askForProofs = true;
    World world(1, 3, settings);
    world.open();
    world.network.cut(2, world.now + 20s);
    for (int i = 0; i < 400; ++i) {
        for (std::size_t host = 0; host < 3; ++host) {
            world[host].emit(1000);
            world[host].flush(world.now);
        }
        world.runFor(50ms);
    }
    CHECK(world[0].notices() == std::vector<std::string>{"+beta", "+gamma", "-gamma:silent"});
    settle(world, 10s);
    CHECK(world[0].notices().back() == "+gamma");
    CHECK(world.gaps() == 0);
    CHECK(world[2].heard(world[0]).events == 400);
    CHECK(world[0].heard(world[2]).events == 400);
}

TEST_CASE(
    "an event whose sender fell silent in the middle of it is reported, if it comes too late") {
    ModelSettings settings;
    settings.rate = 100'000;
    settings.maxEvent = std::size_t{1} << 20;
    World world(1, 2, settings);
    world.open();
    world[0].emit(300'000);
    world[0].emit(10);
    world[0].flush(world.now);
    world.runFor(100ms);
    world[0].stop(world.now + 90s);
    world.runFor(80s);
    CHECK(world[1].receiver().memoryUsed() == 0);
    CHECK(world[1].heard(world[0]).gaps.size() == 1);
    settle(world, 20s);
    CHECK(world[1].heard(world[0]).events == 1);
}

TEST_CASE("what a sender leaves out for want of room is told to all, and the rest comes in order") {
    for (unsigned seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        ModelSettings settings;
        settings.queueRoom = 50'000;
        settings.rate = 1'000'000;
        World world(seed, 3, settings);
        world.open();
        world.setMess(messOf(seed, 20));
        for (int i = 0; i < 300; ++i) {
            world[0].push(anySize(world.network));
            if (i % 7 == 0) world[0].flush(world.now);
            if (i % 50 == 0) world.runFor(20ms);
        }
        world[0].flush(world.now);
        world.setMess(clean);
        world.runFor(3s);
        const std::uint64_t dropped = world[0].packer().counts().dropped;
        CHECK(dropped > 0);
        for (const std::size_t other : {1, 2}) {
            CHECK(world[other].agreesWith(world[0]));
            CHECK(world[other].heard(world[0]).gaps.empty());
            CHECK(world[other].heard(world[0]).dropped == dropped);
            CHECK(world[other].bad().empty());
        }
    }
}

TEST_CASE("of many who miss the same few ask") {
    ModelSettings settings;
    World world(1, 4, settings);
    world.open();
    std::uint64_t lost = 0;
    for (int i = 0; i < 2000; ++i) {
        // On the way from alpha: all of the others miss it.
        const bool lose = i % 20 == 10;
        if (lose) world.setMess({100, 0, 0, 1ms});
        lost += lose ? 1 : 0;
        world[0].emit(1000);
        world[0].flush(world.now);
        world.setMess(clean);
        world.runFor(1ms);
    }
    settle(world, 5s);
    CHECK(world.gaps() == 0);
    std::uint64_t asked = 0;
    for (std::size_t host = 1; host < 4; ++host) asked += world[host].datagramsSent(Type::nak);
    CHECK(asked >= lost);
    CHECK(asked <= 3 * lost);
    CHECK(world[0].sender().counts().repaired <= lost + lost / 10);
}
