// Events, subscriptions and syncs on a connection that stands.
#include <doctest/doctest.h>

#include <memory>

#include "fake_daemon.hpp"
#include "support.hpp"

using namespace netcluster;
using namespace netcluster::testing;
using Words = std::vector<std::string>;

namespace {

constexpr std::chrono::milliseconds longTime{20000};

struct Connected {
    FakeDaemon daemon;
    Agent agent;
    FakeClient client;

    explicit Connected(std::size_t queueLimit = std::size_t{8} << 20)
        : agent("A", with(queueLimit)), client(begin()) {}

    Options with(std::size_t queueLimit) const {
        Options options = daemon.options();
        options.queueLimit = queueLimit;
        return options;
    }
    FakeClient begin() {
        auto connecting = inBackground([&] { agent.connect(longTime); });
        FakeClient fresh = daemon.accept();
        fresh.greet();
        connecting.get();
        return fresh;
    }
    /// Shows that all before has been handled: what is asked is answered in order.
    void passed() {
        auto syncing = inBackground([&] { agent.sync(longTime); });
        client.untilSync();
        client.synced();
        syncing.get();
    }
};

}  // namespace

TEST_CASE("listeners added and removed on a connection are subscribed and unsubscribed") {
    Connected world;
    const Listener first = world.agent.on("x", [](const Event&) {});
    const Said subscribed = world.client.next();
    CHECK(subscribed.text == "subscribe x");
    const Listener second = world.agent.on("x", [](const Event&) {});
    world.agent.removeListener(first);
    world.agent.on("y", [](const Event&) {});
    CHECK(world.client.next().text == "subscribe y");
    world.agent.removeListener(second);
    const Said unsubscribed = world.client.next();
    CHECK(unsubscribed.text == "unsubscribe");
    CHECK(unsubscribed.number == subscribed.number);
    world.agent.removeAllListeners();
    CHECK(world.client.next().text == "unsubscribe");
}

TEST_CASE("a once listener unsubscribes when it has run") {
    Heard<std::string> heard;
    Connected world;
    world.agent.once("x", [&](const Event& event) { heard.add(std::string(event.text())); });
    CHECK(world.client.next().text == "subscribe x");
    world.client.event("x", "1");
    world.client.event("x", "2");
    CHECK(heard.next() == "1");
    CHECK(world.client.next().text == "unsubscribe");
    world.passed();
    CHECK(heard.waiting() == 0);
}

TEST_CASE("events of other processes are heard with all they carry") {
    struct Seen {
        std::string name, text, sender;
        bool local, broadcast;
    };
    Heard<Seen> heard;
    Connected world;
    world.agent.on("x.*", [&](const Event& event) {
        heard.add({std::string(event.name()), event.data().dump(), event.sender(),
                   event.fromThisProcess(), event.broadcast()});
    });
    world.client.event("xyz", R"({"b": 2})", wire::broadcastFlag);
    const Seen seen = heard.next();
    CHECK(seen.name == "xyz");
    CHECK(seen.text == R"({"b":2})");
    CHECK(seen.sender == "ffffffff-0000-1111-2222-333333333333");
    CHECK_FALSE(seen.local);
    CHECK(seen.broadcast);
}

TEST_CASE("scope and broadcast travel as flags; scope process does not travel") {
    Connected world;
    world.agent.emit("here", 1, {.scope = Scope::process});
    world.agent.emit("host", 2, {.scope = Scope::host});
    world.agent.emit("all", 3, {.broadcast = true});
    const std::string_view bytes("\x00\x01", 2);
    world.agent.emitBytes("bytes", std::as_bytes(std::span(bytes)));
    CHECK(world.client.next().flags == wire::hostOnlyFlag);
    CHECK(world.client.next().flags == wire::broadcastFlag);
    const Said last = world.client.next();
    CHECK(last.flags == wire::bytesFlag);
    CHECK(last.text == std::string("event bytes ") + std::string(bytes));
}

TEST_CASE("what a listener emits follows the event it hears, here as there") {
    Connected world;
    world.agent.on("ask", [&](const Event&) { world.agent.emit("answer"); });
    CHECK(world.client.next().text == "subscribe ask");
    world.agent.emit("ask");
    CHECK(world.client.next().name == "ask");
    CHECK(world.client.next().name == "answer");
}

TEST_CASE("events emitted from several threads arrive whole, each thread's in order") {
    Connected world;
    constexpr int threads = 3;
    constexpr int each = 2000;
    std::vector<std::future<void>> emitting;
    for (int thread = 0; thread < threads; ++thread) {
        emitting.push_back(inBackground([&, thread] {
            for (int i = 0; i < each; ++i) world.agent.emit("t" + std::to_string(thread), i);
        }));
    }
    std::vector<int> next(threads, 0);
    for (int i = 0; i < threads * each; ++i) {
        const Said said = world.client.next();
        const auto thread = static_cast<std::size_t>(said.name.back() - '0');
        CHECK(said.text == "event " + said.name + " " + std::to_string(next[thread]++));
    }
    for (auto& one : emitting) one.get();
}

