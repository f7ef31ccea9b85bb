#include "packet.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace netcluster::wire {
namespace {

Packet good(std::string_view text) {
    PacketResult result = readPacket(text);
    REQUIRE_MESSAGE(result.packet, result.error);
    return *result.packet;
}

std::string errorOf(std::string_view text) {
    const PacketResult result = readPacket(text);
    CHECK_FALSE(result.packet);
    return result.error;
}

}  // namespace

TEST_CASE("the packet of a 1.x agent is read") {
    const Packet packet = good(R"({"event":"log","data":{"x":1},"channel":"A","broadcast":false})");
    CHECK(packet.event == "log");
    CHECK(packet.data == R"({"x":1})");
    CHECK_FALSE(packet.broadcast);
}

TEST_CASE("data is passed on as the text it came as") {
    CHECK(good(R"({"event":"e","data":1e400})").data == "1e400");
    CHECK(good(R"({"event":"e","data":123456789012345678901234567890})").data ==
          "123456789012345678901234567890");
    CHECK(good("{ \"data\" : [ 1 , 2 ] , \"event\" : \"e\" }").data == "[ 1 , 2 ]");
    CHECK(good(R"({"event":"e","data":"a\u0000b"})").data == R"("a\u0000b")");
    CHECK(good(R"({"event":"e"})").data == "null");
}

TEST_CASE("addressing is read, and what 1.x wrote beside it is passed over") {
    const Packet packet = good(
        R"({"emmiteruuid":null,"event":"\u0065\n","broadcast":true,"to":"n","id":"7","replyto":"r","x":{}})");
    CHECK(packet.event == "e\n");
    CHECK(packet.broadcast);
    CHECK(packet.to == "n");
    CHECK(packet.id == "7");
    CHECK(packet.replyTo == "r");
}

TEST_CASE("what is wrong with a packet is said") {
    CHECK(errorOf("") == "not a JSON object (byte 0)");
    CHECK(errorOf("[]") == "not a JSON object (byte 0)");
    CHECK(errorOf("\"x\"") == "not a JSON object (byte 0)");
    CHECK(errorOf("{}") == "no \"event\"");
    CHECK(errorOf(R"({"data":1})") == "no \"event\"");
    CHECK(errorOf(R"({"event":1})").find("\"event\" must be a string") == 0);
    CHECK(errorOf(R"({"event":""})").find("\"event\" must be a string") == 0);
    CHECK(errorOf("{\"event\":\"" + std::string(256, 'x') + "\"}").find("\"event\" must") == 0);
    CHECK(errorOf(R"({"event":"a\u0000b"})").find("\"event\" must") == 0);
    CHECK(errorOf(R"({"event":"a","event":"nc-control-x"})") == "\"event\" stands twice");
    CHECK(errorOf(R"({"event":"a","\u0065vent":"b"})") == "\"event\" stands twice");
    CHECK(errorOf(R"({"event":"a","broadcast":1})") == "\"broadcast\" must be true or false");
    CHECK(errorOf(R"({"event":"a","to":1})").find("\"to\"") == 0);
    CHECK(errorOf(R"({"event":"a"} x)") == "text after the end of the object (byte 14)");
    CHECK(errorOf(R"({"event":"a",})") == "a string was expected (byte 13)");
    CHECK(errorOf("{\"event\":\"\xC0\x80\"}") == "not valid UTF-8 (byte 0)");
}

TEST_CASE("a packet carries what the daemon stamped") {
    EventView event;
    event.name = "l\"og";
    event.channel = "A";
    event.payload = R"({"x":1})";
    std::string bytes;
    REQUIRE(appendPacket(bytes, event));
    CHECK(bytes ==
          std::string(R"({"emmiteruuid":"00000000-0000-0000-0000-000000000000","channel":"A",)"
                      R"("broadcast":false,"event":"l\"og","data":{"x":1}})") +
              '\0');

    event.host = "beta";
    event.flags = broadcastFlag | bytesFlag;
    event.payload = "\x01\x02\x03\x04";
    bytes.clear();
    REQUIRE(appendPacket(bytes, event));
    const auto json = nlohmann::json::parse(bytes.substr(0, bytes.size() - 1));
    CHECK(json["host"] == "beta");
    CHECK(json["broadcast"] == true);
    CHECK(json["data"]["$bytes"] == "AQIDBA==");
}

TEST_CASE("a payload that is not JSON makes no packet") {
    EventView event;
    event.name = "e";
    event.channel = "A";
    event.payload = R"({"x":1},"event":"nc-forged")";
    std::string bytes;
    CHECK_FALSE(appendPacket(bytes, event));
    CHECK(bytes.empty());
}

TEST_CASE("notices are JSON too") {
    std::string bytes;
    appendGapPacket(bytes, {3, 5, 7}, "A");
    auto json = nlohmann::json::parse(bytes.substr(0, bytes.size() - 1));
    CHECK(json["event"] == "nc-gap");
    CHECK(json["data"] == nlohmann::json{{"count", 3}, {"first", 5}, {"last", 7}});
    bytes.clear();
    appendErrorPacket(bytes, "why \"so\"", "A");
    json = nlohmann::json::parse(bytes.substr(0, bytes.size() - 1));
    CHECK(json["data"]["error"] == "why \"so\"");
}

}  // namespace netcluster::wire
