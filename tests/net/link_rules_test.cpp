// The rules between hosts: propagatetonet, acceptfromnet, broadcast; what is counted and dropped.
#include <doctest/doctest.h>

#include <csignal>

#include "lab.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

using Names = std::vector<std::string>;

/// Emits `events` on `from`, then a broadcast as a fence, and returns what `listener` heard.
Names heardBy(Client& listener, Client& emitter, const Names& events, bool broadcast = false) {
    for (const std::string& event : events) {
        emitter.emit(event, "1", EmitWith{.broadcast = broadcast});
    }
    emitter.broadcast("fence");
    return listener.eventsUntil("fence");
}

const Names some{"sensor.a", "sensor", "xsensor.b", "log", "sensor.c"};
const Names sensors{"sensor.a", "sensor.c"};  // a regular expression matches the whole name

}  // namespace

TEST_CASE("propagatetonet: true, false, or a regular expression on whole event names") {
    Lab lab({{.channels = R"("all": {"propagatetonet": true}, "none": {"propagatetonet": false},
                             "some": {"propagatetonet": "sensor\\..*"}, "unsaid": {})"},
             {.channels = R"("all": {}, "none": {}, "some": {}, "unsaid": {})"}});
    const std::map<std::string, Names> table{
        {"all", some}, {"none", {}}, {"some", sensors}, {"unsaid", {}}};
    for (const auto& [channel, expected] : table) {
        const std::string& which = channel;
        CAPTURE(which);
        for (const Encoding encoding : bothEncodings) {
            auto emitter = connect(encoding, lab[0].socket(channel));
            auto remote = connect(encoding, lab[1].socket(channel));
            auto local = connect(encoding, lab[0].socket(channel));
            CHECK(heardBy(*remote, *emitter, some) == expected);
            CHECK(local->eventsUntil("fence") == some);  // at home the link's rule means nothing
        }
    }
}

