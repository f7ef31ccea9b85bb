// Where events go: design.md section 4, through the sockets.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <set>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

using Names = std::vector<std::string>;
using Counts = std::map<std::string, int>;

/// A daemon with a JSON and a binary listener on each channel.
class Bus {
  public:
    Bus(const std::string& channels, const Names& names, const std::string& more = "")
        : daemon(localConfig(channels, more)) {
        for (const std::string& name : names) {
            for (const Encoding encoding : bothEncodings) {
                listeners_[name].push_back(connect(encoding, daemon.socket(name)));
            }
        }
    }

    /// How often each listener of each channel hears what is emitted; both encodings must agree.
    Counts hears(Encoding encoding, const std::string& from, const std::string& event,
                 const EmitWith& how = {}) {
        auto emitter = connect(encoding, daemon.socket(from));
        emitter->emit(event, "1", how);
        settle(*emitter, from);
        return collect(event);
    }

    /// Returns when the daemon has taken what `emitter` sent on channel `from`, and nothing has
    /// come back to it.
    void settle(Client& emitter, const std::string& from) {
        // Its own last event must reach its neighbours; then everything before it was routed.
        emitter.emit("settled");
        for (auto& listener : listeners_.at(from))
            backlog_[listener.get()] = until(*listener, "settled");
        JsonClient neighbour(daemon.socket(from));
        neighbour.emit("echo");
        CHECK(emitter.nextEvent().event == "echo");
    }

    /// What each listener heard of `event` up to a fence that each of them must hear.
    Counts collect(const std::string& event) {
        std::vector<std::unique_ptr<Client>> fencers;
        for (auto& [name, ignored] : listeners_) {
            fencers.push_back(connect(Encoding::json, daemon.socket(name)));
            fencers.back()->emit("fence." + name);
        }
        Counts counts;
        for (auto& [name, both] : listeners_) {
            std::array<int, 2> heard{};
            for (std::size_t i = 0; i < both.size(); ++i) {
                Names all = std::move(backlog_[both[i].get()]);
                const Names rest = until(*both[i], "fence." + name);
                all.insert(all.end(), rest.begin(), rest.end());
                heard[i] = static_cast<int>(std::count(all.begin(), all.end(), event));
                backlog_[both[i].get()].clear();
            }
            const std::string& channel = name;
            CAPTURE(channel);
            CHECK(heard[0] == heard[1]);
            if (heard[0] != 0) counts[name] = heard[0];
        }
        return counts;
    }

    Client& listener(const std::string& channel, Encoding encoding) {
        return *listeners_.at(channel)[encoding == Encoding::json ? 0 : 1];
    }

    Daemon daemon;

  private:
    static Names until(Client& client, const std::string& fence) {
        return client.eventsUntil(fence);
    }

    std::map<std::string, std::vector<std::unique_ptr<Client>>> listeners_;
    std::map<Client*, Names> backlog_;
};

std::string rule(const std::string& channel, const std::string& propagate,
                 const std::string& more = "") {
    return "\"" + channel + "\": {\"propagatetochannels\": " + propagate + more + "}";
}

}  // namespace

