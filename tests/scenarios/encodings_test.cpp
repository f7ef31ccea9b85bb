// JSON packets and binary frames are two spellings of the same events: design.md section 6.
#include <doctest/doctest.h>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster;
using namespace netcluster::scenario;

namespace {

const std::string config = localConfig(R"("A": {}, "B": {})");

struct Both {
    explicit Both(const Daemon& daemon) : json(daemon.socket("A")), binary(daemon.socket("A")) {}
    JsonClient json;
    BinaryClient binary;
};

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + "1" + std::string(depth, ']');
}

}  // namespace

TEST_CASE("data arrives as the text it was, whichever encoding wrote it and whichever reads it") {
    const std::vector<std::string> texts{
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.0",
        "1e400",
        "-1E+2",
        "12345678901234567890",
        "123456789012345678901234567890.000000000000000000001",
        "\"\"",
        "\"text\"",
        "\"ünïcödé 日本 😀\"",
        R"("\u00e9\ud83d\ude00 \" \\ \/ \b\f\n\r\t \u0000")",
        "{}",
        "[]",
        "[{}]",
        R"({"":0})",
        R"({"a":{"b":[1,2,{"c":null}]},"d":"e"})",
        R"({"twice":1,"twice":2})",
        "{ \"spaced\" :\t[ 1 , 2 ]\r\n}",
        R"({"event":"inner","channel":"inner","emmiteruuid":"inner"})",
        R"({"$bytes":"not really"})",
        nested(32),
        Json(std::string(100000, 'x')).dump(),
    };
    Daemon daemon(config);
    for (const Encoding from : bothEncodings) {
        auto emitter = connect(from, daemon.socket("A"));
        Both listeners(daemon);
        for (const std::string& text : texts) {
            const std::string start = text.substr(0, 60);
            CAPTURE(start);
            emitter->emit("data", text);
            const Heard binary = listeners.binary.nextEvent();
            CHECK((binary.data == text));
            CHECK_FALSE(binary.bytes);
            const auto packet = listeners.json.nextText();
            REQUIRE(packet);
            CHECK(packet->find("\"data\":" + text) != std::string::npos);
        }
    }
}

TEST_CASE("no data is null to both") {
    Daemon daemon(config);
    Both listeners(daemon);
    JsonClient json(daemon.socket("A"));
    json.connection().send(std::string("{\"event\":\"none\"}") + '\0');
    CHECK(listeners.binary.nextEvent().data == "null");
    CHECK(listeners.json.nextEvent().data == "null");
    BinaryClient binary(daemon.socket("A"));
    binary.emit("none", "");
    CHECK(listeners.json.nextEvent().data == "null");
    CHECK(listeners.binary.nextEvent().data.size() <= 4);  // empty, which agents read as null
}

TEST_CASE("event names are any UTF-8 text of 1 to 255 bytes, in both encodings") {
    Daemon daemon(config);
    Both listeners(daemon);
    const std::vector<std::string> names{
        "a",           "log",       "ünï",   "😀",    "a b",           "quote\"d",
        "back\\slash", "new\nline", "tab\t", "\x01", "{\"event\":1}", std::string(255, 'x'),
        ".*",          "/",         "%s%n",  "\x7f"};
    for (const Encoding from : bothEncodings) {
        auto emitter = connect(from, daemon.socket("A"));
        for (const std::string& name : names) {
            CAPTURE(name);
            emitter->emit(name);
            emitter->emit("fence");
            CHECK(listeners.json.eventsUntil("fence") == std::vector<std::string>{name});
            CHECK(listeners.binary.eventsUntil("fence") == std::vector<std::string>{name});
        }
    }
}

TEST_CASE("a name written with escapes is the same name") {
    Daemon daemon(config);
    BinaryClient listener(daemon.socket("A"), {"Aä"});
    JsonClient emitter(daemon.socket("A"));
    emitter.connection().send(std::string(R"({"\u0065vent":"\u0041\u00e4","data":1})") + '\0');
    CHECK(listener.nextEvent().event == "Aä");
}

