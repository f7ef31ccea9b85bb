// Hosts with keys: who has the right one understands, who has not is counted and named, and keys
// change under traffic.
#include <doctest/doctest.h>

#include <sstream>

#include "keys.hpp"
#include "presence.hpp"
#include "printing.hpp"
#include "stream.hpp"
#include "weather.hpp"

using namespace netcluster::scenario;

namespace {

HostConfig keyed(const KeyFile& file) {
    return {.more = std::string(roomyQueues) + ", " + file.setting()};
}

/// Lines of the log that name the address and speak of a key.
int linesAboutKeyOf(const Host& host, const std::string& address) {
    std::istringstream log(host.daemon().log());
    int count = 0;
    for (std::string line; std::getline(log, line);) {
        count += line.find(address) != std::string::npos && line.find("key") != std::string::npos;
    }
    return count;
}

bool countsBad(const Host& host) {
    return !host.linkStats().at("malformed").empty();
}

/// Hosts that do not wait for each other when they start, because they never hear each other.
struct Strangers {
    Strangers(const HostConfig& one, const HostConfig& two) : lab({one, two}, unplugged) {
        lab.plug(lab[0]);
        lab.plug(lab[1]);
    }

    // Some of the signs of life, and events, that the other cannot read.
    void talk() {
        Collector first(lab[0].socket("A"), {"h2"}, Collector::Hears::everything);
        Collector second(lab[1].socket("A"), {"h1"}, Collector::Hears::everything);
        Emitter one(lab[0].socket("A"), "h1");
        Emitter two(lab[1].socket("A"), "h2");
        for (int n = 0; n < 20; ++n) {
            one.emit(10);
            two.emit(10);
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        await("bad datagrams counted", [&] { return countsBad(lab[0]) && countsBad(lab[1]); });
        CHECK(first.of("h2").received == 0);
        CHECK(second.of("h1").received == 0);
        for (std::size_t n = 0; n < 2; ++n) {
            CHECK(hostsHeard(lab[n]) == 0);
            CHECK(lab[n].linkStats().at("received").at("events") == 0);
            CAPTURE(lab[n].daemon().log());
            CHECK(linesAboutKeyOf(lab[n], lab[1 - n].address()) == 1);
        }
    }

    Lab lab;
};

/// Two hosts that send to each other all the time, and a third that listens.
struct Rotation {
    Rotation() : lab({keyed(files[0]), keyed(files[1]), keyed(files[2])}) {
        emitters.push_back(std::make_unique<Emitter>(lab[0].socket("A"), "h1"));
        emitters.push_back(std::make_unique<Emitter>(lab[1].socket("A"), "h2"));
        for (const auto& [host, streams] :
             {std::pair<std::size_t, std::vector<std::string>>{0, {"h2"}},
              {1, {"h1"}},
              {2, {"h1", "h2"}}}) {
            collectors.push_back(std::make_unique<Collector>(lab[host].socket("A"), streams));
        }
    }

    Json onEach(const Json& request) {
        Json last;
        for (std::size_t n = 0; n < lab.size(); ++n) {
            last = lab[n].daemon().ask("keys", request);
            CAPTURE(last.dump());
            CHECK_FALSE(last.contains("error"));
            settleAll();
        }
        return last;
    }

    void settleAll() {
        for (std::size_t n = 0; n < emitters.size(); ++n) {
            const std::uint64_t upTo = emitters[n]->emitted();
            for (const std::size_t host : {1 - n, std::size_t{2}}) {
                const auto done = [&](const Heardof& heard) { return heard.next >= upTo; };
                CHECK(collectors[host]->waitFor(emitters[n]->stream(), done, patience()));
            }
        }
    }

    void rotateUnderTraffic() {
        Flow first(*emitters[0], 2000);
        Flow second(*emitters[1], 2000);
        onEach({{"do", "add"}, {"id", 2}, {"key", secondKey}});
        onEach({{"do", "use"}, {"id", 2}});
        onEach({{"do", "remove"}, {"id", 1}});
        first.stop();
        second.stop();
        settle(*emitters[0], {collectors[1].get(), collectors[2].get()});
        settle(*emitters[1], {collectors[0].get(), collectors[2].get()});
    }

    void checkNothingMissing() {
        for (std::size_t host = 0; host < lab.size(); ++host) {
            for (std::size_t n = 0; n < emitters.size(); ++n) {
                if (n == host) continue;
                const Heardof heard = collectors[host]->of(emitters[n]->stream());
                CAPTURE(host);
                CAPTURE(heard);
                CHECK(heard.received == emitters[n]->emitted());
                CHECK(heard.missing == 0);
                CHECK(heard.repeated == 0);
                CHECK(heard.wrong == 0);
            }
            const Json gaps = lab[host].linkStats().at("gaps");
            CAPTURE(gaps.dump());
            CHECK(gaps.at("count") == 0);
            CHECK(gaps.at("events") == 0);
            for (std::size_t n = 0; n < lab.size(); ++n) {
                if (n != host) CHECK(sessionsOf(lab[host], lab[n].name()).size() == 1);
            }
        }
    }

