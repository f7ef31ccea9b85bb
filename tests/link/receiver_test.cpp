#include "receiver.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "link_testing.hpp"
#include "packer.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::chrono_literals;

namespace {

using Names = std::vector<std::string>;

// Another daemon, up to the point where its datagrams would leave.
struct Host {
    Host(std::uint8_t id, std::string hostName, std::uint8_t hostId = 0)
        : session(uuidOf(id)), host(uuidOf(hostId ? hostId : id)), name(std::move(hostName)) {}

    std::vector<std::string> emit(std::string_view event, std::string_view data = "1") {
        packer.add(runOf(frameOf(eventNamed(event, data))));
        return out();
    }
    std::vector<std::string> emitBytes(std::string_view event, std::size_t size) {
        packer.add(runOf(frameOf(bytesNamed(event, patterned(size)))));
        return out();
    }
    std::vector<std::string> out() {
        packer.close();
        std::vector<std::string> all;
        for (std::uint64_t next = buffer.sent() + 1; next <= buffer.highest(); ++next) {
            all.push_back(begin(Type::data));
            all.back() += buffer.body(next);
        }
        buffer.markSent(buffer.highest());
        return all;
    }
    std::string data(std::uint64_t sequence, std::string_view content, std::uint16_t start = 0) {
        std::string datagram = begin(Type::data);
        appendDataHead(datagram, sequence, name);
        wire::storeLittle(datagram.data() + datagram.size() - 2, start);
        datagram += content;
        return datagram;
    }
    std::string again(std::uint64_t sequence) {
        return begin(Type::data, true) += buffer.body(sequence);
    }
    std::string heartbeat(bool wantsStatus = false, std::uint64_t oldest = 1) {
        Heartbeat heartbeat;
        heartbeat.highest = buffer.sent();
        heartbeat.oldest = oldest;
        heartbeat.host = host;
        heartbeat.wantsStatus = wantsStatus;
        heartbeat.name = name;
        heartbeat.version = "2.0";
        heartbeat.channels = {"A", "main"};
        std::string datagram = begin(Type::heartbeat);
        appendHeartbeat(datagram, heartbeat);
        return datagram;
    }
    std::string end() {
        std::string datagram = begin(Type::end);
        appendEnd(datagram, buffer.sent());
        return datagram;
    }
    std::string nak(const wire::Uuid& target, std::vector<Range> ranges) {
        std::string datagram = begin(Type::nak);
        appendNak(datagram, target, ranges);
        return datagram;
    }
    std::string begin(Type type, bool repeated = false) {
        std::string datagram;
        appendHeader(datagram, {type, 0, session, ++packet, repeated});
        return datagram;
    }

    wire::Uuid session;
    wire::Uuid host;
    std::string name;
    SendBuffer buffer{std::size_t{8} << 20, std::size_t{8} << 20};
    Packer packer{name, 65536, buffer};
    std::uint64_t packet = 0;
};

// A receiver that hears it, by a clock of the test's.
struct Fixture {
    void hear(const std::string& datagram) {
        const std::vector<char> own(datagram.begin(), datagram.end());
        const std::string_view bytes(own.data(), own.size());
        Header header;
        REQUIRE(readHeader(bytes, header) == Bad::none);
        receiver.onDatagram(now, header, bytes.substr(headerSize), somewhere());
    }
    void hear(const std::vector<std::string>& datagrams) {
        for (const std::string& datagram : datagrams) hear(datagram);
    }
    Receiver::Requests requests() {
        Receiver::Requests due;
        receiver.requests(now, due);
        return due;
    }
    Receiver::Requests requestsWhenDue() {
        REQUIRE(receiver.deadline());
        now = std::max(now, *receiver.deadline());
        return requests();
    }
    /// What was told since the last time.
    std::string said() {
        receiver.endBatch();
        receiver.forgetEvents();
        return std::exchange(witness.said, {});
    }
    void pass(std::chrono::milliseconds time) {
        now += time;
        receiver.expireSilent(now, true);
    }
    const Remote& remote(const Host& host) { return *receiver.remotes().at(host.session); }

