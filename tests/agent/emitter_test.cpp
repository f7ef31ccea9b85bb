#include <doctest/doctest.h>

#include <netcluster/error.hpp>

#include "emitter_support.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;

namespace {

// A handler that writes `word` down.
auto says(std::string& log, std::string word) {
    return [&log, word = std::move(word)](const Event&) { log += word; };
}

}  // namespace

TEST_CASE("listeners run in the order they were registered, whatever their patterns") {
    Bench bench;
    std::string log;
    bench.on("a.*", says(log, "1"));
    bench.on("abc", says(log, "2"));
    bench.on(".*", says(log, "3"));
    bench.on("ab", says(log, "no"));

    bench.emit("abc");
    CHECK(log == "123");
}

TEST_CASE("a pattern must match the whole name") {
    Bench bench;
    std::string log;
    bench.on("A", says(log, "A"));
    bench.on("A.*", says(log, "*"));
    bench.on("B|BB", says(log, "B"));

    bench.emit("AAA");
    CHECK(log == "*");
    bench.emit("A");
    CHECK(log == "*A*");
    bench.emit("BB");
    CHECK(log == "*A*B");
    bench.emit("xB");
    bench.emit("a");
    CHECK(log == "*A*B");
}

TEST_CASE("a pattern that does not compile is refused with RE2's words and changes nothing") {
    Bench bench;
    const std::string error = errorOf([&] { bench.on("a(", [](const Event&) {}); });
    CHECK(contains(error, "a("));
    CHECK(contains(error, "missing )"));
    CHECK(bench.emitter->count(*bench.owner) == 0);
    CHECK(bench.emitter->patterns(*bench.owner).empty());
}

TEST_CASE("an empty handler is refused") {
    Bench bench;
    CHECK_THROWS_AS(bench.on("a", nullptr), Error);
}

TEST_CASE("what is no event name is refused where it is emitted, also a second time") {
    Bench bench;
    bench.on(".*", [](const Event&) {});
    for (int i = 0; i < 2; ++i) {
        CHECK_THROWS_AS(bench.emit(""), Error);
        CHECK_THROWS_AS(bench.emit(std::string(256, 'x')), Error);
        CHECK_THROWS_AS(bench.emit(std::string_view("a\0b", 3)), Error);
        CHECK_THROWS_AS(bench.emit("\xff"), Error);
    }
    CHECK_NOTHROW(bench.emit(std::string(255, 'x')));
}

TEST_CASE("what a thread remembers of a name is forgotten when listeners change") {
    Bench bench;
    std::string log;
    const auto first = bench.on("name", says(log, "1"));
    bench.emit("name");
    CHECK(log == "1");

    bench.on("na.*", says(log, "2"));
    bench.emit("name");
    CHECK(log == "112");

    CHECK(bench.remove(first));
    bench.emit("name");
    CHECK(log == "1122");
}

TEST_CASE("a name is what it says, not where it stands") {
    Bench bench;
    std::string log;
    bench.on("sensor-1", says(log, "1"));
    bench.on("sensor-2", says(log, "2"));
    std::string buffer = "sensor-1";
    for (const char which : {'1', '2', '1', '3', '2'}) {
        buffer.back() = which;
        bench.emit(buffer);
    }
    CHECK(log == "1212");
}

TEST_CASE("names of all lengths are told apart") {
    Bench bench;
    std::string heard;
    bench.on("x+", [&](const Event& event) { heard = event.name(); });
    std::string other;
    bench.on("x+y", [&](const Event& event) { other = event.name(); });
    for (int round = 0; round < 2; ++round) {
        for (std::size_t length = 2; length <= 255; ++length) {
            const std::string name(length, 'x');
            bench.emit(name);
            CHECK(heard == name);
            const std::string ends = name.substr(1) + 'y';
            bench.emit(ends);
            CHECK(other == ends);
        }
    }
}

TEST_CASE("a listener that adds and removes others all day does not gather what it has forgotten") {
    Bench bench;
    bench.on("day", [&](const Event&) {
        long before = 0;
        for (int i = 0; i < 100; ++i) {
            bench.once("answer", [](const Event&) {});
            bench.emit("answer");
            if (i == 10) before = bench.owner.use_count();
        }
        CHECK(bench.owner.use_count() <= before);  // each listener remembered holds its owner
    });
    bench.emit("day");
}

