#include "receiver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "link_testing.hpp"
#include "lossy_network.hpp"
#include "packer.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::chrono_literals;

namespace {

// Another daemon, up to the point where its datagrams would leave.
struct Host {
    Host(std::uint8_t id, std::string hostName, std::size_t maxEvent = 65536)
        : session(uuidOf(id)), name(hostName), packer(session, hostName, maxEvent, queue) {}

    std::vector<std::string> emit(const wire::EventView& event) {
        packer.add(event);
        return out();
    }
    std::vector<std::string> out() {
        std::vector<std::string> datagrams;
        packer.close();
        for (; !queue.empty(); queue.pop()) {
            stampPacket(queue.front().datagram, ++packet);
            sequence = queue.front().sequence;
            datagrams.push_back(queue.front().datagram);
        }
        return datagrams;
    }
    std::string begin(Type type) {
        std::string datagram;
        appendHeader(datagram, {type, session, ++packet});
        return datagram;
    }
    std::string heartbeat() {
        std::string datagram = begin(Type::heartbeat);
        appendHeartbeat(datagram, {sequence, 5000, uuidOf(0xEE), name, "2.0"});
        return datagram;
    }
    std::string end() {
        std::string datagram = begin(Type::end);
        appendEnd(datagram, sequence);
        return datagram;
    }

    wire::Uuid session;
    std::string name;
    DatagramQueue queue{std::size_t{8} << 20};
    Packer packer;
    std::uint64_t packet = 0;
    std::uint64_t sequence = 0;
};

struct Fixture {
    void hear(const std::string& datagram) {
        Header header;
        REQUIRE(readHeader(datagram, header) == Bad::none);
        receiver.onDatagram(now, header, std::string_view(datagram).substr(headerSize),
                            somewhere());
    }
    void hear(const std::vector<std::string>& datagrams) {
        for (const std::string& datagram : datagrams) hear(datagram);
    }
    void pass(std::chrono::milliseconds time) {
        now += time;
        receiver.expireHoles(now);
        receiver.expireSilent(now);
    }

