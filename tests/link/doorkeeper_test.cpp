#include "doorkeeper.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "link_testing.hpp"
#include "strangers.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::chrono_literals;
using Verdict = Doorkeeper::Verdict;

namespace {

wire::Uuid sessionOf(unsigned number) {
    wire::Uuid session{};
    session[0] = static_cast<std::uint8_t>(number);
    session[1] = static_cast<std::uint8_t>(number >> 8);
    return session;
}

struct Fixture {
    Verdict say(unsigned session, std::uint64_t packet, std::size_t size = 40) {
        const Header header{Type::data, 1, sessionOf(session), packet};
        std::string datagram;
        appendHeader(datagram, header);
        datagram.resize(size, 'x');
        return door.judge(now, header, datagram, somewhere());
    }
    std::vector<Challenge> ask() {
        std::vector<Challenge> challenges;
        door.ask(now, challenges);
        return challenges;
    }
    void prove(unsigned session, const std::vector<Nonce>& nonces) {
        door.onProof(now, sessionOf(session), nonces,
                     [&](std::string_view datagram, const Endpoint& from) {
                         Header header;
                         REQUIRE(readHeader(datagram, header) == Bad::none);
                         CHECK(header.session == sessionOf(session));
                         CHECK(from == somewhere());
                         passed.push_back(header.packet);
                     });
    }
    void letIn(unsigned session, std::uint64_t packet = 1) {
        CHECK(say(session, packet) == Verdict::wait);
        for (const Challenge& challenge : ask()) {
            if (challenge.target == sessionOf(session)) prove(session, {challenge.nonce});
        }
    }