TEST_CASE("more names than a thread remembers are all heard") {
    Bench bench;
    std::size_t heard = 0;
    bench.on("n.*", [&](const Event&) { ++heard; });
    for (int round = 0; round < 2; ++round) {
        for (std::size_t i = 0; i < maxRememberedNames + 10; ++i) {
            bench.emit("n" + std::to_string(i));
        }
    }
    CHECK(heard == 2 * (maxRememberedNames + 10));
}

TEST_CASE("a thread forgets names under the feet of a listener that emits many") {
    Bench bench;
    std::string log;
    bench.on("outer", [&](const Event&) {
        for (std::size_t i = 0; i < 2 * maxRememberedNames; ++i) {
            bench.emit("inner" + std::to_string(i));
        }
    });
    bench.on("outer", says(log, "still here"));
    bench.emit("outer");
    CHECK(log == "still here");
}

TEST_CASE("a removed listener does not run, and is known no more") {
    Bench bench;
    std::string log;
    const auto one = bench.on("a", says(log, "1"));
    bench.on("a", says(log, "2"));
    const auto three = bench.on("a", says(log, "3"));

    CHECK(bench.remove(one));
    CHECK_FALSE(bench.remove(one));
    CHECK_FALSE(bench.remove(4711));
    bench.emit("a");
    CHECK(log == "23");

    CHECK_FALSE(bench.emitter->remove(*bench.owner, three, "b"));
    CHECK(bench.emitter->remove(*bench.owner, three, "a"));
    const TestOwner stranger;
    CHECK_FALSE(bench.emitter->remove(stranger, one));
}

TEST_CASE("a handler is let go of when its listener is removed, also in threads that knew it") {
    Bench bench;
    auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = held;
    const auto id = bench.on("a", [held](const Event&) { ++*held; });
    bench.emit("a");
    held.reset();
    CHECK_FALSE(watch.expired());
    bench.remove(id);
    CHECK(watch.expired());
}

TEST_CASE("a handler whose end removes another listener does not lock up") {
    Bench bench;
    const auto other = bench.on("b", [](const Event&) {});
    std::shared_ptr<void> last(static_cast<void*>(nullptr),
                               [&](void*) { CHECK(bench.remove(other)); });
    const auto id = bench.on("a", [held = std::move(last)](const Event&) {});
    CHECK(bench.remove(id));
    CHECK(bench.emitter->count(*bench.owner) == 0);
}

TEST_CASE("a listener may remove itself while it runs") {
    Bench bench;
    std::string log;
    std::uint64_t id = 0;
    id = bench.on(
        "a", [&, text = std::string("captured text, longer than a small string")](const Event&) {
            CHECK(bench.remove(id));
            log += text;
        });
    bench.on("a", says(log, "+2"));
    bench.emit("a");
    CHECK(log == "captured text, longer than a small string+2");
    bench.emit("a");
    CHECK(log == "captured text, longer than a small string+2+2");
}

TEST_CASE("a listener removed by one before it does not run in the same event") {
    Bench bench;
    std::string log;
    std::uint64_t second = 0;
    bench.on("a", [&](const Event&) {
        log += "1";
        bench.remove(second);
    });
    second = bench.on("a", says(log, "2"));
    bench.on("a", says(log, "3"));
    bench.emit("a");
    CHECK(log == "13");
}

TEST_CASE("a listener added during an event hears the next one, not this") {
    Bench bench;
    std::string log;
    bench.once("a", [&](const Event&) { bench.on("a", says(log, "new")); });
    bench.emit("a");
    CHECK(log.empty());
    bench.emit("a");
    CHECK(log == "new");
}

TEST_CASE("a listener may emit, also the event it hears") {
    Bench bench;
    std::string log;
    int depth = 0;
    bench.on("a", [&](const Event&) {
        log += "(";
        if (++depth < 40) bench.emit("a");
        log += ")";
    });
    bench.emit("a");
    CHECK(log == std::string(40, '(') + std::string(40, ')'));
}

TEST_CASE("a listener that runs deep inside others can still be removed") {
    Bench bench;
    int depth = 0;
    std::uint64_t id = 0;
    id = bench.on("a", [&](const Event&) {
        if (++depth < 40) {
            bench.emit("a");
        } else {
            CHECK(bench.remove(id));
        }
    });
    bench.emit("a");
    CHECK(depth == 40);
    bench.emit("a");
    CHECK(depth == 40);
}

TEST_CASE("once runs once, is counted until then, and not even its own emit runs it again") {
    Bench bench;
    int runs = 0;
    const auto id = bench.once("a", [&](const Event&) {
        ++runs;
        CHECK(bench.emitter->count(*bench.owner) == 0);
        bench.emit("a");
    });
    CHECK(bench.emitter->count(*bench.owner) == 1);
    bench.emit("a");
    bench.emit("a");
    CHECK(runs == 1);
    CHECK_FALSE(bench.remove(id));
}

