#include "post.hpp"

#include <doctest/doctest.h>

namespace netcluster::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string self = "1-me";

// Server 1 among 2 and 3, with a clock of its own.
struct World {
    Time now{seconds(1000)};
    Post post{self, {2, 3}, {seconds(10), 4 << 20}};

    void meet(const std::string& name) {
        post.onOnline(now, name);
        post.onHello(now, name, {self});
        while (post.next(now, true)) continue;
    }
    void accept(Pid pid, std::int64_t id, std::size_t bytes = 10) {
        post.accept(now, {pid, id, "text"}, bytes);
    }
    // The events to be emitted now, as text.
    std::vector<std::string> out(bool confirm = true) {
        std::vector<std::string> all;
        while (const auto one = post.next(now, confirm)) {
            all.push_back(one->event + " " + one->data.dump());
        }
        return all;
    }
    std::vector<std::string> undelivered() {
        std::vector<std::string> all;
        for (const Undelivered& one : post.takeUndelivered()) {
            all.push_back(std::to_string(one.pid) + ":" + std::to_string(one.msgId) + " " +
                          std::string(nameOf(one.why)));
        }
        return all;
    }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("who is heard is greeted, again and again until it has heard us") {
    World world;
    world.post.onOnline(world.now, "2-a");
    CHECK(world.out() == Lines{R"(hello {"heard":[]})"});
    CHECK(world.post.deadline(true) == world.now + firstGreeting);
    world.now += firstGreeting;
    CHECK(world.out() == Lines{R"(hello {"heard":[]})"});
    world.post.onHello(world.now, "2-a", {});
    CHECK(world.out() == Lines{R"(hello {"heard":["2-a"]})"});
    CHECK(world.post.online().empty());
    world.post.onHello(world.now, "2-a", {"1-earlier", self});
    CHECK(world.post.online() == std::vector<Pid>{2});
    world.now += seconds(5);
    CHECK(world.out().empty());
    CHECK_FALSE(world.post.deadline(true));
}

TEST_CASE("an envelope is held until its receiver has heard us, and then sent") {
    World world;
    world.accept(2, 7);
    world.accept(BROADCAST, 8);
    CHECK(world.out().empty());
    world.meet("3-a");  // takes the broadcast
    world.accept(BROADCAST, 9);
    CHECK(world.out() == Lines{R"(envelope.all {"msg":"text","msgId":9,"not":[2],"serial":2})"});
    world.post.onOnline(world.now, "2-a");
    world.post.onHello(world.now, "2-a", {self});
    CHECK(world.out() == Lines{R"(hello {"heard":["2-a","3-a"]})",
                               R"(envelope.2 {"msg":"text","msgId":7,"serial":3})",
                               R"(envelope.2 {"msg":"text","msgId":8,"serial":4})",
                               R"(envelope.2 {"msg":"text","msgId":9,"serial":5})"});
    CHECK_FALSE(world.post.settled());
    world.post.onAck(world.now, "2-a", 5);
    world.post.onAck(world.now, "3-a", 2);
    CHECK(world.post.settled());
    CHECK(world.post.counters().sent == 5);
    CHECK(world.post.counters().confirmed == 5);
}

TEST_CASE("no more is under way to one than its window has room for") {
    World world;
    world.meet("2-a");
    world.accept(2, 0, 3 * window);  // alone, it goes whatever its size
    world.accept(2, 1, window / 2);
    world.accept(2, 2, window / 2);
    world.accept(2, 3, 1);
    CHECK(world.out().size() == 1);
    world.post.onAck(world.now, "2-a", 1);
    CHECK(world.out().size() == 2);
    world.post.onAck(world.now, "2-a", 2);
    CHECK(world.out().size() == 1);
    CHECK(world.post.takesMore(world.now));
    world.accept(2, 4, 5 << 20);
    CHECK_FALSE(world.post.takesMore(world.now));  // it has fallen behind
    world.now += seconds(10);
    CHECK(world.post.takesMore(world.now));  // for too long
    world.accept(2, 5);
    CHECK(world.undelivered() == Lines{"2:5 full"});
    world.post.tick(world.now);
    CHECK(world.undelivered() == Lines{"2:4 unreachable"});
}

TEST_CASE("what nobody takes in time is reported; who takes some is given more time") {
    World world;
    world.accept(2, 1);
    world.now += seconds(6);
    world.accept(2, 2);
    CHECK(world.post.deadline(true) == world.now + seconds(4));
    world.now += seconds(4);
    world.post.tick(world.now);
    CHECK(world.undelivered() == Lines{"2:1 unreachable"});
    world.meet("2-a");
    CHECK(world.undelivered().empty());

    world.accept(2, 3, window);
    world.accept(2, 4, window);
    world.post.onAck(world.now, "2-a", 1);
    CHECK(world.out().size() == 1);
    world.now += seconds(9);
    world.post.onAck(world.now, "2-a", 2);
    CHECK(world.out().size() == 1);
    world.accept(2, 5, window);
    world.now += seconds(9);
    world.post.tick(world.now);
    CHECK(world.undelivered().empty());
}

TEST_CASE("what was not confirmed is reported when its receiver is gone, or started anew") {
    World world;
    world.meet("2-a");
    world.accept(2, 1);
    world.out();
    world.post.onExpired(world.now, "2-a", true);
    CHECK(world.undelivered() == Lines{"2:1 unconfirmed"});

    world.meet("2-b");
    world.accept(2, 2);
    world.out();
    world.meet("2-c");  // and nobody has said that 2-b is gone
    CHECK(world.undelivered() == Lines{"2:2 unconfirmed"});
    world.post.onExpired(world.now, "2-b", false);
    CHECK(world.post.online() == std::vector<Pid>{2});

    // One that fell silent may come back, and has it then.
    world.accept(2, 3);
    world.out();
    world.post.onExpired(world.now, "2-c", false);
    CHECK(world.post.online().empty());
    world.now += seconds(5);
    world.meet("2-c");
    world.post.onAck(world.now, "2-c", 9);
    CHECK(world.undelivered().empty());
    CHECK(world.post.settled());

    world.accept(2, 4);
    world.out();
    world.post.onExpired(world.now, "2-c", false);
    world.now += seconds(10);
    world.post.tick(world.now);
    CHECK(world.undelivered() == Lines{"2:4 unconfirmed"});
}

TEST_CASE("what has come is taken once, and confirmed after a moment or a good part of a window") {
    World world;
    world.meet("2-a");
    world.meet("3-a");
    CHECK(world.post.onEnvelope(world.now, "2-a", 4, 10, {}));
    CHECK_FALSE(world.post.onEnvelope(world.now, "2-a", 4, 10, {}));
    CHECK_FALSE(world.post.onEnvelope(world.now, "2-a", 5, 10, {1, 3}));
    CHECK_FALSE(world.post.onEnvelope(world.now, "9-a", 1, 10, {}));
    CHECK_FALSE(world.post.onEnvelope(world.now, "nonsense", 1, 10, {}));
    CHECK(world.out().empty());
    CHECK(world.post.deadline(true) == world.now + confirmAfter);
    CHECK(world.post.onEnvelope(world.now, "3-a", 1, 10, {}));
    world.now += confirmAfter;
    CHECK(world.out(false).empty());  // the inbox is full
    CHECK_FALSE(world.post.deadline(false));
    CHECK(world.out() == Lines{R"(ack {"upTo":{"2-a":4,"3-a":1}})"});
    CHECK(world.post.onEnvelope(world.now, "2-a", 6, window / 4, {}));
    CHECK(world.out() == Lines{R"(ack {"upTo":{"2-a":6}})"});
    // Another start counts anew.
    CHECK(world.post.onEnvelope(world.now, "2-b", 1, window / 4, {}));
    CHECK(world.out() == Lines{R"(ack {"upTo":{"2-b":1}})"});
}

TEST_CASE("who is on the blacklist is confirmed to, and nothing else") {
    World world;
    world.meet("2-a");
    world.accept(3, 1);
    world.post.setBlacklist({2, 3});
    CHECK(world.undelivered() == Lines{"3:1 blacklisted"});
    world.accept(2, 2);
    CHECK(world.undelivered() == Lines{"2:2 blacklisted"});
    world.accept(BROADCAST, 3);
    CHECK(world.out().empty());
    CHECK_FALSE(world.post.onEnvelope(world.now, "2-a", 1, 10, {}));
    CHECK(world.post.counters().ignored == 1);
    world.now += confirmAfter;
    CHECK(world.out() == Lines{R"(ack {"upTo":{"2-a":1}})"});
    CHECK(world.undelivered().empty());
}

TEST_CASE("what could not be emitted is reported for each it was for") {
    World world;
    world.meet("2-a");
    world.meet("3-a");
    world.accept(BROADCAST, 1);
    const auto out = world.post.next(world.now, true);
    REQUIRE(out);
    world.post.onRefused(out->serial);
    CHECK(world.undelivered() == Lines{"2:1 refused", "3:1 refused"});
    CHECK(world.post.settled());
    CHECK(world.post.counters().sent == 0);
}

}  // namespace netcluster::cluster