TEST_CASE("opaque bytes reach binary clients as they are, JSON clients as base64") {
    std::string all;
    for (int value = 0; value < 256; ++value) all += static_cast<char>(value);
    const std::vector<std::pair<std::string, std::string>> table{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {std::string("\0", 1), "AA=="},
                                                                 {"\xff\xfe", "//4="},
                                                                 {"{}", "e30="}};
    Daemon daemon(config);
    Both listeners(daemon);
    BinaryClient emitter(daemon.socket("A"));
    for (const auto& [bytes, base64] : table) {
        emitter.emit("bytes", bytes, EmitWith{.bytes = true});
        const Heard binary = listeners.binary.nextEvent();
        CHECK((binary.data == bytes));
        CHECK(binary.bytes);
        CHECK(Json::parse(listeners.json.nextEvent().data) == Json{{"$bytes", base64}});
    }
    emitter.emit("bytes", all, EmitWith{.bytes = true});
    CHECK((listeners.binary.nextEvent().data == all));
    const std::string text = Json::parse(listeners.json.nextEvent().data).at("$bytes");
    CHECK(text.substr(0, 12) == "AAECAwQFBgcI");
    CHECK(text.substr(text.size() - 8) == "/P3+/w==");
}

TEST_CASE("channel and emmiteruuid are the daemon's: what a client wrote there is ignored") {
    Daemon daemon(config);
    Both listeners(daemon);
    BinaryClient shown(daemon.socket("A"), {});
    JsonClient liar(daemon.socket("A"));
    liar.connection().send(
        std::string(R"({"emmiteruuid":"11111111-1111-1111-1111-111111111111","channel":"B",)"
                    R"("event":"lie","data":1,"broadcast":false,"host":"elsewhere"})") +
        '\0');
    const Heard json = listeners.json.nextEvent();
    const Heard binary = listeners.binary.nextEvent();
    for (const Heard& heard : {json, binary}) {
        CHECK(heard.channel == "A");
        CHECK(heard.host == "");
        CHECK(heard.sender.size() == 36);
        CHECK(heard.sender != "11111111-1111-1111-1111-111111111111");
    }
    CHECK(json.sender == binary.sender);

    // The frame helper writes an all-zero sender.
    shown.emit("mine");
    CHECK(listeners.json.nextEvent().sender == shown.uuid());
    CHECK(listeners.binary.nextEvent().sender == shown.uuid());
}

TEST_CASE("1.x fields of the wrong type are no reason to refuse: undefined, null, missing") {
    Daemon daemon(config);
    JsonClient listener(daemon.socket("A"));
    JsonClient emitter(daemon.socket("A"));
    for (const char* text :
         {R"({"event":"e","data":1})", R"({"event":"e","emmiteruuid":null,"channel":null})",
          R"({"emmiteruuid":"x","channel":"A","broadcast":null,"event":"e","data":{}})",
          R"({"event":"e","extra":{"deep":[1,2]},"another":"unknown"})",
          " \r\n{ \"event\" : \"e\" } "}) {
        CAPTURE(text);
        emitter.connection().send(std::string(text) + '\0');
        CHECK(listener.nextEvent().event == "e");
    }
}

TEST_CASE("addressing, id and reply address cross unchanged both ways") {
    Daemon daemon(config);
    Both listeners(daemon);
    // All that are no nodes: nobody has that uuid.
    const EmitWith how{
        .broadcast = true, .to = "!client=ä", .id = "id \"1\"", .replyTo = "back\\here"};
    for (const Encoding from : bothEncodings) {
        auto emitter = connect(from, daemon.socket("A"));
        emitter->emit("addressed", "1", how);
        for (const Heard& heard : {listeners.json.nextEvent(), listeners.binary.nextEvent()}) {
            CHECK(heard.to == how.to);
            CHECK(heard.id == how.id);
            CHECK(heard.replyTo == how.replyTo);
            CHECK(heard.broadcast);
        }
    }
}

TEST_CASE("a JSON listener never gets a packet that cannot be parsed") {
    Daemon daemon(config);
    JsonClient listener(daemon.socket("A"));
    BinaryClient other(daemon.socket("A"), {});
    for (const char* nonsense : {"{", "nonsense", "\"\xff\"", "1 2", "NaN", "[1,]", "\"\\x\""}) {
        CAPTURE(nonsense);
        BinaryClient liar(daemon.socket("A"), {});
        liar.emit("bad", nonsense);
        CHECK(liar.reasonOfEnd() != "");
        other.emit("good", "1");
        CHECK(listener.nextEvent().event == "good");
    }
}