    // Each host has its own: it is written when keys change.
    KeyFile files[3] = {KeyFile(firstKey), KeyFile(firstKey), KeyFile(firstKey)};
    Lab lab;
    std::vector<std::unique_ptr<Emitter>> emitters;
    std::vector<std::unique_ptr<Collector>> collectors;
};

}  // namespace

TEST_CASE("hosts with the same key hear each other, also while 5 % is lost") {
    const KeyFile file(firstKey);
    Lab lab({keyed(file), keyed(file)}, atSwitch);
    dropAtRandom(lab[1].network(), 5);
    Emitter emitter(lab[0].socket("A"), "h1", {.size = 100, .largeSize = 50'000, .largeEvery = 50});
    Collector collector(lab[1].socket("A"), {"h1"});
    emitter.emit(scaled(20'000));
    settle(emitter, {&collector});
    const Heardof heard = collector.of("h1");
    CAPTURE(heard);
    CHECK(heard.received == emitter.emitted());
    CHECK(heard.missing == 0);
    CHECK(heard.repeated == 0);
    CHECK(heard.wrong == 0);
    CHECK(lab[1].linkStats().at("malformed").empty());
}

TEST_CASE("hosts with different keys hear nothing of each other, and say why, once") {
    const KeyFile one(firstKey);
    const KeyFile two(secondKey);
    Strangers(keyed(one), keyed(two)).talk();
}

TEST_CASE("hosts with different keys of different ids hear nothing of each other, and say why") {
    const KeyFile one(firstKey, 1);
    const KeyFile two(secondKey, 2);
    Strangers(keyed(one), keyed(two)).talk();
}

TEST_CASE("a host with a key and one without hear nothing of each other, and say why") {
    const KeyFile file(firstKey);
    Strangers(keyed(file), {}).talk();
}

TEST_CASE("keys change under traffic: added, used, the old one removed; nothing is lost") {
    Rotation rotation;
    rotation.rotateUnderTraffic();
    rotation.checkNothingMissing();
}

TEST_CASE("keys change under traffic while 1 % is lost: nothing is lost") {
    Rotation rotation;
    for (std::size_t n = 0; n < 3; ++n) dropAtRandom(rotation.lab[n].network(), 1);
    rotation.rotateUnderTraffic();
    for (std::size_t n = 0; n < 3; ++n) dropAtRandom(rotation.lab[n].network(), 0);
    rotation.checkNothingMissing();
}

TEST_CASE("a key that was removed opens nothing any more") {
    const KeyFile mine(firstKey);
    const KeyFile theirs(firstKey);
    Lab lab({keyed(mine), keyed(theirs)}, atSwitch);
    Collector collector(lab[1].socket("A"), {"h1"});
    Emitter emitter(lab[0].socket("A"), "h1");
    emitter.emit(10);
    settle(emitter, {&collector});
    for (const Json& request :
         {Json{{"do", "add"}, {"id", 2}, {"key", secondKey}}, Json{{"do", "use"}, {"id", 2}},
          Json{{"do", "remove"}, {"id", 1}}}) {
        lab[1].daemon().ask("keys", request);
    }
    emitter.emit(10);
    await("a bad datagram counted", [&] { return countsBad(lab[1]); });
    CHECK(collector.of("h1").received == 10);
}

TEST_CASE("changed keys are still the same after a restart") {
    Rotation rotation;
    rotation.rotateUnderTraffic();
    rotation.collectors[2].reset();
    rotation.lab[2].start(keyed(rotation.files[2]));
    rotation.lab[2].awaitOnline({&rotation.lab[0], &rotation.lab[1]});
    Collector collector(rotation.lab[2].socket("A"), {"h3 hears"});
    Emitter emitter(rotation.lab[0].socket("A"), "h3 hears");
    emitter.emit(10);
    settle(emitter, {&collector});
    CHECK(collector.of("h3 hears").received == 10);
}

TEST_CASE("a key file that others may read, or that holds no good key, is refused at the start") {
    const Scratch scratch;
    const std::string good =
        std::string(R"([{"id": 1, "key": ")") + firstKey + R"(", "use": "tx"}])";
    const auto refusal = [&](const std::string& text, mode_t mode) {
        chmod(scratch.write("keys.json", text).c_str(), mode);
        const std::string config = scratch.write(
            "config.json",
            R"({"netkeyfile": "keys.json", "netinterface": "lo", "channels": {"control": {}}})");
        const Outcome outcome = runServer({"-c", config, "--rundir", scratch.file("run")});
        CHECK(outcome.status != 0);
        return outcome.err;
    };
    for (const std::string& said :
         {refusal(good, 0644), refusal("[]", 0600), refusal("", 0600),
          refusal(R"([{"id": 1, "key": "c2hvcnQ=", "use": "tx"}])", 0600)}) {
        CAPTURE(said);
        CHECK(said.find("keys.json") != std::string::npos);
        CHECK(said.find(firstKey) == std::string::npos);
    }
}
