// parse.cpp: a document as a whole: every problem is told, 1.x files load, what was read can be
// written and read again.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support.hpp"

namespace netcluster::config::test {

TEST_CASE("every problem is listed, in the order of the text") {
    const auto parsed = parse(R"({
  "processqueue": 65536,   // less than clientqueue, which is only seen at the end
  "addr": "10.0.0.1",
  "prot": 4454,
  "ttl": 1e999,
  "channels": {
    "A": { "propagatetochannels": "(", "propagatetonet": 3 },
    "../x": { "dumptoconsole": 0 },
    "A": {},
  },
  "heartbeat": "fast"
})",
                              "/etc/netcluster/config.json");
    CHECK_FALSE(parsed.settings);
    const std::string file = "/etc/netcluster/config.json:";
    CHECK(
        lines(parsed.problems) ==
        file +
            "2:19: /processqueue: processqueue (65536) must not be less than clientqueue "
            "(8388608)\n" +
            file +
            "3:11: /addr: \"10.0.0.1\" is not a multicast address (224.0.0.0 to "
            "239.255.255.255, or ff00::/8)\n" +
            file + "4:3: /prot: unknown key; did you mean \"port\"?\n" + file +
            "5:10: /ttl: the number \"1e999\" is too large or too small\n" + file +
            "6:15: /channels: the channel \"control\" is missing; every configuration must have "
            "it\n" +
            file +
            "7:35: /channels/A/propagatetochannels: bad regular expression: missing ) in \"(\"\n" +
            file +
            "7:58: /channels/A/propagatetonet: must be true, false or a regular expression, not "
            "a number\n" +
            file +
            "8:5: /channels/..~1x: \"../x\" is no channel name: 1 to 64 of A-Z a-z 0-9 . _ -, "
            "no dot first\n" +
            file + "8:32: /channels/..~1x/dumptoconsole: must be true or false, not a number\n" +
            file + "9:5: /channels/A: duplicate key; the first is in line 7\n" + file +
            "11:16: /heartbeat: must be a whole number, not text\n");
}

TEST_CASE("a document that is no object says so") {
    CHECK(problemsIn("[]") == "t:1:1: must be an object, not a list\n");
    CHECK(problemsIn("null") == "t:1:1: must be an object, not null\n");
    CHECK(problemsIn("\n  7") == "t:2:3: must be an object, not a number\n");
}

TEST_CASE("the configuration of a netcluster 1.x README loads unchanged") {
    const auto parsed = parse(R"({ //UDP Multicast addr
 "addr": "224.0.0.0", "port": 4454, "dumpnet": true, "connecttonet": true, "startcontrol": true,
 "channels": {"control": {"propagatetochannels": false, "propagatetonet": false, "dumptoconsole": false},
  "A": {"propagatetochannels": ".*", "propagatetonet": false, "dumptoconsole": false},
  "B": {"propagatetochannels": ".*", "propagatetonet": false, "dumptoconsole": false}, } })",
                              "t");
    REQUIRE(parsed.settings);
    CHECK(parsed.settings->link.addr == "224.0.0.0");
    CHECK(parsed.settings->link.dumpNet);
    CHECK(parsed.settings->channels.size() == 3);
    CHECK(parsed.settings->channels.at("B").propagateToChannels == ".*");
    CHECK(lines(parsed.warnings) ==
          "t:2:10: /addr: 224.0.0.0 is a reserved address (224.0.0.0/24, RFC 5771); an own one "
          "begins with 239\n");
}

TEST_CASE("two rules that point at each other are no cycle, since propagation is one hop") {
    const auto parsed = parse(R"({"channels": {"control": {},
        "A": {"propagatetochannels": "^B$"}, "B": {"propagatetochannels": "^A$"}}})",
                              "t");
    CHECK(parsed.settings);
    CHECK(parsed.warnings.empty());
}

TEST_CASE("what was read is written so that it reads back equal") {
    const auto first = parse(R"({"name": "h", "peers": ["a:1"], "addr": "", "maxevent": "1MiB",
        "channels": {"control": {"group": "ops", "mode": "0660"},
            "A": {"propagatetochannels": "B|C", "propagatetonet": "x.*", "acceptfromnet": false,
                  "slowconsumer": "dropoldest", "mode": "0604"},
            "B": {"propagatetonet": true, "allowbroadcast": false, "dumptoconsole": true}}})",
                             "t");
    REQUIRE(first.settings);
    const std::string written = toJson(*first.settings).dump();

    const auto second = parse(written, "t");
    REQUIRE_MESSAGE(second.settings, lines(second.problems));
    CHECK(*second.settings == *first.settings);
    CHECK(second.warnings.empty());
}

TEST_CASE("what is written has every key, spelled as in config.json") {
    const auto parsed =
        parse(R"({"channels": {"control": {}, "A": {"propagatetonet": "a"}}})", "t");
    REQUIRE(parsed.settings);
    const auto expected = nlohmann::json::parse(R"({
        "name": "", "connecttonet": true, "addr": "239.255.44.54", "port": 4454, "dumpnet": false,
        "netinterface": "", "ttl": 1, "peers": [], "relay": false, "heartbeat": 1000, "netkeyfile": "",
        "netrate": 0, "repairbuffer": 33554432, "startcontrol": true,
        "maxevent": 4194304, "clientqueue": 8388608, "processqueue": 67108864, "stalltimeout": 250,
        "maxclients": 16384,
        "channels": {
            "control": {"propagatetochannels": false, "propagatetonet": false,
                "acceptfromnet": false, "allowbroadcast": false, "dumptoconsole": false,
                "slowconsumer": "block", "mode": "0600"},
            "A": {"propagatetochannels": false, "propagatetonet": "a", "acceptfromnet": true,
                "allowbroadcast": true, "dumptoconsole": false, "slowconsumer": "block",
                "mode": "0660"}}})");
    CHECK(toJson(*parsed.settings) == expected);
}

}  // namespace netcluster::config::test