    Witness witness;
    Receiver receiver{65536, 1000ms, witness};
    Time now{1h};
    Host alpha{1, "alpha"};
    Host beta{2, "beta"};
};

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(Fixture, "events arrive with the name of the host they came from") {
    hear(alpha.emit(eventNamed("one", "1")));
    hear(beta.emit(eventNamed("two", "2")));
    CHECK(witness.names() == Strings{"one", "two"});
    CHECK(witness.events[0].host == "alpha");
    CHECK(witness.events[1].host == "beta");
    CHECK(witness.hosts == Strings{"+alpha", "+beta"});
}

TEST_CASE_FIXTURE(Fixture, "the same datagram over two paths is one event") {
    const auto datagrams = alpha.emit(bytesNamed("large", patterned(5000)));
    for (const std::string& datagram : datagrams) {
        hear(datagram);
        hear(datagram);
    }
    hear(datagrams);
    CHECK(witness.names() == Strings{"large"});
    CHECK(receiver.totals().duplicates == 2 * datagrams.size());
    CHECK(witness.gaps == 0);
}

TEST_CASE_FIXTURE(Fixture, "a lost datagram is a gap with its host and number; the rest arrives") {
    hear(alpha.emit(eventNamed("one", "1")));
    alpha.emit(eventNamed("lost", "1"));
    hear(alpha.emit(eventNamed("three", "3")));
    CHECK(witness.names() == Strings{"one"});
    pass(20ms);
    CHECK(witness.names() == Strings{"one", "three"});
    CHECK(witness.lost == 1);
    CHECK(witness.firstLost == 2);
    CHECK(witness.lastLost == 2);
}

TEST_CASE_FIXTURE(Fixture, "one sender's hole does not hold up another sender") {
    hear(alpha.emit(eventNamed("a1", "1")));
    alpha.emit(eventNamed("lost", "1"));
    hear(alpha.emit(eventNamed("a3", "3")));
    hear(beta.emit(eventNamed("b1", "1")));
    CHECK(witness.names() == Strings{"a1", "b1"});
}

TEST_CASE_FIXTURE(Fixture, "a message with a lost fragment is dropped whole") {
    hear(alpha.emit(eventNamed("one", "1")));
    auto datagrams = alpha.emit(bytesNamed("large", patterned(5000)));
    datagrams.erase(datagrams.begin() + 2);
    hear(datagrams);
    hear(alpha.emit(eventNamed("after", "1")));
    pass(20ms);
    CHECK(witness.names() == Strings{"one", "after"});
    CHECK(receiver.incomplete() == 1);
    CHECK(receiver.totals().lost == 1);
    CHECK(receiver.memoryUsed() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "who joins in the middle of a message waits for the next, without a gap") {
    auto datagrams = alpha.emit(bytesNamed("large", patterned(5000)));
    datagrams.erase(datagrams.begin());
    hear(datagrams);
    hear(alpha.emit(eventNamed("after", "1")));
    CHECK(witness.names() == Strings{"after"});
    CHECK(witness.gaps == 0);
    CHECK(receiver.incomplete() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a heartbeat reveals a lost tail") {
    hear(alpha.emit(eventNamed("one", "1")));
    alpha.emit(eventNamed("lost", "1"));
    hear(alpha.heartbeat());
    CHECK(witness.gaps == 0);
    pass(20ms);
    CHECK(witness.gaps == 1);
    CHECK(witness.lost == 1);
}

TEST_CASE_FIXTURE(Fixture, "an END reveals a lost tail, and the host is gone") {
    hear(alpha.emit(eventNamed("one", "1")));
    alpha.emit(eventNamed("lost", "1"));
    hear(alpha.end());
    CHECK(witness.hosts == Strings{"+alpha", "-alpha"});
    pass(20ms);
    CHECK(witness.lost == 1);

    hear(alpha.emit(eventNamed("ghost", "1")));
    CHECK(witness.bad == std::vector<Bad>{Bad::afterEnd});
    hear(alpha.heartbeat());
    CHECK(witness.hosts.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "a host silent for five heartbeats is gone, and back when it speaks") {
    hear(alpha.heartbeat());
    pass(5000ms);
    CHECK(witness.hosts == Strings{"+alpha"});
    pass(1ms);
    CHECK(witness.hosts == Strings{"+alpha", "-alpha"});
    hear(alpha.heartbeat());
    CHECK(witness.hosts == Strings{"+alpha", "-alpha", "+alpha"});
}

TEST_CASE_FIXTURE(Fixture, "what was sent while the network was split is reported afterwards") {
    hear(alpha.emit(eventNamed("before", "1")));
    for (int i = 0; i < 10; ++i) alpha.emit(eventNamed("lost", "1"));
    pass(60s);
    hear(alpha.emit(eventNamed("after", "1")));
    pass(20ms);
    CHECK(witness.names() == Strings{"before", "after"});
    CHECK(witness.lost == 10);
}

TEST_CASE_FIXTURE(Fixture, "a message whose sender fell silent is given up") {
    auto datagrams = alpha.emit(bytesNamed("large", patterned(5000)));
    datagrams.pop_back();
    hear(datagrams);
    CHECK(receiver.memoryUsed() > 0);
    pass(31s);
    CHECK(receiver.memoryUsed() == 0);
    CHECK(receiver.incomplete() == 1);
}

TEST_CASE_FIXTURE(Fixture, "numbers that jump are not believed, and the sender is heard again") {
    hear(alpha.emit(eventNamed("one", "1")));
    std::string forged = alpha.begin(Type::data);
    appendDataHead(forged, numberLimit - 1, "alpha", Form::events);
    hear(forged);
    hear(alpha.emit(eventNamed("two", "1")));
    CHECK(witness.names() == Strings{"one", "two"});
    CHECK(receiver.totals().resets == 1);
    CHECK(witness.lost == 0);
}

TEST_CASE_FIXTURE(Fixture, "a session has one name") {
    hear(alpha.emit(eventNamed("one", "1")));
    std::string forged = alpha.begin(Type::data);
    appendDataHead(forged, 2, "someone else", Form::events);
    hear(forged);
    CHECK(witness.bad == std::vector<Bad>{Bad::hostName});
}

TEST_CASE_FIXTURE(Fixture, "a restarted host is another session with the same name") {
    hear(alpha.emit(eventNamed("old", "1")));
    Host again(3, "alpha");
    hear(again.emit(eventNamed("new", "1")));
    CHECK(witness.names() == Strings{"old", "new"});
    CHECK(witness.gaps == 0);
}

TEST_CASE_FIXTURE(Fixture, "sessions beyond the limit are refused until one is idle") {
    std::vector<std::unique_ptr<Host>> hosts;
    for (std::size_t i = 0; i < maxSessions; ++i) {
        hosts.push_back(std::make_unique<Host>(static_cast<std::uint8_t>(10 + i), "crowd"));
        hear(hosts.back()->emit(eventNamed("in", "1")));
    }
    hear(alpha.emit(eventNamed("refused", "1")));
    CHECK(witness.bad == std::vector<Bad>{Bad::tooManySessions});
    CHECK(receiver.remotes().size() == maxSessions);

    pass(29s);
    for (std::size_t i = 1; i < maxSessions; ++i) hear(hosts[i]->heartbeat());
    pass(2s);
    hear(alpha.emit(eventNamed("accepted", "1")));
    CHECK(witness.events.back().name == "accepted");
    CHECK(receiver.remotes().size() == maxSessions);
    CHECK_FALSE(receiver.remotes().contains(uuidOf(10)));
    CHECK(receiver.totals().events == maxSessions + 1);
}

TEST_CASE_FIXTURE(Fixture, "a thousand spoofed sessions with half a message each stay in bounds") {
    const std::string bytes = patterned(1000);
    for (std::uint32_t i = 0; i < 1000; ++i) {
        Header header;
        header.session[0] = static_cast<std::uint8_t>(i);
        header.session[1] = static_cast<std::uint8_t>(i >> 8);
        header.packet = 1;
        std::string datagram;
        appendHeader(datagram, header);
        appendDataHead(datagram, 5, "spoof", Form::fragment);
        appendFragmentHead(datagram, {65536, 0, 60, {}});
        datagram += bytes;
        hear(datagram);
    }
    CHECK(receiver.remotes().size() == maxSessions);
    CHECK(receiver.memoryUsed() <= maxSessions * 16384);
}

TEST_CASE_FIXTURE(Fixture, "a bad event is dropped, those around it arrive") {
    std::string datagram = alpha.begin(Type::data);
    appendDataHead(datagram, 1, "alpha", Form::events);
    wire::appendEvent(datagram, eventNamed("good", "1"));
    wire::appendEvent(datagram, eventNamed("nc-control-reloadconfig", "1"));
    wire::appendEvent(datagram, eventNamed("worse", "{"));
    wire::appendEvent(datagram, eventNamed("also good", "1"));
    datagram += "rest";
    hear(datagram);
    CHECK(witness.names() == Strings{"good", "also good"});
    CHECK(witness.bad == std::vector<Bad>{Bad::reservedName, Bad::json, Bad::event});
}

TEST_CASE_FIXTURE(Fixture, "flipped bits never break the receiver, and a good host works after") {
    auto datagrams = alpha.emit(bytesNamed("large", patterned(3000)));
    datagrams.push_back(alpha.heartbeat());
    datagrams.push_back(alpha.end());
    for (std::string& datagram : alpha.emit(eventNamed("small", "[1,2]"))) {
        datagrams.push_back(datagram);
    }
    std::mt19937 random(1);
    for (int round = 0; round < 20000; ++round) {
        std::string datagram = datagrams[random() % datagrams.size()];
        for (unsigned flips = 1 + random() % 4; flips > 0; --flips) {
            char& byte = datagram[random() % std::min<std::size_t>(datagram.size(), 120)];
            byte = static_cast<char>(byte ^ (1 << random() % 8));
        }
        datagram.resize(random() % 8 == 0 ? random() % datagram.size() : datagram.size());
        Header header;
        if (readHeader(datagram, header) != Bad::none) continue;
        receiver.onDatagram(now, header, std::string_view(datagram).substr(headerSize),
                            somewhere());
        if (round % 100 == 0) pass(5ms);
    }
    pass(61s);
    hear(beta.emit(eventNamed("fine", "1")));
    CHECK(witness.events.back().name == "fine");
    CHECK(witness.events.back().host == "beta");
}

namespace {

// Two hosts talk through a messy network; the receiver's view is held against what was sent.
struct Conversation : Fixture {
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
