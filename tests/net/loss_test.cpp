// Two hosts send at full speed to three while the network loses, doubles and delays: every event
// arrives once and in order, or is reported.
#include <doctest/doctest.h>

#include <future>
#include <numeric>

#include "printing.hpp"
#include "stream.hpp"
#include "weather.hpp"

using namespace netcluster::scenario;

namespace {

// Ten small events, then a large one: 200,000 and 20,000 in all.
constexpr Shape mixed{.size = 100, .largeSize = 8192, .largeEvery = 11};
constexpr std::uint64_t fullCount = 220'000;
// Small events of this size that share a datagram, at most.
constexpr std::uint64_t eventsPerDatagram = 12;

HostConfig roomy() {
    return {.more = std::string(roomyQueues)};
}

/// Two senders and who hears them. The first two hosts send, all three listen.
struct Assembly {
    Assembly() : lab({roomy(), roomy(), roomy()}) {
        for (std::size_t n = 0; n < senders; ++n) {
            emitters.push_back(std::make_unique<Emitter>(lab[n].socket("A"), lab[n].name(), mixed));
        }
        for (std::size_t n = 0; n < lab.size(); ++n) {
            collectors.push_back(std::make_unique<Collector>(lab[n].socket("A"), heardAt(n)));
        }
    }

    std::vector<std::string> heardAt(std::size_t host) {
        std::vector<std::string> streams;
        for (std::size_t n = 0; n < senders; ++n) {
            if (n != host) streams.push_back(lab[n].name());
        }
        return streams;
    }

    void sendAll() {
        std::vector<std::future<void>> sending;
        for (auto& emitter : emitters) {
            sending.push_back(
                std::async(std::launch::async, [&emitter] { emitter->emit(scaled(fullCount)); }));
        }
        for (auto& future : sending) future.get();
        for (std::size_t n = 0; n < senders; ++n) {
            std::vector<Collector*> others;
            for (std::size_t k = 0; k < lab.size(); ++k) {
                if (k != n) others.push_back(collectors[k].get());
            }
            settle(*emitters[n], others);
        }
    }

    void checkOnceAndInOrder(std::size_t host) {
        for (const std::string& stream : heardAt(host)) {
            const Heardof heard = collectors[host]->of(stream);
            CAPTURE(stream);
            CAPTURE(heard);
            CHECK(heard.repeated == 0);
            CHECK(heard.wrong == 0);
            CHECK(heard.received + heard.missing == scaled(fullCount));
        }
        CHECK(collectors[host]->lostAtHome() == 0);
    }

    void checkNothingMissing() {
        for (std::size_t host = 0; host < lab.size(); ++host) {
            CAPTURE(host);
            checkOnceAndInOrder(host);
            for (const std::string& stream : heardAt(host)) {
                CHECK(collectors[host]->of(stream).missing == 0);
            }
            const Json gaps = lab[host].linkStats().at("gaps");
            CAPTURE(gaps.dump());
            CHECK(gaps.at("count") == 0);
            CHECK(gaps.at("datagrams") == 0);
            CHECK(gaps.at("events") == 0);
            CHECK(gaps.at("resets") == 0);
        }
    }

    void checkWhatIsMissingIsReported() {
        for (std::size_t host = 0; host < lab.size(); ++host) {
            CAPTURE(host);
            checkOnceAndInOrder(host);
            std::uint64_t holes = 0;
            std::uint64_t missing = 0;
            for (const std::string& stream : heardAt(host)) {
                const Heardof heard = collectors[host]->of(stream);
                CAPTURE(heard);
                holes += heard.holes;
                missing += heard.missing;
            }
            const Json gaps = lab[host].linkStats().at("gaps");
            CAPTURE(gaps.dump());
            const auto datagrams = gaps.at("datagrams").get<std::uint64_t>();
            const auto events = gaps.at("events").get<std::uint64_t>();
            CHECK(missing <= datagrams * eventsPerDatagram + events);
            if (holes > 0) CHECK(gaps.at("count").get<std::uint64_t>() + events > 0);
        }
    }

    static constexpr std::size_t senders = 2;
    Lab lab;
    std::vector<std::unique_ptr<Emitter>> emitters;
    std::vector<std::unique_ptr<Collector>> collectors;
};

void sendWhileLosing(Assembly& all, double percent) {
    for (std::size_t n = 0; n < all.lab.size(); ++n) dropAtRandom(all.lab[n].network(), percent);
    all.sendAll();
    for (std::size_t n = 0; n < all.lab.size(); ++n) CHECK(dropped(all.lab[n].network()) > 0);
}

}  // namespace

TEST_CASE("two senders at full speed: every event once, in order, none missing") {
    Assembly all;
    all.sendAll();
    all.checkNothingMissing();
}

TEST_CASE("1 % lost at every receiver: every event once, in order, none missing") {
    Assembly all;
    sendWhileLosing(all, 1);
    all.checkNothingMissing();
}

TEST_CASE("5 % lost at every receiver: every event once, in order, none missing") {
    Assembly all;
    sendWhileLosing(all, 5);
    all.checkNothingMissing();
}

TEST_CASE("20 % lost at every receiver: every event once, in order, or reported as a gap") {
    Assembly all;
    sendWhileLosing(all, 20);
    all.checkWhatIsMissingIsReported();
}

TEST_CASE("5 % of the datagrams come twice: every event once, in order, none missing") {
    Assembly all;
    for (std::size_t n = 0; n < all.lab.size(); ++n) duplicateTowards(all.lab, all.lab[n], 5);
    all.sendAll();
    all.checkNothingMissing();
    for (std::size_t n = 0; n < all.lab.size(); ++n) {
        CHECK(disturbed(all.lab, all.lab[n]) > 0);
        CHECK(all.lab[n].linkStats().at("received").at("duplicates") > 0);
    }
}

TEST_CASE(
    "4 % of the datagrams are overtaken by others: every event once, in order, none missing") {
    Assembly all;
    for (std::size_t n = 0; n < all.lab.size(); ++n) delayTowards(all.lab, all.lab[n], 4);
    all.sendAll();
    all.checkNothingMissing();
    for (std::size_t n = 0; n < all.lab.size(); ++n) CHECK(disturbed(all.lab, all.lab[n]) > 0);
}

TEST_CASE("a host held to a rate sends no faster, and whoever emits more waits: nothing is lost") {
    const HostConfig slow{.more = std::string(roomyQueues) + R"(, "netrate": 2000000)"};
    Lab lab({slow, roomy()}, atSwitch);
    Emitter emitter(lab[0].socket("A"), "h1", {.size = 1000});
    Collector collector(lab[1].socket("A"), {"h1"});
    const auto from = Clock::now();
    emitter.emit(4000);
    settle(emitter, {&collector});
    // Twice as fast would be no rate any more; how slow it may be is the machine's business.
    CHECK(Clock::now() - from > std::chrono::seconds(1));
    const Heardof heard = collector.of("h1");
    CAPTURE(heard);
    CHECK(heard.received == emitter.emitted());
    CHECK(heard.repeated == 0);
    CHECK(lab[1].linkStats().at("gaps").at("count") == 0);
    CHECK(lab[1].linkStats().at("gaps").at("events") == 0);
}