TEST_CASE("a large event goes through both ways") {
    Heard<std::size_t> heard;
    Connected world;
    world.agent.on("big", [&](const Event& event) { heard.add(event.text().size()); });
    CHECK(world.client.next().text == "subscribe big");
    const std::string text(900'000, 'x');
    auto emitting = inBackground([&] { world.agent.emit("up", text); });
    CHECK(world.client.next().text == "event up \"" + text + "\"");
    emitting.get();
    world.client.event("big", "\"" + text + "\"");
    CHECK(heard.next() == text.size() + 2);
}

TEST_CASE("data larger than the welcome allows is refused where it is emitted") {
    int heard = 0;
    Connected world;
    world.agent.on(".*", [&](const Event&) { ++heard; });
    const std::string text((std::size_t{1} << 20) - 1, 'x');  // two quotes too long
    CHECK(contains(errorOf([&] { world.agent.emit("a", text); }), "1048576"));
    CHECK(heard == 0);
}

TEST_CASE("sync returns when the daemon has taken what was sent before it") {
    Connected world;
    world.agent.emit("a", 1);
    world.agent.on("b", [](const Event&) {});
    auto syncing = inBackground([&] { world.agent.sync(longTime); });
    CHECK(world.client.untilSync() == Words{"event a 1", "subscribe b"});
    CHECK(syncing.wait_for(std::chrono::milliseconds(0)) == std::future_status::timeout);
    world.client.synced();
    syncing.get();
}

TEST_CASE("sync fails when its time is over, and when the connection is lost") {
    Connected world;
    CHECK(contains(errorOf([&] { world.agent.sync(std::chrono::milliseconds(30)); }),
                   "did not answer a sync within 30 ms"));
    auto syncing = inBackground([&] { return errorOf([&] { world.agent.sync(longTime); }); });
    world.client.untilSync();
    world.client.untilSync();
    world.client.close();
    CHECK(contains(syncing.get(), "connection was lost"));
}

TEST_CASE("syncAsync tells where handlers run") {
    Heard<std::string> done;
    Connected world;
    world.agent.syncAsync([&](const std::string& error) { done.add("done" + error); }, longTime);
    world.client.untilSync();
    world.client.synced();
    CHECK(done.next() == "done");
}

TEST_CASE("a slow daemon fills the queue, emit says so, and what was accepted arrives") {
    int accepted = 0;
    Connected world(100'000);
    const std::string text(1000, 'x');
    while (world.agent.emit("a", text) == Emitted::accepted) ++accepted;
    CHECK(accepted >= 90);
    for (int i = 0; i < accepted; ++i) CHECK(world.client.next().name == "a");
    // There is room again; and nothing refused comes after.
    world.agent.emit("end");
    CHECK(world.client.next().name == "end");
}

TEST_CASE("a gap is told, in order between events") {
    Heard<std::string> heard;
    std::string bytes;
    Connected world;
    world.agent.on("x", [&](const Event& event) { heard.add(std::string(event.text())); });
    world.agent.onGap([&](const Gap& gap) {
        heard.add("gap of " + std::to_string(gap.count) + ": " + std::to_string(gap.first) + "-" +
                  std::to_string(gap.last));
    });
    world.client.event("x", "1");
    wire::appendGap(bytes, {3, 2, 4});
    world.client.write(bytes);
    world.client.event("x", "5");
    CHECK(heard.next() == "1");
    CHECK(heard.next() == "gap of 3: 2-4");
    CHECK(heard.next() == "5");
}

TEST_CASE("refusals and data that is not JSON are reported, and the connection lives on") {
    Heard<std::string> errors;
    std::string bytes;
    Connected world;
    world.agent.onError([&](const std::string& what) { errors.add(what); });
    world.agent.on("x", [](const Event& event) { event.data(); });
    const Said subscribed = world.client.next();
    wire::appendRefused(bytes, {static_cast<std::uint32_t>(subscribed.number), "too many"});
    wire::appendRefused(bytes, {0, "'nc-x' is reserved"});
    world.client.write(bytes);
    CHECK(errors.next() == "the daemon refused the pattern 'x': too many");
    CHECK(errors.next() == "the daemon refused: 'nc-x' is reserved");
    world.client.event("x", "{broken");
    CHECK(contains(errors.next(), "is not JSON"));
    CHECK(world.agent.connected());
}

TEST_CASE("frames of a later version are skipped") {
    Heard<std::string> heard;
    std::string bytes;
    Connected world;
    world.agent.on("x", [&](const Event& event) { heard.add(std::string(event.text())); });
    wire::appendSync(bytes, static_cast<wire::FrameType>(77), 1);
    world.client.write(bytes);
    world.client.event("x", "1");
    CHECK(heard.next() == "1");
}

TEST_CASE("the last agent's end waits until what it emitted is written") {
    FakeDaemon daemon;
    auto agent = std::make_unique<Agent>("A", daemon.options());
    auto connecting = inBackground([&] { agent->connect(longTime); });
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();
    const std::string text(1000, 'x');
    for (int i = 0; i < 1000; ++i) agent->emit("a", text);
    auto ending = inBackground([&] { agent.reset(); });
    for (int i = 0; i < 1000; ++i) CHECK(client.next().name == "a");
    CHECK(client.ended());
    ending.get();
}

TEST_CASE("an agent that goes inside a listener does not wait; its words are still written") {
    FakeDaemon daemon;
    auto agent = std::make_unique<Agent>("A", daemon.options());
    Heard<std::string> heard;
    agent->on("go", [&](const Event& event) {
        agent->emit("last words");
        agent.reset();
        heard.add(std::string(event.name()));
    });
    auto connecting = inBackground([&] { agent->connect(longTime); });
    FakeClient client = daemon.accept();
    client.greet();
    connecting.get();
    client.event("go", "1");
    CHECK(heard.next() == "go");
    CHECK(client.next().name == "last words");
    CHECK(client.next().text == "unsubscribe");
    CHECK(client.ended());
}