TEST_CASE("which channels hear an event: the rule of the emitting channel, one hop, each once") {
    struct Row {
        const char* what;
        std::string channels;
        Names names;
        std::string from;
        Counts expected;
    };
    const std::vector<Row> table{
        {"no rule: the own channel alone",
         rule("A", "false") + "," + rule("B", "\".*\""),
         {"A", "B"},
         "A",
         {{"A", 1}}},
        {"`.*` is every other channel, and not the own one twice",
         rule("A", "\".*\"") + "," + rule("B", "false") + "," + rule("C", "false"),
         {"A", "B", "C"},
         "A",
         {{"A", 1}, {"B", 1}, {"C", 1}}},
        {"a rule speaks for the emitting channel only",
         rule("A", "\".*\"") + "," + rule("B", "false"),
         {"A", "B"},
         "B",
         {{"B", 1}}},
        {"one hop: what arrives on B does not go on to C",
         rule("A", "\"^B$\"") + "," + rule("B", "\"^C$\"") + "," + rule("C", "\".*\""),
         {"A", "B", "C"},
         "A",
         {{"A", 1}, {"B", 1}}},
        {"a circle of rules is no loop",
         rule("A", "\".*\"") + "," + rule("B", "\".*\"") + "," + rule("C", "\".*\""),
         {"A", "B", "C"},
         "B",
         {{"A", 1}, {"B", 1}, {"C", 1}}},
        {"a rule is searched, not matched whole",
         rule("A", "\"B\"") + "," + rule("B", "false") + "," + rule("aBc", "false") + "," +
             rule("b", "false"),
         {"A", "B", "aBc", "b"},
         "A",
         {{"A", 1}, {"B", 1}, {"aBc", 1}}},
        {"anchors make it exact",
         rule("A", "\"^B$\"") + "," + rule("B", "false") + "," + rule("aBc", "false"),
         {"A", "B", "aBc"},
         "A",
         {{"A", 1}, {"B", 1}}},
        {"alternatives",
         rule("A", "\"^(B|C)$\"") + "," + rule("B", "false") + "," + rule("C", "false") + "," +
             rule("D", "false"),
         {"A", "B", "C", "D"},
         "A",
         {{"A", 1}, {"B", 1}, {"C", 1}}},
        {"the empty rule is no rule, as in 1.x",
         rule("A", "\"\"") + "," + rule("B", "false"),
         {"A", "B"},
         "A",
         {{"A", 1}}},
        {"a name that only contains `control` is a channel like any other",
         rule("A", "\"control\"") + "," + rule("control2", "false") + "," + rule("B", "false"),
         {"A", "control2", "B"},
         "A",
         {{"A", 1}, {"control2", 1}}},
    };
    for (const Row& row : table) {
        const std::string what = row.what;
        CAPTURE(what);
        Bus bus(row.channels, row.names);
        for (const Encoding encoding : bothEncodings) {
            CAPTURE(nameOf(encoding));
            CHECK(bus.hears(encoding, row.from, "test") == row.expected);
        }
    }
}

TEST_CASE("an event says on which channel it was emitted, wherever it is heard") {
    Bus bus(rule("A", "\".*\"") + "," + rule("B", "false"), {"A", "B"});
    JsonClient emitter(bus.daemon.socket("A"));
    emitter.emit("hello");
    for (const char* channel : {"A", "B"}) {
        for (const Encoding encoding : bothEncodings) {
            const Heard heard = bus.listener(channel, encoding).nextEvent();
            CHECK(heard.event == "hello");
            CHECK(heard.channel == "A");
            CHECK(heard.host == "");
            CHECK_FALSE(heard.remote);
        }
    }
}

TEST_CASE("two connections of one process are two clients") {
    Daemon daemon(localConfig(rule("A", "false")));
    JsonClient first(daemon.socket("A"));
    JsonClient second(daemon.socket("A"));
    first.emit("one");
    CHECK(second.nextEvent().event == "one");
    second.emit("two");
    CHECK(first.nextEvent().event == "two");
}

// -- broadcast ---------------------------------------------------------------------------------

TEST_CASE("a broadcast reaches every channel but control, whatever the rules") {
    Bus bus(rule("A", "false") + "," + rule("B", "false") + "," + rule("C", "\"^B$\""),
            {"A", "B", "C"});
    JsonClient control(bus.daemon.socket("control"));
    for (const Encoding encoding : bothEncodings) {
        CHECK(bus.hears(encoding, "A", "all", {.broadcast = true}) ==
              Counts{{"A", 1}, {"B", 1}, {"C", 1}});
        CHECK(bus.hears(encoding, "C", "all", {.broadcast = true}) ==
              Counts{{"A", 1}, {"B", 1}, {"C", 1}});
    }
    CHECK(control.ask("stats").contains("channels"));  // the first thing it hears
}

TEST_CASE("a listener sees that an event was a broadcast") {
    Bus bus(rule("A", "false") + "," + rule("B", "false"), {"A", "B"});
    JsonClient emitter(bus.daemon.socket("A"));
    emitter.broadcast("all");
    emitter.emit("some");
    for (const Encoding encoding : bothEncodings) {
        CHECK(bus.listener("B", encoding).nextEvent().broadcast);
        CHECK(bus.listener("A", encoding).nextEvent().broadcast);
        CHECK_FALSE(bus.listener("A", encoding).nextEvent().broadcast);
    }
}

