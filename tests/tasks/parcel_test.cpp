#include "parcel.hpp"

#include <doctest/doctest.h>

using namespace netcluster;
using namespace netcluster::tasks;
using namespace std::chrono_literals;

namespace {

const ReplyAddress address{"task-reply.f", "client=x", "7", "n"};

Parcel ofPieces(std::size_t count) {
    return Parcel::ofText(address, std::string(count * pieceSize, 'x'));
}

}  // namespace

TEST_CASE("two pieces are sent, then one for each that the caller has heard") {
    Parcel::Time now{};
    Parcel parcel = ofPieces(4);
    for (std::size_t part = 0; part < 4; ++part) {
        CAPTURE(part);
        if (part >= 2) {
            CHECK_FALSE(parcel.mayGo(now));
            parcel.heard(part - 2, 0, now);
        }
        REQUIRE(parcel.mayGo(now));
        const Json data = parcel.next();
        CHECK(data.at("node") == "n");
        CHECK(data.at("part") == part);
        CHECK(data.at("parts") == 4);
        CHECK(data.at("text").get_ref<const std::string&>().size() == pieceSize);
        CHECK_FALSE(parcel.whole());
        parcel.sent(now);
    }
    CHECK(parcel.whole());
}

TEST_CASE(
    "a caller that says nothing gets the rest slowly; one that has spoken, a piece a second") {
    Parcel::Time now{};
    Parcel parcel = ofPieces(6);
    for (int i = 0; i < 2; ++i) {
        parcel.next();
        parcel.sent(now);
    }
    now += 999ms;
    CHECK_FALSE(parcel.mayGo(now));
    now += 1ms;
    CHECK(parcel.mayGo(now));
    parcel.sent(now);
    CHECK_FALSE(parcel.mayGo(now + 49ms));
    CHECK(parcel.mayGo(now + 50ms));
    parcel.heard(0, 0, now);
    CHECK_FALSE(parcel.mayGo(now + 999ms));
    CHECK(parcel.mayGo(now + 1s));
    parcel.sent(now + 1s);
    CHECK_FALSE(parcel.mayGo(now + 1999ms));
    // What is sent is no progress: nobody may be there any more.
    CHECK_FALSE(parcel.givenUp(now + 59s));
    CHECK(parcel.givenUp(now + 60s));
}

TEST_CASE(
    "the words of all pieces that are out may be lost: one more goes, and its word tells all") {
    Parcel::Time now{};
    Parcel parcel = ofPieces(8);
    for (std::size_t part = 0; part < 3; ++part) {
        parcel.next();
        parcel.sent(now);
        if (part == 0) parcel.heard(0, 0, now);
    }
    CHECK_FALSE(parcel.mayGo(now));
    now = parcel.due();
    REQUIRE(now <= Parcel::Time{} + 1s);
    parcel.next();
    parcel.sent(now);
    CHECK_FALSE(parcel.mayGo(now));
    parcel.heard(3, 0, now);
    for (int more = 0; more < 2; ++more) {
        CHECK(parcel.mayGo(now));
        parcel.sent(now);
    }
    CHECK_FALSE(parcel.mayGo(now));
}

TEST_CASE("what a caller says of pieces that it cannot have does nothing") {
    Parcel::Time now{};
    Parcel parcel = ofPieces(6);
    for (int i = 0; i < 2; ++i) {
        parcel.next();
        parcel.sent(now);
    }
    parcel.heard(5, 9, now);
    CHECK_FALSE(parcel.mayGo(now));
    parcel.heard(1, 0, now);
    parcel.heard(0, 0, now);
    CHECK(parcel.mayGo(now));
}

TEST_CASE("it can be cut smaller until some of it is out") {
    Parcel::Time now{};
    Parcel parcel = ofPieces(1);
    REQUIRE(parcel.cutSmaller());
    CHECK(parcel.next().at("parts") == 2);
    REQUIRE(parcel.cutSmaller());
    CHECK(parcel.next().at("parts") == 4);
    parcel.sent(now);
    CHECK_FALSE(parcel.cutSmaller());
    Parcel other = ofPieces(1);
    int cuts = 0;
    while (other.cutSmaller()) ++cuts;
    CHECK(cuts == 8);
}

TEST_CASE("a full queue is waited for; only what no queue takes is cut smaller") {
    constexpr std::size_t queue = 8 << 20;
    Parcel::Time now{};
    Parcel parcel = ofPieces(1);
    for (; now < Parcel::Time{} + 1s; now += Parcel::tryAgain) parcel.noRoom(queue, now);
    CHECK(parcel.next().at("parts") == 1);
    parcel.noRoom(queue, now);
    CHECK(parcel.next().at("parts") == 2);
    for (int i = 1; i < 200; ++i) parcel.noRoom(queue, now += Parcel::tryAgain);
    CHECK(parcel.next().at("parts") == 2);

    // It is larger than the queue: that is known at once.
    Parcel other = ofPieces(1);
    other.noRoom(10'000, now);
    CHECK(other.next().at("parts") == 8);

    // Between a queue and another that is full there was room.
    Parcel third = ofPieces(2);
    third.noRoom(queue, now);
    third.next();
    third.sent(now);
    third.noRoom(queue, now + 1s);
    third.noRoom(queue, now + 3s);
    CHECK(third.next().at("parts") == 2);
}

TEST_CASE("a short answer that has been cut and is moved says what it said") {
    Parcel parcel = Parcel::ofText(address, "[1]");
    const Json data = parcel.next();
    CHECK(data.at("text") == "[1]");
    Parcel moved = std::move(parcel);
    CHECK(moved.next() == data);
    parcel = Parcel::ofText(address, "another");
    CHECK(moved.next() == data);
}

TEST_CASE("it is given up a minute after its turn came, however long it has waited for that") {
    const Parcel::Time turn = Parcel::Time{} + 10min;
    Parcel parcel = ofPieces(4);
    CHECK_FALSE(parcel.givenUp(turn));
    parcel.begin(turn);
    CHECK_FALSE(parcel.givenUp(turn + 59s));
    parcel.begin(turn + 30s);  // it is offered again and again
    CHECK(parcel.givenUp(turn + 60s));
    parcel.next();
    parcel.sent(turn + 59s);
    CHECK_FALSE(parcel.givenUp(turn + 60s));
}

TEST_CASE("an answer of one event is whole when that is out") {
    Parcel parcel = Parcel::ofData(address, {{"node", "n"}});
    CHECK(parcel.mayGo({}));
    CHECK(parcel.next() == Json{{"node", "n"}});
    CHECK_FALSE(parcel.cutSmaller());
    parcel.sent({});
    CHECK(parcel.whole());
}

TEST_CASE("a caller that takes more gets more at once, and one that waits for many results less") {
    Parcel::Time now{};
    Parcel parcel = ofPieces(20);
    for (int i = 0; i < 2; ++i) {
        parcel.next();
        parcel.sent(now);
    }
    parcel.heard(0, 5, now);
    int more = 0;
    for (; parcel.mayGo(now); ++more) parcel.sent(now);
    CHECK(more == 4);
    CHECK(windowFor(0, 1) == 2);
    CHECK(windowFor(10, 1) == 7);
    CHECK(windowFor(1000, 1) == 24);
    CHECK(windowFor(1000, 4) == 6);
    CHECK(windowFor(1000, 50) == 2);
}
