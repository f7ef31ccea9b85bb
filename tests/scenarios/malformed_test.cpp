// What no honest client sends. Each time: the stated answer, other clients hear nothing of it, and
// a good client works afterwards.
#include <doctest/doctest.h>

#include <functional>
#include <future>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster;
using namespace netcluster::scenario;

namespace {

constexpr std::size_t maxEvent = 64 << 10;
const std::string config = localConfig(R"("A": {}, "B": {})", R"("maxevent": "64KiB")");

std::string little(std::uint64_t value, int bytes) {
    std::string text;
    for (int n = 0; n < bytes; ++n) text += static_cast<char>(value >> (8 * n));
    return text;
}

/// A frame by hand: any length, type, flags; bytes 6 and 7; then the rest as it is.
std::string rawFrame(std::uint64_t length, int type, const std::string& rest, int flags = 0,
                     int sixth = 0, int seventh = 0) {
    return little(length, 4) + static_cast<char>(type) + static_cast<char>(flags) +
           static_cast<char>(sixth) + static_cast<char>(seventh) + rest;
}

std::string frame(int type, const std::string& rest, int flags = 0, int sixth = 0,
                  int seventh = 0) {
    return rawFrame(4 + rest.size(), type, rest, flags, sixth, seventh);
}

std::string eventFrame(const std::string& name, const std::string& channel,
                       const std::string& payload, int flags = 0) {
    wire::EventView event;
    event.flags = static_cast<std::uint8_t>(flags);
    event.name = name;
    event.channel = channel;
    event.payload = payload;
    std::string bytes;
    wire::appendEvent(bytes, event);
    return bytes;
}

/// An event frame whose parts are given by hand.
std::string eventParts(int nameLength, int channelLength, std::uint64_t extensionLength,
                       const std::string& rest) {
    return frame(3, std::string(16, '\0') + little(extensionLength, 2) + little(0, 2) + rest, 0,
                 nameLength, channelLength);
}

std::string json(const std::string& text) {
    return text + '\0';
}

enum class Answer { closed, refused, ignored, halfway };

struct Row {
    const char* what;
    std::string bytes;
    Answer answer = Answer::closed;
};

/// A daemon with two listeners that must hear nothing but what good clients say.
class House {
  public:
    House()
        : daemon(config), jsonListener(daemon.socket("A")), binaryListener(daemon.socket("A")) {}

    void check(const Row& row) {
        CAPTURE(row.what);
        const std::size_t logged = daemon.log().size();
        const int refusedBefore = refused();
        Connection bad(daemon.socket("A"));
        const bool sent = bad.send(row.bytes);
        switch (row.answer) {
            case Answer::closed:
                bad.receiveAll();
                daemon.awaitLog("disconnected: ", logged);
                break;
            case Answer::halfway:
                CHECK(sent);
                bad.finishSending();
                bad.receiveAll();
                daemon.awaitLog("disconnected: left in the middle of a ", logged);
                break;
            case Answer::refused:
            case Answer::ignored:
                CHECK(sent);
                bad.finishSending();
                bad.receiveAll();
                CHECK(daemon.log().find("disconnected", logged) == std::string::npos);
                break;
        }
        CHECK((refused() > refusedBefore) == (row.answer == Answer::refused));
        goodClientWorks();
    }

    void goodClientWorks() {
        for (const Encoding encoding : bothEncodings) {
            auto good = connect(encoding, daemon.socket("A"));
            good->emit("good", "[1]");
            CHECK(jsonListener.nextEvent().event == "good");
            CHECK(binaryListener.nextEvent().event == "good");
        }
    }

    int refused() { return daemon.ask("showchannel", "A").at("refused"); }

    Daemon daemon;
    JsonClient jsonListener;
    BinaryClient binaryListener;
};

std::string nest(char open, std::size_t depth, char close) {
    return std::string(depth, open) + std::string(depth, close);
}

std::string hello() {
    return greeting();
}

}  // namespace