TEST_CASE("acceptfromnet: true, false, or a regular expression on whole event names") {
    const std::string out = R"({"propagatetonet": true})";
    Lab lab({{.channels = "\"all\": " + out + ", \"none\": " + out + ", \"some\": " + out +
                          ", \"unsaid\": " + out},
             {.channels = R"("all": {"acceptfromnet": true}, "none": {"acceptfromnet": false},
                             "some": {"acceptfromnet": "sensor\\..*|fence"}, "unsaid": {})"}});
    const std::map<std::string, Names> table{{"all", some}, {"some", sensors}, {"unsaid", some}};
    for (const auto& [channel, expected] : table) {
        const std::string& which = channel;
        CAPTURE(which);
        JsonListener emitter(lab[0].socket(channel));
        JsonListener remote(lab[1].socket(channel));
        CHECK(heardBy(remote, emitter, some) == expected);
    }
    JsonListener emitter(lab[0].socket("none"));
    JsonListener remote(lab[1].socket("none"));
    JsonListener other(lab[1].socket("all"));
    CHECK(heardBy(other, emitter, some).empty());  // the fence is a broadcast, "none" is deaf to it
    JsonListener neighbour(lab[1].socket("none"));
    neighbour.emit("own");
    CHECK(remote.eventsUntil("own").empty());
    CHECK(lab[1].linkStats().at("events").at("notaccepted").get<int>() >= 8);
}

TEST_CASE("an event from the net is as if emitted on its channel: that channel's rule applies") {
    Lab lab(
        {{.channels =
              R"("A": {"propagatetonet": true, "propagatetochannels": false}, "B": {}, "C": {})"},
         {.channels =
              R"("A": {"propagatetochannels": "^B$"}, "B": {"propagatetochannels": ".*"}, "C": {})"}});
    JsonListener emitter(lab[0].socket("A"));
    JsonListener homeB(lab[0].socket("B"));
    JsonListener onA(lab[1].socket("A"));
    BinaryClient onB(lab[1].socket("B"));
    JsonListener onC(lab[1].socket("C"));
    CHECK(heardBy(onA, emitter, {"x"}) == Names{"x"});
    CHECK(onB.eventsUntil("fence") == Names{"x"});
    CHECK(onC.eventsUntil("fence").empty());  // one hop
    CHECK(homeB.eventsUntil("fence").empty());
}

TEST_CASE(
    "a broadcast crosses whatever the rules, to every channel that accepts; control is none") {
    Lab lab({{.channels =
                  R"("A": {"propagatetonet": false}, "mute": {"allowbroadcast": false}, "B": {})"},
             {.channels = R"("A": {}, "C": {}, "deaf": {"acceptfromnet": false}, "mute": {})"}});
    JsonListener emitter(lab[0].socket("A"));
    JsonListener homeB(lab[0].socket("B"));
    JsonListener onA(lab[1].socket("A"));
    BinaryClient onC(lab[1].socket("C"));
    JsonListener deaf(lab[1].socket("deaf"));
    JsonListener control(lab[1].socket("control"));
    CHECK(heardBy(onA, emitter, {"wide"}, true) == Names{"wide"});
    const Heard wide = onC.nextEvent();
    CHECK(wide.event == "wide");
    CHECK(wide.broadcast);
    CHECK(wide.remote);
    CHECK(wide.channel == "A");
    CHECK(onC.eventsUntil("fence").empty());
    CHECK(homeB.eventsUntil("fence") == Names{"wide"});
    JsonListener neighbour(lab[1].socket("deaf"));
    neighbour.emit("own");
    CHECK(deaf.eventsUntil("own").empty());
    control.emit("nc-control-showchannel", "\"A\"");
    CHECK(control.nextEvent().event == "nc-control-showchannel-response");

    // A channel that may not broadcast does not reach the net by it.
    JsonListener mute(lab[0].socket("mute"));
    JsonListener witness(lab[0].socket("mute"));
    mute.broadcast("whisper");
    CHECK(witness.nextEvent().event == "whisper");
    CHECK(heardBy(onA, emitter, {}) == Names{});
}

TEST_CASE("an event meant for its host alone stays there") {
    Lab lab({{}, {}});
    BinaryClient emitter(lab[0].socket("A"), {});
    JsonListener local(lab[0].socket("A"));
    JsonListener remote(lab[1].socket("A"));
    emitter.emit("secret", "1", EmitWith{.hostOnly = true});
    emitter.emit("secret too", "1", EmitWith{.broadcast = true, .hostOnly = true});
    emitter.emit("fence");
    CHECK(local.eventsUntil("fence") == Names{"secret", "secret too"});
    CHECK(remote.eventsUntil("fence").empty());
}

TEST_CASE("an event for a channel that is not here is counted and dropped") {
    Lab lab(
        {{.channels = R"("A": {"propagatetonet": true}, "only-here": {"propagatetonet": true})"},
         {}});
    JsonListener emitter(lab[0].socket("only-here"));
    JsonListener remote(lab[1].socket("A"));
    CHECK(heardBy(remote, emitter, {"x", "y", "z"}).empty());
    const Json stats = lab[1].linkStats();
    CHECK(stats.at("events").at("nochannel") == 3);
    CHECK(stats.at("events").at("received") == 4);
}

TEST_CASE("rules of the link changed by reload apply at once, and clients stay") {
    Lab lab({{}, {}});
    JsonListener emitter(lab[0].socket("A"));
    JsonListener remote(lab[1].socket("A"));
    CHECK(heardBy(remote, emitter, {"one"}) == Names{"one"});
    const auto reload = [](Host& host, const HostConfig& config) {
        CHECK(
            host.daemon().ask("reloadconfig", Json::parse(host.configText(config))).at("status") ==
            "done");
    };
    reload(lab[0], {.channels = R"("A": {"propagatetonet": "t.*"})"});
    CHECK(heardBy(remote, emitter, {"one", "two"}) == Names{"two"});
    reload(lab[1], {.channels = R"("A": {"acceptfromnet": "three|fence"})"});
    CHECK(heardBy(remote, emitter, {"two", "three"}) == Names{"three"});
    reload(lab[0], {});
    reload(lab[1], {});
    CHECK(heardBy(remote, emitter, {"one", "two"}) == Names{"one", "two"});
}

TEST_CASE("the link itself changes by reload: another port is another cluster") {
    Lab lab({{}, {}});
    JsonListener emitter(lab[0].socket("A"));
    JsonListener local(lab[0].socket("A"));
    JsonListener remote(lab[1].socket("A"));
    CHECK(heardBy(remote, emitter, {"one"}) == Names{"one"});
    CHECK(local.eventsUntil("fence") == Names{"one"});
    const auto reload = [&](Host& host, const HostConfig& config) {
        host.daemon().ask("reloadconfig", Json::parse(host.configText(config)));
    };
    reload(lab[1], {.more = R"("port": 4999)"});
    lab[0].daemon().awaitLog("host h2 is gone");
    emitter.emit("lost");
    CHECK(local.nextEvent().event == "lost");
    JsonListener neighbour(lab[1].socket("A"));
    neighbour.emit("own");
    CHECK(remote.eventsUntil("own").empty());

    std::size_t logged = lab[0].daemon().log().size();
    reload(lab[0], {.more = R"("port": 4999)"});
    lab[0].daemon().awaitLog("host h2 is online", logged);
    CHECK(heardBy(remote, emitter, {"two"}) == Names{"two"});

    logged = lab[0].daemon().log().size();
    reload(lab[1], {.more = R"("connecttonet": false)"});
    lab[0].daemon().awaitLog("host h2 is gone", logged);
    CHECK(lab[1].linkStats().at("connected") == false);
    neighbour.emit("still");
    CHECK(remote.nextEvent().event == "still");
}

TEST_CASE("a full client holds the link up for a moment only: it loses its oldest, and is told") {
    Lab lab({{}, {.more = R"("clientqueue": "1MiB", "stalltimeout": 1000)"}});
    BinaryClient emitter(lab[0].socket("A"), {});
    BinaryClient reader(lab[1].socket("A"));
    BinaryClient never(lab[1].socket("A"));
    constexpr int count = 3000;
    std::string data(1000, 'x');
    data.front() = data.back() = '"';
    // In step with the reader, so that nothing but the client that never reads is full.
    for (int n = 0; n < count; n += 50) {
        for (int k = 0; k < 50; ++k) emitter.emit("n", data);
        for (int k = 0; k < 50; ++k) REQUIRE(reader.nextEvent().event == "n");
    }
    int told = 0;
    int gaps = 0;
    while (told < count) {
        const Heard heard = never.next();
        gaps += heard.kind == Heard::Kind::gap;
        told += heard.kind == Heard::Kind::gap ? static_cast<int>(heard.gap.count) : 1;
    }
    CHECK(told == count);
    CHECK(gaps > 0);
}

TEST_CASE("a host that is killed is noticed, and heard again when it comes back") {
    Lab lab({{}, {}});
    JsonListener listener(lab[0].socket("A"));
    lab[1].daemon().process().signal(SIGSTOP);
    lab[0].daemon().awaitLog("host h2 is gone");
    lab[1].daemon().process().signal(SIGCONT);
    const std::size_t logged = lab[0].daemon().log().find("host h2 is gone");
    lab[0].daemon().awaitLog("host h2 is online", logged);
    JsonListener emitter(lab[1].socket("A"));
    emitter.emit("back");
    CHECK(listener.nextEvent().event == "back");

    // A new start is a new session: heard from its first event.
    lab[1].start({});
    lab[1].awaitOnline({&lab[0]});
    JsonListener anew(lab[1].socket("A"));
    anew.emit("new");
    CHECK(listener.nextEvent().event == "new");
}

TEST_CASE("dumpnet logs what comes from the link") {
    Lab lab({{}, {.more = R"("dumpnet": true)"}});
    JsonListener emitter(lab[0].socket("A"));
    JsonListener remote(lab[1].socket("A"));
    emitter.emit("visible", "42");
    CHECK(remote.nextEvent().event == "visible");
    lab[1].daemon().awaitLog("visible");
}