TEST_CASE(
    "a connection that says nothing is a 1.x listener; one that says hello later is heard out") {
    Daemon daemon(config);
    JsonClient silent(daemon.socket("A"));
    JsonClient emitter(daemon.socket("A"));
    emitter.emit("one");
    CHECK(silent.nextEvent().event == "one");
    emitter.emit("two");
    CHECK(silent.nextEvent().event == "two");

    // The same connection turns binary: from the welcome on, frames, and only what matches.
    std::string hello = greeting();
    wire::appendSubscribe(hello, {1, "fr.*"});
    wire::appendSync(hello, wire::FrameType::sync, 1);
    silent.connection().send(hello);
    std::string bytes;
    while (bytes.size() < 4) silent.connection().receive(bytes);
    CHECK(bytes.starts_with(wire::preface));
}

TEST_CASE("every cut of the stream gives the same events") {
    Daemon daemon(config);
    JsonClient listener(daemon.socket("A"));
    const std::string json = packetText("one", R"({"x":"ä😀"})") + packetText("two") + "\n" +
                             packetText("three", "[1,2]", true) + std::string(3, '\0') +
                             packetText("fence");
    std::string binary = greeting();
    wire::appendSubscribe(binary, {1, "x"});
    for (const char* name : {"one", "two", "three", "fence"}) {
        wire::EventView event;
        event.name = name;
        event.channel = "A";
        event.payload = "[1]";
        wire::appendEvent(binary, event);
    }
    const std::vector<std::string> expected{"one", "two", "three"};
    for (const std::string& session : {json, binary}) {
        SUBCASE("two pieces, cut at every place") {
            for (std::size_t cut = 1; cut < session.size(); ++cut) {
                Connection client(daemon.socket("A"));
                client.send(session.substr(0, cut));
                client.send(session.substr(cut));
                CAPTURE(cut);
                REQUIRE(listener.eventsUntil("fence") == expected);
            }
        }
        SUBCASE("byte by byte") {
            Connection client(daemon.socket("A"));
            for (const char byte : session) client.send({&byte, 1});
            CHECK(listener.eventsUntil("fence") == expected);
        }
        SUBCASE("a hundred sessions' worth in one write") {
            Connection client(daemon.socket("A"));
            const std::size_t start = session.front() == '{' ? 0 : greeting().size();
            std::string much = session;
            for (int n = 1; n < 100; ++n) much += session.substr(start);
            client.send(much);
            for (int n = 0; n < 100; ++n) REQUIRE(listener.eventsUntil("fence") == expected);
        }
    }
}

TEST_CASE("a session cut off anywhere delivers its whole events and no more") {
    Daemon daemon(config);
    JsonClient listener(daemon.socket("A"));
    JsonClient fencer(daemon.socket("A"));
    const std::string json = packetText("one", R"({"x":"ä"})") + packetText("two");
    std::string binary = greeting();
    const std::size_t hello = binary.size();
    wire::EventView event;
    event.name = "one";
    event.channel = "A";
    event.payload = "[1]";
    wire::appendEvent(binary, event);
    const std::size_t first = binary.size();
    event.name = "two";
    wire::appendEvent(binary, event);
    REQUIRE(hello < first);
    const std::size_t firstPacket = json.find('\0') + 1;
    for (const std::string& session : {json, binary}) {
        const std::size_t one = session == json ? firstPacket : first;
        for (std::size_t cut = 0; cut <= session.size(); ++cut) {
            Connection client(daemon.socket("A"));
            client.send(session.substr(0, cut));
            client.finishSending();
            client.receiveAll();  // the daemon has seen the end
            fencer.emit("fence");
            std::vector<std::string> expected;
            if (cut >= one) expected.push_back("one");
            if (cut >= session.size()) expected.push_back("two");
            CAPTURE(cut);
            REQUIRE(listener.eventsUntil("fence") == expected);
        }
    }
}

TEST_CASE("the largest event passes between both encodings") {
    Daemon daemon(localConfig(R"("A": {})", R"("clientqueue": "32MiB")"));
    Both listeners(daemon);
    CHECK(listeners.binary.welcome().maxEvent == std::uint32_t{4} << 20);
    CHECK(listeners.binary.welcome().channel == "A");
    CHECK(listeners.binary.welcome().version == wire::protocolVersion);
    const std::string largest = '"' + std::string((std::size_t{4} << 20) - 2, 'x') + '"';
    for (const Encoding from : bothEncodings) {
        auto emitter = connect(from, daemon.socket("A"));
        emitter->emit("large", largest);
        emitter->emit("fence");
        CHECK((listeners.binary.nextEvent().data == largest));
        CHECK((listeners.json.nextEvent().data == largest));
        CHECK(listeners.binary.nextEvent().event == "fence");
        CHECK(listeners.json.nextEvent().event == "fence");
    }
}
