// The whole receiving half against seeded messy networks, in virtual time.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "lossy_network.hpp"
#include "receiver_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace {

// Two hosts talk through a messy network; the receiver's view is held against what was sent.
struct Conversation : Hearing {
    Conversation(unsigned seed, Mess mess) : network(seed, mess) {}

    void runTo(Time end) {
        for (;;) {
            const Time arrival = network.next().value_or(Time::max());
            const auto deadline = receiver.deadline();
            if (deadline && *deadline < arrival) {
                if (*deadline > end) break;
                now = *deadline;
                receiver.expireHoles(now);
                continue;
            }
            if (arrival > end) break;
            now = arrival;
            hear(network.take());
        }
        now = end;
    }

    void say(Host& host, std::set<std::string>& sent) {
        const std::string name = host.name + std::to_string(1'000'000 + sent.size());
        sent.insert(name);
        const std::uint32_t size = network.chance(30) ? network.number(6000) : network.number(50);
        for (const auto& datagram : host.emit(bytesNamed(name, patterned(size)))) {
            network.send(now, datagram);
        }
    }

    void run() {
        // Both are known before the mess begins, so that every number counts.
        hear(alpha.heartbeat());
        hear(beta.heartbeat());
        for (int i = 0; i < 60; ++i) {
            say(alpha, fromAlpha);
            say(beta, fromBeta);
            runTo(now + std::chrono::microseconds(network.number(3000)));
        }
        runTo(now + 1s);
        hear(alpha.heartbeat());
        hear(beta.end());
        runTo(now + 1s);
        check(alpha, fromAlpha);
        check(beta, fromBeta);
        CHECK(receiver.memoryUsed() == 0);
        CHECK(witness.bad.empty());
    }

    void check(const Host& host, const std::set<std::string>& sent) {
        std::vector<std::string> heard;
        for (const Witness::Event& event : witness.events) {
            if (event.host != host.name) continue;
            heard.push_back(event.name);
            REQUIRE(event.payload == patterned(event.payload.size()));
        }
        // Names count upwards: sorted is in order, and a set has no duplicates.
        REQUIRE(std::is_sorted(heard.begin(), heard.end()));
        REQUIRE(std::set<std::string>(heard.begin(), heard.end()).size() == heard.size());
        const Remote::Counts& counts = receiver.remotes().at(host.session)->counts();
        CHECK(counts.datagrams + counts.lost == host.sequence);
        // Every datagram holds one event or a part of one.
        CHECK(sent.size() - heard.size() <= counts.lost);
        if (counts.lost != 0) CHECK(heard.size() < sent.size());
    }

    LossyNetwork<std::string> network;
    std::set<std::string> fromAlpha, fromBeta;
};

}  // namespace

TEST_CASE("in a thousand messy networks events come once, in order, and every loss is reported") {
    for (unsigned seed = 0; seed < 1000; ++seed) {
        CAPTURE(seed);
        const int percent = static_cast<int>(seed % 30);
        Conversation(seed,
                     {percent, percent / 2, percent, std::chrono::milliseconds(1 + seed % 40)})
            .run();
    }
}

TEST_CASE("in networks that only reorder and repeat every event comes") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        Conversation conversation(seed, {0, 25, 25, 15ms});
        conversation.run();
        CHECK(conversation.witness.events.size() == 120);
        CHECK(conversation.witness.gaps == 0);
    }
}