    std::uint8_t made = 0;
    Doorkeeper door{[this] {
        Nonce nonce{};
        nonce.fill(++made);
        return nonce;
    }};
    Time now{1h};
    std::vector<std::uint64_t> passed;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "an unknown session waits, is asked once, and passes when it has answered") {
    CHECK_FALSE(door.deadline());
    CHECK(say(1, 5) == Verdict::wait);
    CHECK(say(1, 6) == Verdict::wait);
    CHECK(door.deadline() == now);
    const auto challenges = ask();
    REQUIRE(challenges.size() == 1);
    CHECK(challenges[0].target == sessionOf(1));
    CHECK(ask().empty());
    CHECK(passed.empty());
    prove(1, {Nonce{}, challenges[0].nonce});
    CHECK(passed == std::vector<std::uint64_t>{5, 6});
    CHECK(say(1, 7) == Verdict::pass);
    CHECK_FALSE(door.deadline());
    CHECK(door.unproven() == 0);
}

TEST_CASE_FIXTURE(Fixture, "of a known session nothing passes twice, in whatever order it comes") {
    letIn(1, 10);
    CHECK(say(1, 10) == Verdict::duplicate);
    CHECK(say(1, 12) == Verdict::pass);
    CHECK(say(1, 11) == Verdict::pass);
    CHECK(say(1, 12) == Verdict::duplicate);
    CHECK(say(1, 11) == Verdict::duplicate);
    CHECK(say(1, 12 + replayReach) == Verdict::pass);
    CHECK(say(1, 11) == Verdict::duplicate);  // too old to know
}

TEST_CASE_FIXTURE(Fixture, "what was said twice while it waited passes once") {
    say(1, 5);
    say(1, 5);
    say(1, 4);
    prove(1, {ask().at(0).nonce});
    CHECK(passed == std::vector<std::uint64_t>{5, 4});
}

TEST_CASE_FIXTURE(Fixture, "a wrong nonce, another's or an old one opens nothing") {
    say(1, 1);
    say(2, 1);
    const auto challenges = ask();
    REQUIRE(challenges.size() == 2);
    CHECK(challenges[0].nonce != challenges[1].nonce);
    prove(1, {});
    prove(1, {Nonce{}});
    prove(1, {challenges[1].nonce});
    prove(3, {challenges[0].nonce});
    CHECK(passed.empty());
    CHECK(say(1, 2) == Verdict::wait);
    prove(1, {challenges[0].nonce});
    CHECK(passed == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE_FIXTURE(
    Fixture,
    "a recording is asked, never answers and is forgotten, and the next time is asked anew") {
    for (std::uint64_t packet = 1; packet <= 20; ++packet) say(7, packet);
    Nonce first{};
    int askings = 0;
    while (door.deadline()) {
        now = std::max(now, *door.deadline());
        for (const Challenge& challenge : ask()) {
            first = challenge.nonce;
            ++askings;
        }
        REQUIRE(askings <= challengeTries);
    }
    CHECK(askings == challengeTries);
    CHECK(door.unproven() == 20);
    CHECK(passed.empty());
    // Who recorded the answer as well has the answer to another question.
    say(7, 1);
    REQUIRE(ask().size() == 1);
    prove(7, {first});
    CHECK(passed.empty());
}

TEST_CASE_FIXTURE(Fixture, "a question that got lost is repeated, the same one") {
    say(1, 1);
    const Nonce nonce = ask().at(0).nonce;
    CHECK(door.deadline() == now + challengePause);
    now += challengePause;
    CHECK(ask().at(0).nonce == nonce);
    prove(1, {nonce});
    CHECK(passed.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "so much is kept of a session that waits, and the rest is dropped") {
    const std::size_t size = 1200;
    for (std::uint64_t packet = 1; packet <= 1000; ++packet) say(1, packet, size);
    prove(1, {ask().at(0).nonce});
    CHECK(passed.size() == maxWaitingBytes / size);
    CHECK(passed.back() == passed.size());
    // What was dropped may come again.
    CHECK(say(1, passed.size() + 1) == Verdict::pass);
}

TEST_CASE_FIXTURE(Fixture, "so many sessions wait; the one asked most often gives way") {
    for (unsigned session = 0; session < maxWaiting; ++session) {
        CHECK(say(session, 1) == Verdict::wait);
        if (session == 4) ask();
    }
    CHECK(ask().size() == maxWaiting - 5);
    now += challengePause;
    ask();
    CHECK(say(1000, 1) == Verdict::wait);
    CHECK(door.unproven() > 0);
    const auto challenges = ask();
    REQUIRE(challenges.size() == 1);
    CHECK(challenges[0].target == sessionOf(1000));
    prove(1000, {challenges[0].nonce});
    CHECK(passed.size() == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "a question of a known session is answered once, of an unknown one always") {
    Header header{Type::challenge, 1, sessionOf(1), 7};
    CHECK_FALSE(door.seenBefore(header));
    CHECK_FALSE(door.seenBefore(header));
    letIn(1);
    CHECK_FALSE(door.seenBefore(header));
    CHECK(door.seenBefore(header));
    header.packet = 8;
    CHECK_FALSE(door.seenBefore(header));
    CHECK(say(1, 8) == Verdict::duplicate);
}

TEST_CASE_FIXTURE(Fixture,
                  "of too many known sessions the one silent for longest must prove itself again") {
    for (unsigned session = 0; session < maxKnown; ++session) {
        letIn(session);
        now += 1ms;
    }
    CHECK(say(0, 2) == Verdict::pass);  // not the longest silent any more
    now += 1ms;
    letIn(maxKnown);
    CHECK(say(0, 3) == Verdict::pass);
    CHECK(say(2, 2) == Verdict::pass);
    CHECK(say(1, 2) == Verdict::wait);
}

TEST_CASE("an address is news once for each reason, and so many are remembered") {
    Strangers strangers;
    Time now{1h};
    const auto address = [](std::uint32_t number) {
        return boost::asio::ip::address(boost::asio::ip::address_v4(number));
    };
    CHECK(strangers.note(now, address(1), Bad::forged));
    CHECK_FALSE(strangers.note(now, address(1), Bad::forged));
    CHECK(strangers.note(now, address(2), Bad::forged));
    now += 1s;
    CHECK(strangers.note(now, address(1), Bad::version));
    const Strangers::Stranger& one = strangers.all().at(address(1));
    CHECK(one.count == 3);
    CHECK(one.reason == Bad::version);
    CHECK(one.last == now);

    for (std::uint32_t i = 3; i < 1000; ++i) {
        now += 1s;
        strangers.note(now, address(i), Bad::foreign);
        CHECK_FALSE(strangers.note(now, address(1), Bad::version));
    }
    CHECK(strangers.all().size() == Strangers::most);
    // The one longest quiet gave way, not the one that goes on.
    CHECK(strangers.all().contains(address(1)));
    CHECK_FALSE(strangers.all().contains(address(2)));
    CHECK(strangers.all().contains(address(999)));
}
