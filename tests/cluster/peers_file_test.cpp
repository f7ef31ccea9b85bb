#include "peers_file.hpp"

#include <doctest/doctest.h>

namespace netcluster::cluster {
namespace {

std::string whyRefused(const std::string& text) {
    try {
        parsePeers(text, "peers.json", 1);
    } catch (const Error& error) {
        return error.what();
    }
    return "taken";
}

const std::string first = "{\"Pid\": 1, \"Addr\": \"127.0.0.1:4001\"}\n";

}  // namespace

TEST_CASE("a file of peers, as the original has it") {
    const PeersFile file = parsePeers(
        "{\"Pid\": 2345432, \"Addr\": \"127.0.0.1:23454\"}\r\n\n"
        "  {\"Addr\": \"[::1]:4000\", \"Pid\": 0, \"more\": 1}\n"
        "{\"Pid\": 7, \"Addr\": \"example.org:5\"}",
        "peers.json", 7);
    CHECK(file.own.host == "example.org");
    CHECK(file.own.port == 5);
    CHECK(file.own.line == 4);
    REQUIRE(file.others.size() == 2);
    CHECK(file.others[0].pid == 0);
    CHECK(file.others[0].host == "::1");
    CHECK(file.others[0].addr == "[::1]:4000");
    CHECK(file.others[1].pid == 2345432);
}

TEST_CASE("what is wrong in a file of peers is said with its line") {
    CHECK(whyRefused(first) == "taken");
    CHECK(whyRefused("") == "peers.json: no line has pid 1");
    CHECK(whyRefused(first + "{\"Pid\": 2,\n") ==
          "peers.json:2: not an object on one line, as {\"Pid\": 5, \"Addr\": \"host:port\"}");
    CHECK(whyRefused(first + "[]").find("peers.json:2: not an object") == 0);
    CHECK(whyRefused("{\"Addr\": \"a:1\"}") == "peers.json:1: \"Pid\" is missing");
    for (const char* pid : {"-1", "1.5", "\"1\"", "9223372036854775808", "null"}) {
        CHECK(whyRefused("{\"Pid\": " + std::string(pid) + ", \"Addr\": \"a:1\"}") ==
              "peers.json:1: \"Pid\" is not a whole number from 0 on");
    }
    CHECK(whyRefused("{\"Pid\": 1}") == "peers.json:1: \"Addr\" is missing");
    for (const char* addr :
         {"7", "\"localhost\"", "\"a:0\"", "\"a:65536\"", "\"::1:5\"", "\":5\""}) {
        CHECK(whyRefused("{\"Pid\": 1, \"Addr\": " + std::string(addr) + "}") ==
              "peers.json:1: \"Addr\" is not \"host:port\" or \"[IPv6 address]:port\"");
    }
    CHECK(whyRefused(first + "\n{\"Pid\": 1, \"Addr\": \"a:1\"}") ==
          "peers.json:3: pid 1 is that of line 1 already");
    CHECK(whyRefused(first + "{\"Pid\": 2, \"Addr\": \"127.0.0.1:4001\"}") ==
          "peers.json:2: 127.0.0.1:4001 is the address of line 1 already");
    for (const auto& [one, same] : std::vector<std::pair<std::string, std::string>>{
             {"[::1]:4000", "[0:0:0:0:0:0:0:1]:4000"},
             {"[2001:DB8::A]:4000", "[2001:db8:0::a]:4000"},
             {"127.0.0.1:4000", "[::ffff:127.0.0.1]:4000"}}) {
        CHECK(whyRefused("{\"Pid\": 1, \"Addr\": \"" + one + "\"}\n{\"Pid\": 2, \"Addr\": \"" +
                         same + "\"}") ==
              "peers.json:2: " + same + " is the address of line 1 already");
    }
    for (const char* other : {"127.0.0.1:4002", "127.0.0.2:4001", "[::1]:4001", "localhost:4001"}) {
        CHECK(whyRefused(first + "{\"Pid\": 2, \"Addr\": \"" + other + "\"}") == "taken");
    }
    std::string many = first;
    for (int n = 2; n <= 66; ++n) {
        many += "{\"Pid\": " + std::to_string(n) + ", \"Addr\": \"a:" + std::to_string(n) + "\"}\n";
    }
    CHECK(whyRefused(many) == "peers.json:66: more than 65 servers");
    CHECK_THROWS_WITH_AS(readPeers("/nowhere/peers.json", 1),
                         "/nowhere/peers.json: the file of peers cannot be read", Error);
}

}  // namespace netcluster::cluster