TEST_CASE(
    "allowbroadcast false: a broadcast of that channel goes where its rule says, no further") {
    Bus bus(rule("A", "\"^B$\"", ", \"allowbroadcast\": false") + "," + rule("B", "false") + "," +
                rule("C", "false"),
            {"A", "B", "C"});
    for (const Encoding encoding : bothEncodings) {
        CHECK(bus.hears(encoding, "A", "all", {.broadcast = true}) == Counts{{"A", 1}, {"B", 1}});
    }
}

// -- control -----------------------------------------------------------------------------------

TEST_CASE("no event of a data channel reaches control, by rule or by broadcast") {
    Daemon daemon(localConfig(rule("A", "\".*\"") + "," + rule("B", "\"control\"")));
    JsonClient jsonControl(daemon.socket("control"));
    BinaryClient binaryControl(daemon.socket("control"));
    for (const char* channel : {"A", "B"}) {
        for (const Encoding encoding : bothEncodings) {
            JsonClient witness(daemon.socket(channel));
            auto emitter = connect(encoding, daemon.socket(channel));
            emitter->emit("plain");
            emitter->broadcast("wide");
            CHECK(witness.nextEvent().event == "plain");
            CHECK(witness.nextEvent().event == "wide");
        }
    }
    // The fence is control's own answer: it is the first thing either hears.
    jsonControl.emit("nc-control-showchannel", "\"A\"");
    CHECK(jsonControl.nextEvent().event == "nc-control-showchannel-response");
    binaryControl.emit("nc-control-showchannel", "\"A\"");
    CHECK(binaryControl.nextEvent().event == "nc-control-showchannel-response");
}

TEST_CASE("no event of control reaches a data channel, nor another client of control") {
    Bus bus("\"control2\": {}," + rule("A", "false"), {"A", "control2"});
    JsonClient other(bus.daemon.socket("control"));
    for (const Encoding encoding : bothEncodings) {
        auto control = connect(encoding, bus.daemon.socket("control"));
        control->emit("hello", "1");
        CHECK(control->nextEvent().event == "nc-control-error");
        control->emit("wide", "1", EmitWith{.broadcast = true});
        CHECK(control->nextEvent().event == "nc-control-error");
        control->emit("nc-control-stats", "null", EmitWith{.broadcast = true});
        CHECK(control->nextEvent().event == "nc-control-stats-response");
        for (const char* event :
             {"hello", "wide", "nc-control-stats", "nc-control-stats-response"}) {
            CHECK(bus.collect(event) == Counts{});
        }
    }
    CHECK(other.ask("showchannel", "A").at("channel") == "A");  // the first thing it hears
}

TEST_CASE("rules written for control are ignored, with a warning; 1.x configurations had them") {
    Daemon daemon(
        "{\"connecttonet\": false, \"channels\": {"
        "\"control\": {\"propagatetochannels\": \".*\", \"propagatetonet\": true,"
        " \"dumptoconsole\": false}, \"A\": {\"propagatetochannels\": \".*\"}}}");
    CHECK(daemon.log().find("control") != std::string::npos);
    JsonClient listener(daemon.socket("A"));
    JsonClient control(daemon.socket("control"));
    control.emit("leak", "1");
    CHECK(control.nextEvent().event == "nc-control-error");
    JsonClient other(daemon.socket("A"));
    other.emit("fence");
    CHECK(listener.eventsUntil("fence").empty());
}