TEST_CASE("JSON packets that are refused") {
    House house;
    const std::string limit = Json(std::string(maxEvent, 'x')).dump();
    std::string deepObject;
    for (int n = 0; n < 10000; ++n) deepObject += "{\"a\":";
    const std::vector<Row> table{
        {"no NUL ever", "{\"event\":\"x\",\"data\":\"" + std::string(2 << 20, 'x')},
        {"data beyond maxevent", json("{\"event\":\"x\",\"data\":" + limit + "}")},
        {"white space beyond any packet", "{" + std::string(1 << 20, ' ')},
        {"100,000 opening brackets", std::string(100000, '[')},
        {"100,000 opening brackets as data",
         json("{\"event\":\"x\",\"data\":" + nest('[', 30000, ']') + "}")},
        {"33 levels", json("{\"event\":\"x\",\"data\":" + nest('[', 33, ']') + "}")},
        {"deep objects without end", json("{\"event\":\"x\",\"data\":" + deepObject)},
        {"deep objects in an unknown key", json("{\"event\":\"x\",\"y\":" + deepObject)},
        {"NUL within a packet", std::string("{\"event\":\"a\0b\"}", 15) + '\0'},
        {"an escaped NUL in the name", json(R"({"event":"a\u0000b"})")},
        {"invalid UTF-8 in data", json("{\"event\":\"x\",\"data\":\"\xff\xfe\"}")},
        {"overlong UTF-8", json("{\"event\":\"x\",\"data\":\"\xc0\x80\"}")},
        {"a surrogate in UTF-8", json("{\"event\":\"x\",\"data\":\"\xed\xa0\x80\"}")},
        {"cut UTF-8", json("{\"event\":\"x\",\"data\":\"\xe6\x97\"}")},
        {"invalid UTF-8 in the name", json("{\"event\":\"\xff\"}")},
        {"invalid UTF-8 in a key", json("{\"event\":\"x\",\"\xff\":1}")},
        {"a lone surrogate as the name", json(R"({"event":"\ud800"})")},
        {"a byte order mark", json("\xef\xbb\xbf{\"event\":\"x\"}")},
        {"raw control bytes in a string", json("{\"event\":\"x\",\"data\":\"a\x01\"}")},
        {"a raw line break in a string", json("{\"event\":\"x\",\"data\":\"a\nb\"}")},
        {"the name twice", json(R"({"event":"a","event":"nc-control-x"})")},
        {"the name twice, once with escapes", json(R"({"event":"a","\u0065vent":"b"})")},
        {"data twice", json(R"({"event":"a","data":1,"data":2})")},
        {"a list", json("[1,2]")},
        {"a string", json("\"event\"")},
        {"null", json("null")},
        {"a number", json("7")},
        {"nothing that is JSON", json("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
        {"no name", json(R"({"data":1})")},
        {"an empty object", json("{}")},
        {"a name that is a number", json(R"({"event":7})")},
        {"a name that is null", json(R"({"event":null})")},
        {"a name that is an object", json(R"({"event":{"event":"x"}})")},
        {"an empty name", json(R"({"event":""})")},
        {"a name of 256 bytes", json("{\"event\":\"" + std::string(256, 'x') + "\"}")},
        {"a name of 128 two-byte characters", json("{\"event\":\"" +
                                                   [] {
                                                       std::string name;
                                                       for (int n = 0; n < 128; ++n) name += "ä";
                                                       return name;
                                                   }() +
                                                   "\"}")},
        {"broadcast as a number", json(R"({"event":"x","broadcast":1})")},
        {"broadcast as text", json(R"({"event":"x","broadcast":"true"})")},
        {"id as a number", json(R"({"event":"x","id":7})")},
        {"an address without end",
         json("{\"event\":\"x\",\"to\":\"" + std::string(5000, 'x') + "\"}")},
        {"a comma too many", json(R"({"event":"x",})")},
        {"a comment", json("{\"event\":\"x\" /* no */}")},
        {"single quotes", json("{'event':'x'}")},
        {"no closing brace", json(R"({"event":"x")")},
        {"two packets without a NUL between", json(R"({"event":"x"}{"event":"y"})")},
        {"something after the packet", json(R"({"event":"x"} nonsense)")},
        {"NaN", json(R"({"event":"x","data":NaN})")},
        {"Infinity", json(R"({"event":"x","data":-Infinity})")},
        {"a leading zero", json(R"({"event":"x","data":01})")},
        {"a plus", json(R"({"event":"x","data":+1})")},
        {"a number that stops", json(R"({"event":"x","data":1.})")},
        {"an unknown escape", json(R"({"event":"x","data":"\x41"})")},
        {"no data after the colon", json(R"({"event":"x","data":})")},
    };
    for (const Row& row : table) house.check(row);
}

TEST_CASE("JSON packets that look wrong and are right, or are merely ignored") {
    House house;
    JsonClient emitter(house.daemon.socket("A"));
    std::string manyKeys = "{\"event\":\"many\"";
    for (int n = 0; n < 5000; ++n)
        manyKeys += ",\"k" + std::to_string(n) + "\":" + std::to_string(n);
    const std::vector<std::pair<std::string, std::string>> right{
        {"NULs before it", std::string(1 << 20, '\0') + json(R"({"event":"x"})")},
        {"blank lines before it", "\r\n\r\n \t" + json(R"({"event":"x"})")},
        {"32 levels", json("{\"event\":\"x\",\"data\":" + nest('[', 32, ']') + "}")},
        {"thousands of keys", json(manyKeys + "}")},
        {"an unknown key twice", json(R"({"event":"x","y":1,"y":2})")},
        {"a name of 255 bytes", json("{\"event\":\"" + std::string(255, 'x') + "\"}")},
        {"data as large as may be",
         json("{\"event\":\"x\",\"data\":" + Json(std::string(maxEvent - 2, 'x')).dump() + "}")},
        {"numbers no machine holds",
         json(R"({"event":"x","data":[1e400,-0,123456789012345678901234567890]})")},
        {"an escaped NUL in data", json(R"({"event":"x","data":"\u0000"})")},
        {"a channel with a NUL, which is ignored", json(R"({"event":"x","channel":"\u0000"})")},
    };
    for (const auto& [what, bytes] : right) {
        const std::string& which = what;
        CAPTURE(which);
        emitter.connection().send(bytes);
        const Heard json = house.jsonListener.nextEvent();
        const Heard binary = house.binaryListener.nextEvent();
        CHECK(json.event == binary.event);
        CHECK((json.data == binary.data));
        house.goodClientWorks();
        while (emitter.nextEvent().event != "good") {
        }
        CHECK(emitter.nextEvent().event == "good");
    }
    house.check({"NULs alone", std::string(1 << 20, '\0'), Answer::ignored});
    house.check({"half a packet, then the end", R"({"event":"x")", Answer::halfway});
    house.check({"a reserved name", json(R"({"event":"nc-control-reloadconfig","data":{}})"),
                 Answer::refused});
}

TEST_CASE("frames that end the connection") {
    House house;
    const std::string event = eventFrame("x", "A", "1");
    const std::vector<Row> table{
        {"a preface that is none", "\x89PNG\r\n"},
        {"length 0", hello() + rawFrame(0, 3, "")},
        {"length 1", hello() + rawFrame(1, 3, "x")},
        {"length 3: shorter than the header", hello() + rawFrame(3, 3, "")},
        {"length beyond the cap", hello() + rawFrame(maxEvent + (1 << 20), 3, "")},
        {"length 2^31", hello() + rawFrame(std::uint64_t{1} << 31, 3, "")},
        {"length 2^32 - 1", hello() + rawFrame(0xFFFFFFFF, 3, "")},
        {"data one byte beyond maxevent",
         hello() + eventFrame("x", "A", std::string(maxEvent + 1, 'x'), wire::bytesFlag)},
        {"a subscription of 1 MiB", hello() + rawFrame(1 << 20, 4, "")},
        {"a hello of 1 MiB", std::string(wire::preface) + rawFrame(1 << 20, 1, "")},
        {"an event before the hello", std::string(wire::preface) + event},
        {"a subscription before the hello",
         std::string(wire::preface) + frame(4, little(1, 4) + "x")},
        {"a sync before the hello", std::string(wire::preface) + frame(6, little(1, 8))},
        {"two hellos", hello() + hello().substr(wire::preface.size())},
        {"an empty hello", std::string(wire::preface) + frame(1, "")},
        {"a hello whose name overruns it",
         std::string(wire::preface) +
             frame(1, little(0x00010001, 4) + little(0, 4) + "\xff" + "x")},
        {"a hello whose name is not UTF-8", greeting({.agent = "\xff\xfe"})},
        {"a version to come", greeting({.minVersion = 2, .maxVersion = 9, .agent = "future"})},
        {"a version before the first",
         greeting({.minVersion = 0, .maxVersion = 0, .agent = "past"})},
        {"an event frame too short for its header", hello() + frame(3, "short")},
        {"a name that overruns the frame", hello() + eventParts(255, 1, 0, "xA1")},
        {"a channel that overruns the frame", hello() + eventParts(1, 255, 0, "xA1")},
        {"extensions that overrun the frame", hello() + eventParts(1, 1, 65535, "xA1")},
        {"an extension that overruns the extensions",
         hello() + eventParts(1, 1, 5, std::string("xA") + "\x02" + little(60000, 2) + "ab" + "1")},
        {"an extension cut in its header",
         hello() + eventParts(1, 1, 2, std::string("xA") + "\x02" + "\x01" + "1")},
        {"an event of another channel", hello() + eventFrame("x", "B", "1")},
        {"an event of no channel", hello() + eventFrame("x", "", "1")},
        {"an event of control", hello() + eventFrame("nc-control-stats", "control", "null")},
        {"a flag nobody defined", hello() + eventFrame("x", "A", "1", 0x80)},
        {"a claim to come from the net", hello() + eventFrame("x", "A", "1", wire::remoteFlag)},
        {"a claim to come from another host", hello() +
                                                  [] {
                                                      wire::EventView liar;
                                                      liar.name = "x";
                                                      liar.channel = "A";
                                                      liar.host = "elsewhere";
                                                      liar.payload = "1";
                                                      std::string bytes;
                                                      wire::appendEvent(bytes, liar);
                                                      return bytes;
                                                  }()},
        {"a sync of the wrong size", hello() + frame(6, little(1, 4))},
        {"an unsubscription of the wrong size", hello() + frame(5, little(1, 8))},
        {"a subscription without an id", hello() + frame(4, "x")},
    };
    for (const Row& row : table) house.check(row);
    // The versions are named to those who cannot talk to us.
    Connection future(house.daemon.socket("A"));
    future.send(greeting({.minVersion = 2, .maxVersion = 9, .agent = "future"}));
    const std::string answer = future.receiveAll();
    CHECK(answer.starts_with(wire::preface));
    CHECK(answer.find("version") != std::string::npos);
}

TEST_CASE("frames that are refused, skipped or fine") {
    House house;
    const std::vector<Row> table{
        {"an unknown type is skipped by its length", hello() + frame(200, "whatever"),
         Answer::ignored},
        {"a hello for versions 1 to 9", greeting({.minVersion = 1, .maxVersion = 9, .agent = "x"}),
         Answer::ignored},
        {"a preface cut off", std::string(wire::preface.substr(0, 2)), Answer::halfway},
        {"a hello cut off", hello().substr(0, 9), Answer::halfway},
        {"an event cut off", hello() + eventFrame("x", "A", "1").substr(0, 20), Answer::halfway},
        {"nothing at all", "", Answer::ignored},
        {"a reserved name", hello() + eventFrame("nc-x", "A", "1"), Answer::refused},
        {"an empty name", hello() + eventFrame("", "A", "1"), Answer::refused},
        {"a name that is not UTF-8", hello() + eventFrame("\xff", "A", "1"), Answer::refused},
        {"a name with a NUL", hello() + eventFrame(std::string("a\0b", 3), "A", "1"),
         Answer::refused},
    };
    for (const Row& row : table) house.check(row);

    BinaryClient emitter(house.daemon.socket("A"), {});
    const std::string largest(maxEvent, '\xff');
    emitter.connection().send(frame(200, std::string(1000, 'x')) + frame(255, ""));
    emitter.emit("largest", largest, EmitWith{.bytes = true});
    CHECK((house.binaryListener.nextEvent().data == largest));
    CHECK(house.jsonListener.nextEvent().event == "largest");
    house.goodClientWorks();
}

TEST_CASE("patterns: hostile ones are refused or harmless, and their number is bounded") {
    House house;
    BinaryClient hostile(house.daemon.socket("A"), {});
    int refusals = 0;
    for (const std::string& pattern :
         {std::string("(a{1,1000}){1,1000}"), std::string("(?=x)"), std::string("\\1"),
          std::string(2000, '('), std::string("[z-a]"), std::string("\xff."), std::string("*")}) {
        const std::string shown = pattern.substr(0, 30);
        CAPTURE(shown);
        hostile.subscribe(pattern);
        const Heard heard = hostile.next();
        CHECK(heard.kind == Heard::Kind::refused);
        CHECK(heard.data != "");
        refusals += heard.kind == Heard::Kind::refused;
    }
    CHECK(refusals == 7);
    hostile.subscribe("(a+)+$");  // no trouble for RE2
    hostile.sync();
    BinaryClient emitter(house.daemon.socket("A"), {});
    emitter.emit(std::string(200, 'a') + "b");
    CHECK(house.jsonListener.nextEvent().event == std::string(200, 'a') + "b");
    CHECK(house.binaryListener.nextEvent().event.size() == 201);

    for (int n = 0; n < 5000; ++n) hostile.subscribe("p" + std::to_string(n));
    hostile.sync();
    CHECK(hostile.next().kind == Heard::Kind::refused);
    house.goodClientWorks();
}

TEST_CASE("a length is only a promise: memory grows with the bytes that come") {
    Daemon daemon(localConfig(R"("A": {})", R"("maxevent": "64MiB")"));
    JsonClient listener(daemon.socket("A"));
    JsonClient good(daemon.socket("A"));
    good.emit("before");
    CHECK(listener.nextEvent().event == "before");
    const std::size_t before = daemon.memory();
    std::vector<std::unique_ptr<BinaryClient>> waiting;
    for (int n = 0; n < 64; ++n) {
        waiting.push_back(
            std::make_unique<BinaryClient>(daemon.socket("A"), std::vector<std::string>{}));
        waiting.back()->connection().send(rawFrame(60 << 20, 3, "x"));
    }
    good.emit("after");
    CHECK(listener.nextEvent().event == "after");
    if (slowness() == 1) CHECK(daemon.memory() - before < std::size_t{32} << 20);
    waiting.clear();
    good.emit("still");
    CHECK(listener.nextEvent().event == "still");
}

TEST_CASE("what was begun and is never finished ends after 30 s, bytes now and then or not") {
    Daemon daemon(config);
    JsonClient quiet(daemon.socket("A"));  // says nothing for good reason
    BinaryClient emitter(daemon.socket("A"), {});
    const std::vector<std::string> begins{"{", std::string(wire::preface), hello() + "\x10",
                                          R"({"event":"x","data":")"};
    std::vector<std::unique_ptr<Connection>> bad;
    for (const std::string& begin : begins) {
        bad.push_back(std::make_unique<Connection>(daemon.socket("A")));
        REQUIRE(bad.back()->send(begin));
    }
    Connection& trickling = *bad.back();
    const auto deadline = Clock::now() + std::chrono::seconds(30) + patience();
    while (!bad.front()->readable(std::chrono::seconds(1))) {
        REQUIRE(Clock::now() < deadline);
        trickling.send("x");
    }
    for (const auto& connection : bad) {
        std::string said = connection->receiveAll();
        CHECK(said.find("and did not finish it in 30 s") != std::string::npos);
    }
    emitter.emit("still");
    CHECK(quiet.nextEvent().event == "still");
}

TEST_CASE("a hundred that send garbage beside an emitter and a listener: not one event is lost") {
    Daemon daemon(config);
    JsonClient listener(daemon.socket("A"));
    BinaryClient emitter(daemon.socket("A"), {});
    constexpr int count = 5000;
    auto emitting = std::async(std::launch::async, [&] {
        for (int n = 0; n < count; ++n) emitter.emit("n", std::to_string(n));
    });
    std::uint32_t random = 12345;
    for (int n = 0; n < 100; ++n) {
        std::string garbage = n % 3 == 0 ? hello() : "";
        for (int k = 0; k < 2000; ++k) {
            random = random * 1664525 + 1013904223;
            garbage += static_cast<char>(random >> 24);
        }
        Connection bad(daemon.socket("A"));
        bad.send(garbage);
        if (n % 2 == 0) bad.finishSending();
        if (n % 4 == 0) bad.receiveAll();
    }
    for (int n = 0; n < count; ++n) {
        Heard heard = listener.nextEvent();
        while (heard.event != "n") heard = listener.nextEvent();
        REQUIRE(heard.data == std::to_string(n));
    }
    emitting.get();
}

TEST_CASE("a flipped bit anywhere in a session harms nobody else") {
    House house;
    std::string binary = hello();
    wire::appendSubscribe(binary, {1, "x.*"});
    binary += eventFrame("nc-x", "A", "[1]");  // refused when whole: what is heard is only damage
    wire::appendSync(binary, wire::FrameType::sync, 1);
    const std::string text = json(R"({"event":"nc-x","data":[1,"ä"],"broadcast":false})");
    for (const std::string& session : {binary, text}) {
        for (std::size_t bit = 0; bit < session.size() * 8; ++bit) {
            std::string damaged = session;
            damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
            Connection bad(house.daemon.socket("A"));
            bad.send(damaged);
            bad.finishSending();
            bad.receiveAll();
        }
    }
    JsonClient good(house.daemon.socket("A"));
    good.emit("fence");
    house.jsonListener.eventsUntil("fence");
    house.binaryListener.eventsUntil("fence");
    house.goodClientWorks();
}
