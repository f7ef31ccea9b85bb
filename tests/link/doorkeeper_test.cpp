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
    Verdict say(unsigned session, std::uint64_t packet) {
        return door.judge(now, {Type::data, 1, sessionOf(session), packet});
    }
    std::vector<Challenge> ask() {
        std::vector<Challenge> challenges;
        door.ask(now, challenges);
        return challenges;
    }
    void prove(unsigned session, const std::vector<Nonce>& nonces, std::uint64_t packet = 100) {
        door.onProof(now, {Type::proof, 1, sessionOf(session), packet}, nonces);
    }
    void letIn(unsigned session, std::uint64_t packet = 1) {
        CHECK(say(session, packet) == Verdict::unproven);
        for (const Challenge& challenge : ask()) {
            if (challenge.target == sessionOf(session)) prove(session, {challenge.nonce}, packet);
        }
    }

    std::uint8_t made = 0;
    Doorkeeper door{[this] {
        Nonce nonce{};
        nonce.fill(++made);
        return nonce;
    }};
    Time now{1h};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "an unknown session waits, is asked once, and passes when it has answered") {
    CHECK_FALSE(door.deadline());
    CHECK(say(1, 5) == Verdict::unproven);
    CHECK(say(1, 6) == Verdict::unproven);
    CHECK(door.deadline() == now);
    const auto challenges = ask();
    REQUIRE(challenges.size() == 1);
    CHECK(challenges[0].target == sessionOf(1));
    CHECK(ask().empty());
    CHECK(say(1, 7) == Verdict::unproven);
    prove(1, {Nonce{}, challenges[0].nonce}, 8);
    CHECK(say(1, 9) == Verdict::pass);
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

TEST_CASE_FIXTURE(Fixture, "what a session numbered before its proof is never taken") {
    say(1, 5);
    prove(1, {ask().at(0).nonce}, 70);
    for (std::uint64_t packet = 1; packet <= 70; ++packet) {
        CHECK(say(1, packet) == Verdict::duplicate);
    }
    // What comes after it may come in any order.
    CHECK(say(1, 73) == Verdict::pass);
    CHECK(say(1, 71) == Verdict::pass);
    CHECK(say(1, 72) == Verdict::pass);
    CHECK(say(1, 71) == Verdict::duplicate);
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
    CHECK(say(1, 101) == Verdict::unproven);
    CHECK(say(3, 101) == Verdict::unproven);
    prove(1, {challenges[0].nonce});
    CHECK(say(1, 102) == Verdict::pass);
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
    // Who recorded the answer as well has the answer to another question.
    say(7, 1);
    REQUIRE(ask().size() == 1);
    prove(7, {first});
    CHECK(say(7, 101) == Verdict::unproven);
}

TEST_CASE_FIXTURE(Fixture, "a question that got lost is repeated, the same one") {
    say(1, 1);
    const Nonce nonce = ask().at(0).nonce;
    CHECK(door.deadline() == now + challengePause);
    now += challengePause;
    CHECK(ask().at(0).nonce == nonce);
    prove(1, {nonce});
    CHECK(say(1, 101) == Verdict::pass);
}

TEST_CASE_FIXTURE(Fixture, "so many sessions wait; the one asked most often gives way") {
    for (unsigned session = 0; session < maxWaiting; ++session) {
        CHECK(say(session, 1) == Verdict::unproven);
        if (session == 4) ask();
    }
    CHECK(ask().size() == maxWaiting - 5);
    now += challengePause;
    ask();
    CHECK(say(1000, 1) == Verdict::unproven);
    CHECK(door.unproven() > 0);
    const auto challenges = ask();
    REQUIRE(challenges.size() == 1);
    CHECK(challenges[0].target == sessionOf(1000));
    prove(1000, {challenges[0].nonce});
    CHECK(say(1000, 101) == Verdict::pass);
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
    CHECK(say(1, 2) == Verdict::unproven);
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