TEST_CASE(
    "names that begin with nc- are refused on a data channel: counted, logged once, no more") {
    Daemon daemon(localConfig(rule("A", "\".*\"") + "," + rule("B", "false")));
    const Json before = daemon.ask("showconfig");
    for (const Encoding encoding : bothEncodings) {
        CAPTURE(nameOf(encoding));
        auto onA = connect(encoding, daemon.socket("A"));
        auto onB = connect(encoding, daemon.socket("B"));
        JsonClient emitter(daemon.socket("A"));
        const auto refusedBefore = daemon.ask("showchannel", "A").at("refused").get<int>();
        const std::size_t logBefore = daemon.log().size();

        emitter.emit("nc-control-reloadconfig", R"({"channels":{"control":{}}})");
        emitter.emit("nc-control-stats");
        emitter.broadcast("nc-");
        emitter.emit("nc-gap", R"({"count":1,"first":1,"last":1})");
        emitter.emit("fence");  // it is still there

        CHECK(onA->eventsUntil("fence").empty());
        CHECK(onB->eventsUntil("fence").empty());
        CHECK(daemon.ask("showchannel", "A").at("refused") == refusedBefore + 4);
        daemon.awaitLog("nc-control-reloadconfig", logBefore);
        const std::string log = daemon.log().substr(logBefore);
        CHECK(log.find("\"nc-control-stats\"") == std::string::npos);
        CHECK(log.find("\"nc-gap\"") == std::string::npos);
    }
    CHECK(daemon.ask("showconfig") == before);
}

TEST_CASE("a name that only contains nc- is a name like any other") {
    Daemon daemon(localConfig(rule("A", "false")));
    JsonClient listener(daemon.socket("A"));
    JsonClient emitter(daemon.socket("A"));
    for (const char* name : {"nc", "NC-x", "xnc-", "sync-nc-"}) {
        emitter.emit(name);
        CHECK(listener.nextEvent().event == name);
    }
}

// -- patterns of listeners ---------------------------------------------------------------------

TEST_CASE("a listener's pattern matches the whole name") {
    struct Row {
        std::string pattern;
        Names heard;
    };
    const Names emitted{"A", "AAA", "a",   "BA", "AB", "sensor.kitchen", "sensorXkitchen",
                        "ä", "ää",  "x y", "log"};
    const std::vector<Row> table{
        {"A", {"A"}},
        {"A.*", {"A", "AAA", "AB"}},
        {".*A", {"A", "AAA", "BA"}},
        {"A|log", {"A", "log"}},
        {"(?i)a", {"A", "a"}},
        {"sensor\\..*", {"sensor.kitchen"}},
        {"sensor.kitchen", {"sensor.kitchen", "sensorXkitchen"}},
        {".", {"A", "a", "ä"}},
        {"ä+", {"ä", "ää"}},
        {"^A$", {"A"}},
        {"", {}},
        {"x y", {"x y"}},
        {".*", emitted},
    };
    Daemon daemon(localConfig(rule("A", "false")));
    JsonClient emitter(daemon.socket("A"));
    for (const Row& row : table) {
        CAPTURE(row.pattern);
        BinaryClient listener(daemon.socket("A"), {row.pattern, "the fence"});
        for (const std::string& name : emitted) emitter.emit(name);
        emitter.emit("the fence");
        CHECK(listener.eventsUntil("the fence") == row.heard);
    }
}

TEST_CASE("several patterns that match are one delivery") {
    Daemon daemon(localConfig(rule("A", "false")));
    BinaryClient listener(daemon.socket("A"), {"a.*", ".*c", "abc", "abc", "fence"});
    JsonClient emitter(daemon.socket("A"));
    emitter.emit("abc");
    emitter.emit("xyz");
    emitter.emit("fence");
    CHECK(listener.eventsUntil("fence") == Names{"abc"});
}

TEST_CASE("patterns come and go while events flow") {
    Daemon daemon(localConfig(rule("A", "false")));
    JsonClient emitter(daemon.socket("A"));
    BinaryClient listener(daemon.socket("A"), {"fence"});
    const auto round = [&] {
        emitter.emit("one");
        emitter.emit("two");
        emitter.emit("fence");
        return listener.eventsUntil("fence");
    };
    CHECK(round().empty());
    const auto one = listener.subscribe("one");
    listener.sync();
    CHECK(round() == Names{"one"});
    const auto all = listener.subscribe(".*o.*");
    listener.sync();
    CHECK(round() == Names{"one", "two"});
    listener.unsubscribe(one);
    listener.sync();
    CHECK(round() == Names{"one", "two"});
    listener.unsubscribe(all);
    listener.unsubscribe(4711);
    listener.sync();
    CHECK(round().empty());
}

