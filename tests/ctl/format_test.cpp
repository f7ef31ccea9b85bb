#include "format.hpp"

#include <doctest/doctest.h>

#include "table.hpp"

namespace netcluster::ctl {
namespace {

TEST_CASE("a table is as wide as its cells, numbers lean right") {
    Table table({"NAME", "COUNT"});
    table.add({"grüße", "7"});
    table.add({"b", "1234567"});
    CHECK(table.text() ==
          "NAME     COUNT\n"
          "grüße        7\n"
          "b      1234567\n");
}

TEST_CASE("a configuration is indented JSON") {
    CHECK(configText({{"port", 4454}}) == "{\n  \"port\": 4454\n}\n");
}

TEST_CASE("a reload lists each key") {
    const Json answer{
        {"status", "done"},
        {"file", "/etc/netcluster/config.json"},
        {"changed",
         {{{"pointer", "/channels/A/propagatetonet"}, {"before", false}, {"after", true}},
          {{"pointer", "/channels/C"}, {"before", nullptr}, {"after", {{"mode", "0660"}}}},
          {{"pointer", "/channels/B"}, {"before", {{"mode", "0600"}}}, {"after", nullptr}},
          {{"pointer", "/addr"}, {"before", "a"}, {"after", "b"}}}},
        {"restart", {"/addr"}},
        {"warnings", {"config.json:1:1: /addr: reserved"}}};
    CHECK(reloadText(answer) ==
          "read /etc/netcluster/config.json\n"
          "warning: config.json:1:1: /addr: reserved\n"
          "~ /channels/A/propagatetonet: false -> true\n"
          "+ /channels/C: {\"mode\":\"0660\"}\n"
          "- /channels/B: {\"mode\":\"0600\"}\n"
          "~ /addr: \"a\" -> \"b\"\n"
          "takes effect at the next start: /addr\n");
}

TEST_CASE("a reload without effect says so") {
    CHECK(reloadText({{"status", "done"}, {"changed", Json::array()}}) == "nothing changed\n");
}

TEST_CASE("a channel: where, rules, clients") {
    const Json answer{
        {"channel", "A"},
        {"endpoint", "/run/netcluster/A.sock"},
        {"rules", {{"propagatetochannels", ".*"}, {"propagatetonet", true}, {"mode", "0660"}}},
        {"targets", {"B", "C"}},
        {"clients",
         {{{"client", "0f8e"},
           {"name", "ncctl"},
           {"encoding", "binary"},
           {"pid", 42},
           {"uid", 0},
           {"gid", 0},
           {"queued", 0}},
          {{"client", "11aa"},
           {"name", "evil\x1b[2J"},
           {"encoding", "json"},
           {"pid", 1234},
           {"uid", 1000},
           {"gid", 1000},
           {"queued", 65536}}}},
        {"received", 12},
        {"delivered", 30},
        {"dropped", 0},
        {"refused", 0}};
    CHECK(channelText(answer) ==
          "channel    A\n"
          "endpoint   /run/netcluster/A.sock\n"
          "targets    B, C\n"
          "received   12\n"
          "delivered  30\n"
          "dropped    0\n"
          "refused    0\n"
          "\n"
          "rules\n"
          "  propagatetochannels  .*\n"
          "  propagatetonet       true\n"
          "  mode                 0660\n"
          "\n"
          "CLIENT  NAME           ENCODING   PID   UID   GID  QUEUED\n"
          "0f8e    ncctl          binary      42     0     0       0\n"
          "11aa    evil\\u001b[2J  json      1234  1000  1000   65536\n");
}

TEST_CASE("a channel that nobody uses") {
    const Json answer{{"channel", "A"}, {"targets", Json::array()}, {"clients", Json::array()}};
    CHECK(channelText(answer) == "channel  A\ntargets  -\n\nno clients\n");
}

TEST_CASE("a client, with a key of a later version") {
    const Json answer{{"client", "0f8e"},         {"channel", "A"}, {"connected", 3723.9},
                      {"patterns", {"a.*", "b"}}, {"queued", 10},   {"stalled", false},
                      {"mood", {{"is", "good"}}}};
    CHECK(clientText(answer) ==
          "client     0f8e\n"
          "channel    A\n"
          "connected  1 h 2 min 3 s\n"
          "patterns   a.*, b\n"
          "queued     10 bytes\n"
          "stalled    false\n"
          "mood       {\"is\":\"good\"}\n");
}

TEST_CASE("counters of the daemon, its channels and its link") {
    const Json answer{{"version", "2.0.0"},
                      {"pid", 7},
                      {"host", "h"},
                      {"uptime", 86400},
                      {"rundir", "/run/x"},
                      {"config", "/etc/x.json"},
                      {"clients", 3},
                      {"queued", 0},
                      {"channels",
                       {{"A", {{"clients", 2}, {"received", 100}, {"dropped", 0}}},
                        {"control", {{"clients", 1}, {"received", 1}}}}},
                      {"link",
                       {{"open", true},
                        {"sent", {{"datagrams", 5}, {"bytes", 600}}},
                        {"peers", Json::array()},
                        {"hosts", {{{"name", "b"}, {"address", "10.0.0.2:4454"}, {"gaps", 0}}}}}}};
    CHECK(statsText(answer) ==
          "version  2.0.0\n"
          "pid      7\n"
          "host     h\n"
          "uptime   1 d\n"
          "rundir   /run/x\n"
          "config   /etc/x.json\n"
          "clients  3\n"
          "queued   0 bytes\n"
          "\n"
          "CHANNEL  CLIENTS  RECEIVED  DROPPED\n"
          "A              2       100        0\n"
          "control        1         1        -\n"
          "\n"
          "link\n"
          "  open            true\n"
          "  peers           -\n"
          "  sent.bytes      600\n"
          "  sent.datagrams  5\n"
          "\n"
          "link hosts\n"
          "NAME  ADDRESS        GAPS\n"
          "b     10.0.0.2:4454     0\n");
}

TEST_CASE("an error, with the problems of a configuration below") {
    CHECK(errorText({{"error", "no such channel"}}) == "no such channel\n");
    CHECK(errorText({{"error", "not applied"}, {"problems", {"f:1:2: /a: bad", "f: worse"}}}) ==
          "not applied\n"
          "  f:1:2: /a: bad\n"
          "  f: worse\n");
}

TEST_CASE("an answer of any other shape is shown, not choked on") {
    const std::vector<Json> odd{
        nullptr,
        1,
        "text",
        Json::array({1, 2}),
        Json::object(),
        {{"channels", 1},
         {"link", "x"},
         {"changed", {1, "x"}},
         {"clients", {1, nullptr}},
         {"rules", 5},
         {"uptime", "long"},
         {"connected", -1},
         {"restart", 1},
         {"warnings", "w"}},
        {{"channels", {{"A", 1}}}, {"uptime", 1e300}, {"changed", "x"}, {"clients", {{"a", 1}}}}};
    for (const auto& answer : odd) {
        for (const auto text : {configText, reloadText, channelText, clientText, statsText}) {
            CHECK(text(answer).back() == '\n');
        }
        CHECK(errorText(answer).back() == '\n');
    }
}

TEST_CASE("an event, as text and as JSON") {
    const Json data{{"celsius", 21.5}};
    CHECK(eventText({"sensor", data, "A", "0f8e"}) == "sensor {\"celsius\":21.5}\n");
    CHECK(eventJson({"sensor", data, "A", "0f8e"}) ==
          "{\"event\":\"sensor\",\"data\":{\"celsius\":21.5},\"channel\":\"A\","
          "\"emmiteruuid\":\"0f8e\",\"broadcast\":false}\n");
    const Json none;
    CHECK(eventJson({"e", none, "A", "0f8e", true, "far", "node", "7", "me"}) ==
          "{\"event\":\"e\",\"data\":null,\"channel\":\"A\",\"emmiteruuid\":\"0f8e\","
          "\"broadcast\":true,\"host\":\"far\",\"to\":\"node\",\"id\":\"7\",\"replyto\":\"me\"}\n");
}

TEST_CASE("an event stays on its line, whatever its name is") {
    const Json data = "a\nb\x1b";
    CHECK(eventText({"x\n\x1b[A", data, "A", ""}) == "x\\n\\u001b[A \"a\\nb\\u001b\"\n");
}

}  // namespace
}  // namespace netcluster::ctl