    Witness witness;
    Receiver receiver{65536, 1000ms, 1, witness};
    Time now{1h};
    Host alpha{1, "alpha"};
    Host beta{2, "beta"};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "a host is online with its first heartbeat, and its events carry its name") {
    hear(alpha.emit("early"));
    CHECK(said() == "early ");
    hear(alpha.heartbeat());
    hear(alpha.heartbeat());
    hear(alpha.emit("hello", "[1]"));
    CHECK(said() == "+alpha hello ");
    CHECK(witness.heard.back() == Witness::Event{"hello", "[1]", "alpha", "A"});
    CHECK(remote(alpha).online);
    CHECK(remote(alpha).introduced);
    CHECK(remote(alpha).version == "2.0");
    CHECK(remote(alpha).channels == Names{"A", "main"});
    CHECK(remote(alpha).address == somewhere());
    CHECK(remote(alpha).counts().events == 2);
    CHECK(remote(alpha).counts().datagrams == 2);
    CHECK(witness.bad.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "events of several hosts are put together while each keeps its own order") {
    hear(alpha.heartbeat());
    hear(beta.heartbeat());
    const auto a = alpha.emitBytes("a-large", 5000);
    const auto b = beta.emitBytes("b-large", 5000);
    for (std::size_t i = 0; i < a.size(); ++i) {
        hear(a[i]);
        hear(b[i]);
    }
    hear(alpha.emit("a2"));
    CHECK(said() == "+alpha +beta a-large b-large a2 ");
    CHECK(witness.heard[0].payload == patterned(5000));
    CHECK(witness.heard[1].host == "beta");
    CHECK(receiver.memoryUsed() == 0);
    CHECK(witness.honest);
}

TEST_CASE_FIXTURE(Fixture, "what got lost is asked for and takes its place") {
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    alpha.emit("2");
    hear(alpha.emit("3"));
    CHECK(said() == "+alpha 1 ");
    const auto due = requestsWhenDue();
    REQUIRE(due.naks.size() == 1);
    CHECK(due.naks[0].target == alpha.session);
    CHECK(due.naks[0].ranges == std::vector<Range>{{2, 2}});
    CHECK(receiver.memoryUsed() != 0);
    hear(alpha.again(2));
    CHECK(said() == "2 3 ");
    CHECK(receiver.memoryUsed() == 0);
    CHECK(receiver.totals().repaired == 1);
    CHECK(receiver.totals().gaps == 0);
    hear(alpha.again(2));
    CHECK(said() == "");
    CHECK(receiver.totals().duplicates == 1);
}

TEST_CASE_FIXTURE(Fixture, "the back-off is short for two hosts, and another's asking is heard") {
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    alpha.emit("2");
    hear(alpha.emit("3"));
    REQUIRE(receiver.deadline());
    CHECK(*receiver.deadline() - now <= nakBackoff);
    hear(beta.nak(alpha.session, {{2, 2}}));
    CHECK(*receiver.deadline() == now + nakRetry);
    // Of a sender unknown to us, and to nobody.
    hear(beta.nak(uuidOf(77), {{2, 2}}));
    CHECK(witness.bad.empty());
}

TEST_CASE_FIXTURE(Fixture, "what is gone is reported between the events before and behind it") {
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    alpha.emit("2");
    alpha.emit("3");
    hear(alpha.emit("4"));
    hear(alpha.heartbeat(false, 4));
    CHECK(said() == "+alpha 1 gap:alpha:gone 4 ");
    REQUIRE(witness.gaps.size() == 1);
    CHECK(witness.gaps[0].count == 2);
    CHECK(witness.gaps[0].first == 2);
    CHECK(witness.gaps[0].last == 3);
    CHECK(receiver.totals().gaps == 1);
    CHECK(receiver.totals().lost == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "a message of which a piece is gone is not put together, the next one is heard") {
    hear(alpha.heartbeat());
    const auto large = alpha.emitBytes("large", 5000);
    for (std::size_t i = 0; i < large.size(); ++i) {
        if (i != 2) hear(large[i]);
    }
    hear(alpha.emit("next"));
    hear(alpha.heartbeat(false, alpha.buffer.sent() + 1));
    CHECK(said() == "+alpha gap:alpha:gone next ");
    CHECK(receiver.incomplete() == 1);
    CHECK(receiver.memoryUsed() == 0);
    CHECK(witness.bad.empty());
}

TEST_CASE_FIXTURE(Fixture, "what the other host left out is reported in its place") {
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    std::string note;
    wire::appendGap(note, {7, 0, 0});
    const std::string next = frameOf(eventNamed("2", "1"));
    hear(alpha.data(2, note + next));
    CHECK(said() == "+alpha 1 gap:alpha:dropped 2 ");
    CHECK(witness.gaps.back().count == 7);
    CHECK(receiver.totals().droppedByHost == 7);
    CHECK(receiver.totals().gaps == 0);

    std::string nothing;
    wire::appendGap(nothing, {0, 0, 0});
    hear(alpha.data(3, nothing));
    CHECK(witness.bad == std::vector{Bad::event});
}

TEST_CASE_FIXTURE(Fixture, "a lost tail is found by the next heartbeat") {
    hear(alpha.heartbeat());
    alpha.emit("1");
    CHECK_FALSE(receiver.deadline());
    hear(alpha.heartbeat());
    CHECK(requestsWhenDue().naks.at(0).ranges == std::vector<Range>{{1, 1}});
    hear(alpha.again(1));
    CHECK(said() == "+alpha 1 ");
}

TEST_CASE_FIXTURE(Fixture,
                  "a goodbye: what is on its way still comes, and what does not is reported soon") {
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    const auto late = alpha.emit("2");
    alpha.emit("3");
    hear(alpha.end());
    CHECK(said() == "+alpha 1 -alpha:goodbye ");
    CHECK_FALSE(remote(alpha).online);
    hear(late);
    CHECK(said() == "2 ");
    hear(alpha.end());  // by a second path
    CHECK(said() == "");
    const Time ended = now;
    CHECK(requestsWhenDue().empty());  // it answers no more
    CHECK(now - ended <= 100ms);
    CHECK(said() == "gap:alpha:lost ");
    CHECK(witness.gaps.back().first == 3);
    CHECK_FALSE(receiver.deadline());
    CHECK(receiver.memoryUsed() == 0);

    hear(alpha.emit("4"));
    CHECK(witness.bad == std::vector{Bad::afterEnd});
    hear(alpha.heartbeat());
    CHECK(said() == "");
    CHECK_FALSE(remote(alpha).online);
}

TEST_CASE_FIXTURE(Fixture, "a goodbye of somebody never heard says nothing") {
    hear(alpha.end());
    CHECK(receiver.remotes().empty());
    CHECK(said() == "");
}

TEST_CASE_FIXTURE(
    Fixture,
    "a host that falls silent expires, and is back with its next heartbeat without a loss") {
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    pass(5000ms);
    CHECK(said() == "+alpha 1 ");
    pass(1ms);
    CHECK(said() == "-alpha:silent ");
    pass(20s);
    CHECK(said() == "");
    alpha.emit("2");
    hear(alpha.emit("3"));
    hear(alpha.heartbeat());
    CHECK(said() == "+alpha ");
    requestsWhenDue();
    hear(alpha.again(2));
    CHECK(said() == "2 3 ");
    CHECK(receiver.totals().gaps == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "a reader that never comes to an end finds silent hosts as well, later") {
    const auto turn = [this] {
        now += 1000ms;
        receiver.expireSilent(now, false);
    };
    hear(alpha.heartbeat());
    hear(beta.heartbeat());
    CHECK(said() == "+alpha +beta ");
    for (int n = 0; n < turnsUnread; ++n) {
        turn();
        hear(beta.heartbeat());
    }
    CHECK(said() == "");
    turn();
    CHECK(said() == "-alpha:silent ");
    // It was we who stood still: one turn, however long it took, condemns nobody.
    now += 50s;
    turn();
    CHECK(said() == "");
    hear(alpha.heartbeat());
    CHECK(said() == "+alpha ");
}

TEST_CASE_FIXTURE(Fixture,
                  "what a host silent for long left unfinished is given up, its number is not") {
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    alpha.emit("2");
    hear(alpha.emit("3"));
    CHECK(said() == "+alpha 1 ");
    pass(61s);
    CHECK(said() == "-alpha:silent gap:alpha:lost 3 ");
    CHECK(receiver.memoryUsed() == 0);
    CHECK_FALSE(receiver.deadline());
    // It was only cut off: what it said meanwhile is asked for.
    alpha.emit("4");
    hear(alpha.emit("5"));
    CHECK(requestsWhenDue().naks.at(0).ranges == std::vector<Range>{{4, 4}});
}

TEST_CASE_FIXTURE(Fixture, "a daemon that died and is back is another session of the same host") {
    Host reborn(3, "alpha", 1);
    hear(alpha.heartbeat());
    pass(1000ms);
    hear(reborn.heartbeat());
    CHECK(said() == "+alpha +alpha ");  // two of one host: both live
    hear(alpha.heartbeat());
    pass(1400ms);
    hear(reborn.heartbeat());
    CHECK(said() == "");
    pass(200ms);
    hear(reborn.heartbeat());
    CHECK(said() == "-alpha:restarted ");
    CHECK(remote(reborn).online);
    CHECK_FALSE(remote(alpha).online);
}

TEST_CASE_FIXTURE(Fixture, "a session is of one host, and what it says as another is not heard") {
    hear(alpha.heartbeat());
    alpha.host = beta.host;
    hear(alpha.heartbeat());
    CHECK(witness.bad == std::vector{Bad::hostName});
    CHECK(remote(alpha).said.host == uuidOf(1));
    hear(beta.heartbeat());
    for (int i = 0; i < 6; ++i) {  // nor is it a sign of life
        pass(1000ms);
        hear(alpha.heartbeat());
        hear(beta.heartbeat());
    }
    CHECK(said() == "+alpha +beta -alpha:silent ");
}

TEST_CASE_FIXTURE(Fixture, "a session has one name") {
    hear(alpha.heartbeat());
    alpha.name = "other";
    hear(alpha.heartbeat());
    CHECK(witness.bad == std::vector{Bad::hostName});
    std::string other = alpha.data(1, frameOf(eventNamed("e", "1")));
    hear(other);
    CHECK(witness.bad == std::vector{Bad::hostName, Bad::hostName});
    CHECK(said() == "+alpha ");
    CHECK(remote(alpha).name() == "alpha");
}

TEST_CASE_FIXTURE(
    Fixture,
    "a host tells where it is when it joins, when it is asked, and each quarter of the way") {
    receiver.setWindow(40);
    hear(alpha.heartbeat());
    auto due = requests();
    CHECK(due.statuses == std::vector<Status>{{alpha.session, 1, 40}});
    CHECK(requests().empty());
    for (int i = 0; i < 9; ++i) hear(alpha.emit("e"));
    CHECK(requests().statuses.empty());
    hear(alpha.emit("e"));
    CHECK(requests().statuses == std::vector<Status>{{alpha.session, 11, 40}});
    CHECK(requests().statuses.empty());
    hear(alpha.heartbeat(true));
    CHECK(requests().statuses == std::vector<Status>{{alpha.session, 11, 40}});
    CHECK(requests().statuses.empty());
    hear(alpha.end());
    for (int i = 0; i < 20; ++i) hear(alpha.heartbeat(true));
    CHECK(requests().statuses.empty());
}

TEST_CASE_FIXTURE(Fixture, "one that has only sent DATA is told as well") {
    hear(alpha.emit("e"));
    CHECK(requests().statuses.at(0).next == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "the window is shared by those who send, and never smaller than 16 or larger "
                  "than what may wait") {
    receiver.setWindow(100);
    const auto window = [&] {
        hear(alpha.heartbeat(true));
        const auto due = requests();
        for (const Status& status : due.statuses) {
            if (status.target == alpha.session) return status.window;
        }
        return 0u;
    };
    CHECK(window() == 100);
    hear(alpha.emit("e"));
    CHECK(window() == 100);
    hear(beta.emit("e"));
    CHECK(window() == 50);
    now += activeTime + 1ms;
    CHECK(window() == 100);
    std::deque<Host> many;  // which do not move
    for (std::uint8_t i = 0; i < 20; ++i) many.emplace_back(static_cast<std::uint8_t>(10 + i), "h");
    for (Host& host : many) hear(host.emit("e"));
    CHECK(window() == 16);
    now += activeTime + 1ms;
    receiver.setWindow(1'000'000);
    CHECK(window() == maxWindow);
    receiver.setWindow(0);
    CHECK(window() == 16);
}

TEST_CASE_FIXTURE(Fixture, "a relay whose queue is full promises nothing, and only when asked") {
    receiver.setWindow(100);
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    requests();
    receiver.setRoom(0);
    hear(alpha.emit("2"));
    CHECK(requests().statuses.empty());
    hear(alpha.heartbeat(true));
    CHECK(requests().statuses == std::vector<Status>{{alpha.session, 3, 0}});
    receiver.setRoom(40);
    hear(alpha.heartbeat(true));
    CHECK(requests().statuses == std::vector<Status>{{alpha.session, 3, 40}});
}

TEST_CASE_FIXTURE(Fixture,
                  "as many sessions as there are places; the longest silent gives way, no other") {
    std::vector<std::unique_ptr<Host>> hosts;
    for (unsigned i = 0; i < maxSessions; ++i) {
        hosts.push_back(std::make_unique<Host>(static_cast<std::uint8_t>(100 + i), "h"));
        hear(hosts.back()->heartbeat());
        now += 1ms;
    }
    said();
    hear(alpha.heartbeat());
    CHECK(witness.bad == std::vector{Bad::tooManySessions});
    CHECK(said() == "");

    hear(hosts[5]->end());
    hear(alpha.heartbeat());
    // Its last call is not over yet.
    CHECK(witness.bad.size() == 2);
    requestsWhenDue();
    hear(alpha.heartbeat());
    CHECK(said() == "-h:goodbye +alpha ");
    CHECK(receiver.remotes().size() == maxSessions);
    CHECK_FALSE(receiver.remotes().contains(hosts[5]->session));

    now += sessionIdle;
    for (unsigned i = 1; i < maxSessions; ++i) {
        if (i != 5) hear(hosts[i]->heartbeat());
    }
    hear(beta.heartbeat());
    CHECK(said() == "-h:silent +beta ");
    CHECK_FALSE(receiver.remotes().contains(hosts[0]->session));
}

TEST_CASE_FIXTURE(Fixture, "counters outlive the session they were counted for") {
    hear(alpha.heartbeat());
    hear(alpha.emitBytes("e", 5000));
    const Remote::Counts before = receiver.totals();
    CHECK(before.events == 1);
    now += sessionIdle + 1s;
    for (unsigned i = 0; i < maxSessions; ++i) {
        Host host(static_cast<std::uint8_t>(100 + i), "h");
        hear(host.heartbeat());
    }
    CHECK_FALSE(receiver.remotes().contains(alpha.session));
    CHECK(receiver.totals().events == 1);
    CHECK(receiver.totals().datagrams == before.datagrams);
}

TEST_CASE_FIXTURE(Fixture,
                  "numbers that jump are not believed, the session begins anew and says so") {
    hear(alpha.heartbeat());
    hear(alpha.emit("1"));
    const std::string frame = frameOf(eventNamed("far", "1"));
    hear(alpha.data(maxJump + 1000, frame));
    CHECK(said() == "+alpha 1 gap:alpha:reset ");
    CHECK(receiver.totals().resets == 1);
    hear(alpha.data(maxJump + 1001, frame));
    CHECK(said() == "far ");
}

TEST_CASE_FIXTURE(Fixture, "nobody joins by what is repeated for others: it is of the past") {
    for (int i = 0; i < 4; ++i) alpha.emitBytes("past", 10);
    const auto now5 = alpha.emitBytes("now", 10);
    hear(alpha.again(2));
    hear(alpha.again(3));
    receiver.endBatch();
    CHECK(witness.heard.empty());
    CHECK_FALSE(receiver.deadline());
    hear(now5);
    receiver.endBatch();
    CHECK_FALSE(receiver.deadline());
    hear(alpha.again(4));
    receiver.endBatch();
    REQUIRE(witness.heard.size() == 1);
    CHECK(witness.heard[0].name == "now");
}

TEST_CASE_FIXTURE(Fixture, "what cannot be used is told by name, and what is behind it is heard") {
    hear(alpha.heartbeat());
    const std::string good = frameOf(eventNamed("good", "1"));
    hear(alpha.data(1, frameOf(eventNamed("nc-stats", "1")) + good));
    hear(alpha.data(2, frameOf(eventNamed("e", "{")) + good));
    hear(alpha.data(3, good + frameOf(bytesNamed("e", std::string(80'000, 'x'))).substr(0, 900)));
    hear(alpha.data(4, "\xFF\xFF\xFF\xFF rubbish rubbish"));
    hear(alpha.data(5, good));
    CHECK(said() == "+alpha good good good good ");
    CHECK(witness.bad == std::vector{Bad::reservedName, Bad::json, Bad::event, Bad::event});
    CHECK(remote(alpha).counts().events == 4);

    witness.bad.clear();
    for (const Type type : {Type::data, Type::heartbeat, Type::end, Type::nak}) {
        hear(alpha.begin(type));
    }
    CHECK(witness.bad == std::vector{Bad::body, Bad::body, Bad::body, Bad::body});
    for (const Type type : {Type::status, Type::challenge, Type::proof, Type::probe, Type::echo}) {
        hear(alpha.begin(type));  // not the receiver's
    }
    CHECK(witness.bad.size() == 4);
}

TEST_CASE("memory is shared by all, is never more than the limit, and comes back") {
    Witness witness;
    Receiver receiver(65536, 1000ms, 1, witness);
    Time now{1h};
    std::vector<std::unique_ptr<Host>> hosts;
    const std::string content(1000, 'x');
    const auto hear = [&](const std::string& datagram) {
        Header header;
        REQUIRE(readHeader(datagram, header) == Bad::none);
        receiver.onDatagram(now, header, std::string_view(datagram).substr(headerSize),
                            somewhere());
    };
    for (unsigned i = 0; i < maxSessions; ++i) {
        hosts.push_back(std::make_unique<Host>(static_cast<std::uint8_t>(100 + i), "h"));
        hear(hosts.back()->heartbeat());
        for (std::uint64_t sequence = 2; sequence < 2500; ++sequence) {
            hear(hosts.back()->data(sequence, content, noStart));
        }
    }
    CHECK(receiver.memoryUsed() > memoryLimit(65536) - 2000);
    CHECK(receiver.memoryUsed() <= memoryLimit(65536));
    CHECK(receiver.totals().ahead > 0);
    CHECK(witness.bad.empty());
    CHECK(witness.gaps.empty());

    // In order, but of an event that there is no memory for: it is missed, and that is said.
    hear(hosts.back()->data(1, frameOf(bytesNamed("large", patterned(50'000))).substr(0, 1000)));
    CHECK(witness.bad == std::vector{Bad::noMemory});
    REQUIRE(witness.gaps.size() == 1);
    CHECK(witness.gaps[0].why == GapReport::Why::lost);
    CHECK(witness.gaps[0].first == 1);
    CHECK(witness.gaps[0].last == 1);

    now += sessionIdle + 1s;
    receiver.expireSilent(now, true);
    CHECK(receiver.memoryUsed() == 0);
}