TEST_CASE("a pattern that does not compile is refused with the reason; the connection lives on") {
    Daemon daemon(localConfig(rule("A", "false")));
    BinaryClient listener(daemon.socket("A"), {"fence", "good"});
    const auto id = listener.subscribe("(unclosed");
    const Heard refusal = listener.next();
    CHECK(refusal.kind == Heard::Kind::refused);
    CHECK(refusal.id == std::to_string(id));
    CHECK(refusal.data.find("missing") != std::string::npos);  // RE2's words
    JsonClient emitter(daemon.socket("A"));
    emitter.emit("good");
    emitter.emit("(unclosed");
    emitter.emit("fence");
    CHECK(listener.eventsUntil("fence") == Names{"good"});
}

TEST_CASE("regular expressions on both sides: the channel's rule and the listener's pattern") {
    Daemon daemon(localConfig(rule("A", "\"^B[12]$\"") + "," + rule("B1", "false") + "," +
                              rule("B2", "false") + "," + rule("B3", "false")));
    BinaryClient b1(daemon.socket("B1"), {"sensor\\..*", "fence"});
    BinaryClient b2(daemon.socket("B2"), {".*\\.oven", "fence"});
    BinaryClient b3(daemon.socket("B3"), {".*"});
    BinaryClient emitter(daemon.socket("A"));
    emitter.emit("sensor.kitchen");
    emitter.emit("sensor.oven");
    emitter.emit("alarm.oven");
    emitter.emit("fence");
    emitter.sync();
    JsonClient own(daemon.socket("B3"));
    own.emit("own");
    CHECK(b1.eventsUntil("fence") == Names{"sensor.kitchen", "sensor.oven"});
    CHECK(b2.eventsUntil("fence") == Names{"sensor.oven", "alarm.oven"});
    CHECK(b3.eventsUntil("own").empty());
}

// -- order -------------------------------------------------------------------------------------

TEST_CASE("each receiver hears an emitter's events in the order emitted, over all ways") {
    Bus bus(rule("A", "\".*\"") + "," + rule("B", "false"), {"A", "B"});
    constexpr int count = 500;
    for (const Encoding encoding : bothEncodings) {
        auto emitter = connect(encoding, bus.daemon.socket("A"));
        for (int n = 0; n < count; ++n) {
            emitter->emit("n", std::to_string(n), EmitWith{.broadcast = n % 3 == 0});
        }
        for (const char* channel : {"A", "B"}) {
            for (const Encoding listening : bothEncodings) {
                for (int n = 0; n < count; ++n) {
                    REQUIRE(bus.listener(channel, listening).nextEvent().data == std::to_string(n));
                }
            }
        }
    }
}

TEST_CASE("who listens before an emitter starts hears its first event, who leaves hears no more") {
    Daemon daemon(localConfig(rule("A", "false")));
    JsonClient emitter(daemon.socket("A"));
    for (int n = 0; n < 20; ++n) {
        BinaryClient listener(daemon.socket("A"));
        emitter.emit("n" + std::to_string(n));
        CHECK(listener.nextEvent().event == "n" + std::to_string(n));
    }
    JsonClient last(daemon.socket("A"));
    BinaryClient other(daemon.socket("A"));
    other.emit("still there");
    CHECK(last.eventsUntil("still there").empty());
}

TEST_CASE("what a client said before it left counts, also when an event was on its way to it") {
    Daemon daemon(localConfig(rule("A", "false")));
    JsonClient listener(daemon.socket("A"));
    JsonClient neighbour(daemon.socket("A"));
    for (const Encoding encoding : bothEncodings) {
        CAPTURE(nameOf(encoding));
        auto brief = connect(encoding, daemon.socket("A"));
        neighbour.emit("hello");
        CHECK(brief->nextEvent().event == "hello");

        // The daemon wakes up to find both: an event for the client, and that it has gone.
        daemon.process().signal(SIGSTOP);
        neighbour.emit("for it");
        brief->emit("last words");
        brief.reset();
        daemon.process().signal(SIGCONT);

        std::set<std::string> heard;
        for (int n = 0; n < 3; ++n) heard.insert(listener.nextEvent().event);
        CHECK(heard == std::set<std::string>{"hello", "for it", "last words"});
        CHECK(neighbour.nextEvent().event == "last words");
    }
}