TEST_CASE("a once listener that is removed in time never runs") {
    Bench bench;
    int runs = 0;
    const auto id = bench.once("a", [&](const Event&) { ++runs; });
    CHECK(bench.remove(id));
    bench.emit("a");
    CHECK(runs == 0);
}

TEST_CASE("a listener that throws is reported, and the others still run") {
    Bench bench;
    std::string log;
    bench.on("a.*", [](const Event&) { throw Error("out of paper"); });
    bench.on("a.*", [](const Event&) { throw 42; });
    bench.on("a.*", says(log, "fine"));
    bench.emit("abc");
    CHECK(log == "fine");
    REQUIRE(bench.owner->failures.size() == 2);
    CHECK(bench.owner->failures[0] == "a listener of 'a.*' threw on event 'abc': out of paper");
    CHECK(contains(bench.owner->failures[1], "not a std::exception"));
}

TEST_CASE("skipOwn listeners do not hear their own agent, and hear others") {
    Bench bench;
    std::string log;
    bench.emitter->add(bench.owner, "a", says(log, "x"), {Emitter::Times::always, true});
    const TestOwner other;
    bench.emit("a", bench.owner.get());
    CHECK(log.empty());
    bench.emit("a", &other);
    CHECK(log == "x");
}

TEST_CASE("counts and names are an owner's own") {
    Bench bench;
    const auto nothing = [](const Event&) {};
    const auto other = std::make_shared<TestOwner>();
    bench.on("b", nothing);
    bench.on("a", nothing);
    bench.on("b", nothing);
    bench.emitter->add(other, "b", nothing, {});

    CHECK(bench.emitter->count(*bench.owner) == 3);
    CHECK(bench.emitter->count(*bench.owner, "b") == 2);
    CHECK(bench.emitter->count(*other) == 1);
    CHECK(bench.emitter->patterns(*bench.owner) == std::vector<std::string>{"b", "a"});

    bench.emitter->removeAll(*bench.owner, "b");
    CHECK(bench.emitter->patterns(*bench.owner) == std::vector<std::string>{"a"});
    bench.emitter->removeAll(*bench.owner);
    CHECK(bench.emitter->count(*bench.owner) == 0);
    CHECK(bench.emitter->count(*other) == 1);
}

TEST_CASE("interest is told of a pattern once, from the first remote listener to the last") {
    Bench bench;
    const auto nothing = [](const Event&) {};
    using Told = std::vector<std::string>;
    const auto first = bench.on("a", nothing);
    const auto second = bench.on("a", nothing);
    CHECK(bench.interest.told.empty());

    bench.emitter->setRemote(*bench.owner, true);
    bench.emitter->setRemote(*bench.owner, true);
    CHECK(bench.interest.told == Told{"+a"});

    bench.once("b", nothing);
    CHECK(bench.interest.told == Told{"+a", "+b"});
    bench.emit("b");
    CHECK(bench.interest.told == Told{"+a", "+b", "-b"});

    bench.remove(first);
    CHECK(bench.interest.told.size() == 3);
    bench.remove(second);
    CHECK(bench.interest.told.back() == "-a");

    bench.on("c", nothing);
    bench.emitter->setRemote(*bench.owner, false);
    CHECK(bench.interest.told == Told{"+a", "+b", "-b", "-a", "+c", "-c"});
}

TEST_CASE("events of other processes run at once or are given to each postponing owner once") {
    Bench bench;
    std::string log;
    const auto later = std::make_shared<TestOwner>(true);
    const auto deaf = std::make_shared<TestOwner>();
    bench.emitter->setRemote(*bench.owner, true);
    bench.emitter->setRemote(*later, true);
    bench.on("a", says(log, "1"));
    bench.emitter->add(later, "a", says(log, "L1"), {});
    bench.emitter->add(later, ".*", says(log, "L2"), {});
    bench.emitter->add(deaf, "a", says(log, "no"), {});
    bench.on("a", says(log, "2"));

    Event event = EventAccess::blank();
    Hearing hearing(*bench.emitter, "a");
    std::vector<Owner*> postponed;
    hearing.runRemote(event, [&](Owner& owner) { postponed.push_back(&owner); });
    CHECK(log == "12");
    CHECK(postponed == std::vector<Owner*>{later.get()});
    hearing.runFor(event, *later);
    CHECK(log == "12L1L2");
}
