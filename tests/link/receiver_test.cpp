#include "receiver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "receiver_testing.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::chrono_literals;

namespace {

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(Hearing, "events arrive with the name of the host they came from") {
    hear(alpha.emit(eventNamed("one", "1")));
    hear(beta.emit(eventNamed("two", "2")));
    CHECK(witness.names() == Strings{"one", "two"});
    CHECK(witness.events[0].host == "alpha");
    CHECK(witness.events[1].host == "beta");
    CHECK(witness.hosts == Strings{"+alpha", "+beta"});
}

TEST_CASE_FIXTURE(Hearing, "the same datagram over two paths is one event") {
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

TEST_CASE_FIXTURE(Hearing, "a lost datagram is a gap with its host and number; the rest arrives") {
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

TEST_CASE_FIXTURE(Hearing, "one sender's hole does not hold up another sender") {
    hear(alpha.emit(eventNamed("a1", "1")));
    alpha.emit(eventNamed("lost", "1"));
    hear(alpha.emit(eventNamed("a3", "3")));
    hear(beta.emit(eventNamed("b1", "1")));
    CHECK(witness.names() == Strings{"a1", "b1"});
}

TEST_CASE_FIXTURE(Hearing, "a message with a lost fragment is dropped whole") {
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

TEST_CASE_FIXTURE(Hearing,
                  "who joins in the middle of a message waits for the next, without a gap") {
    auto datagrams = alpha.emit(bytesNamed("large", patterned(5000)));
    datagrams.erase(datagrams.begin());
    hear(datagrams);
    hear(alpha.emit(eventNamed("after", "1")));
    CHECK(witness.names() == Strings{"after"});
    CHECK(witness.gaps == 0);
    CHECK(receiver.incomplete() == 0);
}

TEST_CASE_FIXTURE(Hearing, "a heartbeat reveals a lost tail") {
    hear(alpha.emit(eventNamed("one", "1")));
    alpha.emit(eventNamed("lost", "1"));
    hear(alpha.heartbeat());
    CHECK(witness.gaps == 0);
    pass(20ms);
    CHECK(witness.gaps == 1);
    CHECK(witness.lost == 1);
}

TEST_CASE_FIXTURE(Hearing, "an END reveals a lost tail, and the host is gone") {
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

TEST_CASE_FIXTURE(Hearing, "a host silent for five heartbeats is gone, and back when it speaks") {
    hear(alpha.heartbeat());
    pass(5000ms);
    CHECK(witness.hosts == Strings{"+alpha"});
    pass(1ms);
    CHECK(witness.hosts == Strings{"+alpha", "-alpha"});
    hear(alpha.heartbeat());
    CHECK(witness.hosts == Strings{"+alpha", "-alpha", "+alpha"});
}

TEST_CASE_FIXTURE(Hearing, "what was sent while the network was split is reported afterwards") {
    hear(alpha.emit(eventNamed("before", "1")));
    for (int i = 0; i < 10; ++i) alpha.emit(eventNamed("lost", "1"));
    pass(60s);
    hear(alpha.emit(eventNamed("after", "1")));
    pass(20ms);
    CHECK(witness.names() == Strings{"before", "after"});
    CHECK(witness.lost == 10);
}

TEST_CASE_FIXTURE(Hearing, "a message whose sender fell silent is given up") {
    auto datagrams = alpha.emit(bytesNamed("large", patterned(5000)));
    datagrams.pop_back();
    hear(datagrams);
    CHECK(receiver.memoryUsed() > 0);
    pass(31s);
    CHECK(receiver.memoryUsed() == 0);
    CHECK(receiver.incomplete() == 1);
}

TEST_CASE_FIXTURE(Hearing, "numbers that jump are not believed, and the sender is heard again") {
    hear(alpha.emit(eventNamed("one", "1")));
    std::string forged = alpha.begin(Type::data);
    appendDataHead(forged, numberLimit - 1, "alpha", Form::events);
    hear(forged);
    hear(alpha.emit(eventNamed("two", "1")));
    CHECK(witness.names() == Strings{"one", "two"});
    CHECK(receiver.totals().resets == 1);
    CHECK(witness.lost == 0);
}

TEST_CASE_FIXTURE(Hearing, "a session has one name") {
    hear(alpha.emit(eventNamed("one", "1")));
    std::string forged = alpha.begin(Type::data);
    appendDataHead(forged, 2, "someone else", Form::events);
    hear(forged);
    CHECK(witness.bad == std::vector<Bad>{Bad::hostName});
}

TEST_CASE_FIXTURE(Hearing, "a restarted host is another session with the same name") {
    hear(alpha.emit(eventNamed("old", "1")));
    Host again(3, "alpha");
    hear(again.emit(eventNamed("new", "1")));
    CHECK(witness.names() == Strings{"old", "new"});
    CHECK(witness.gaps == 0);
}

TEST_CASE_FIXTURE(Hearing, "sessions beyond the limit are refused until one is idle") {
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

TEST_CASE_FIXTURE(Hearing, "a thousand spoofed sessions with half a message each stay in bounds") {
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

TEST_CASE_FIXTURE(Hearing, "a bad event is dropped, those around it arrive") {
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

TEST_CASE_FIXTURE(Hearing, "flipped bits never break the receiver, and a good host works after") {
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
