// channels.cpp: the keys of a channel, channel names, and what `control` may not do.
#include <doctest/doctest.h>

#include "support.hpp"

namespace netcluster::config::test {

namespace {

ChannelSettings channelOf(const std::string& keys) {
    const auto parsed = parse(channel(keys), "t");
    REQUIRE_MESSAGE(parsed.settings, lines(parsed.problems));
    return parsed.settings->channels.at("A");
}

std::string control(const std::string& keys) {
    return R"({"channels": {"control": {)" + keys + R"(}, "A": {}}})";
}

}  // namespace

TEST_CASE("every key of a channel is taken") {
    ChannelSettings expected;
    expected.propagateToChannels = "B";
    expected.propagateToNet = {EventFilter::Kind::matching, "a.*"};
    expected.acceptFromNet = {EventFilter::Kind::none, {}};
    expected.dumpToConsole = true;
    expected.allowBroadcast = false;
    expected.slowConsumer = SlowConsumer::dropNewest;
    expected.mode = 0640;
    expected.group = "staff";
    CHECK(channelOf(R"("propagatetochannels": "B", "propagatetonet": "a.*", "acceptfromnet": false,
        "dumptoconsole": true, "allowbroadcast": false, "slowconsumer": "dropnewest",
        "mode": "0640", "group": "staff")") == expected);
}

TEST_CASE("a filter is true, false or an expression, and empty counts as false") {
    using Kind = EventFilter::Kind;
    CHECK(channelOf(R"("propagatetonet": true)").propagateToNet == EventFilter{Kind::all, {}});
    CHECK(channelOf(R"("acceptfromnet": "")").acceptFromNet == EventFilter{Kind::none, {}});
    CHECK(channelOf(R"("propagatetochannels": "")").propagateToChannels == std::nullopt);
    CHECK(channelOf(R"("propagatetochannels": false)").propagateToChannels == std::nullopt);
    CHECK(warningsIn(channel(R"("acceptfromnet": "")")) ==
          "t:1:52: /channels/A/acceptfromnet: an empty expression is read as false\n");
}

TEST_CASE("a mistake in a channel is shown at its value") {
    const std::vector<std::pair<std::string, std::string>> mistakes{
        {R"("propagatetochannels": true)",
         "58: /channels/A/propagatetochannels: must be false or a regular expression on channel "
         "names "
         "(\".*\" is every channel), not true"},
        {R"("propagatetonet": 7)",
         "53: /channels/A/propagatetonet: must be true, false or a regular expression, not a "
         "number"},
        {R"("acceptfromnet": "[")",
         "52: /channels/A/acceptfromnet: bad regular expression: missing ] in \"[\""},
        {R"("dumptoconsole": "no")",
         "52: /channels/A/dumptoconsole: must be true or false, not text"},
        {R"("allowbroadcast": null)",
         "53: /channels/A/allowbroadcast: must be true or false, not null"},
        {R"("slowconsumer": "drop")",
         "51: /channels/A/slowconsumer: must be \"block\", \"dropoldest\", \"dropnewest\" or "
         "\"disconnect\", not \"drop\""},
        {R"("slowconsumer": true)",
         "51: /channels/A/slowconsumer: must be \"block\", \"dropoldest\", \"dropnewest\" or "
         "\"disconnect\", not true"},
        {R"("mode": 660)",
         "43: /channels/A/mode: must be permission bits as octal text, \"0000\" to \"0777\", not a "
         "number"},
        {R"("mode": "0680")",
         "43: /channels/A/mode: must be permission bits as octal text, \"0000\" to \"0777\", not "
         "\"0680\""},
        {R"("mode": "4755")",
         "43: /channels/A/mode: must be permission bits as octal text, \"0000\" to \"0777\", not "
         "\"4755\""},
        {R"("mode": "00660")",
         "43: /channels/A/mode: must be permission bits as octal text, \"0000\" to \"0777\", not "
         "\"00660\""},
        {R"("mode": "")",
         "43: /channels/A/mode: must be permission bits as octal text, \"0000\" to \"0777\", not "
         "\"\""},
        {R"("group": "")",
         "44: /channels/A/group: must be the name of a group; leave the key out to keep the "
         "daemon's "
         "own"},
        {R"("propagatetochanels": "B")",
         "35: /channels/A/propagatetochanels: unknown key; did you mean \"propagatetochannels\"?"},
        {R"("port": 1)",
         "35: /channels/A/port: unknown key; it belongs beside \"channels\", not inside a channel"},
    };
    for (const auto& mistake : mistakes) {
        CAPTURE(mistake.first);
        CHECK(problemsIn(channel(mistake.first)) == "t:1:" + mistake.second + "\n");
    }
}

TEST_CASE("modes are read as octal") {
    CHECK(channelOf(R"("mode": "0777")").mode == 0777);
    CHECK(channelOf(R"("mode": "600")").mode == 0600);
    CHECK(channelOf(R"("mode": "0")").mode == 0);
}

TEST_CASE("control is always there, and is an object") {
    CHECK(problemsIn("{}") == "t:1:1: /channels: missing; at least \"control\" must be there\n");
    CHECK(problemsIn(R"({"channels": {"A": {}}})") ==
          "t:1:14: /channels: the channel \"control\" is missing; every configuration must have "
          "it\n");
    CHECK(problemsIn(R"({"channels": []})") ==
          "t:1:14: /channels: must be an object, not a list\n");
    CHECK(problemsIn(R"({"channels": {"control": true}})") ==
          "t:1:26: /channels/control: must be an object, not true\n");
}

TEST_CASE("control is private to its owner and takes no part in propagation") {
    const auto parsed =
        parse(control(R"("dumptoconsole": true, "slowconsumer": "disconnect")"), "t");
    REQUIRE(parsed.settings);
    ChannelSettings expected = controlDefaults();
    expected.dumpToConsole = true;
    expected.slowConsumer = SlowConsumer::disconnect;
    CHECK(parsed.settings->channels.at("control") == expected);
    CHECK(expected.mode == 0600);
}

TEST_CASE("what a 1.x configuration lets control do is ignored, with a warning") {
    const std::string ignored = ": ignored: no event ever propagates into or out of control\n";
    const auto parsed = parse(control(R"("propagatetochannels": ".*", "propagatetonet": true,
"acceptfromnet": "x", "allowbroadcast": true)"),
                              "t");
    REQUIRE(parsed.settings);
    CHECK(parsed.settings->channels.at("control") == controlDefaults());
    CHECK(lines(parsed.warnings) == "t:1:50: /channels/control/propagatetochannels" + ignored +
                                        "t:1:74: /channels/control/propagatetonet" + ignored +
                                        "t:2:18: /channels/control/acceptfromnet" + ignored +
                                        "t:2:41: /channels/control/allowbroadcast" + ignored);

    CHECK(warningsIn(control(R"("propagatetochannels": false, "propagatetonet": false,
        "acceptfromnet": false, "allowbroadcast": false)")) == "");
}

TEST_CASE("a wrong type is an error on control too") {
    CHECK(problemsIn(control(R"("propagatetonet": 1)")) ==
          "t:1:45: /channels/control/propagatetonet: must be true, false or a regular expression, "
          "not a number\n");
}

TEST_CASE("a control socket that everybody may write to is a warning") {
    CHECK(warningsIn(control(R"("mode": "0666")")) ==
          "t:1:35: /channels/control/mode: every user of this host may administer the daemon\n");
    CHECK(warningsIn(control(R"("mode": "0660")")) == "");
}

TEST_CASE("a rule that matches no other channel is a warning") {
    const std::string start = "t:1:58: /channels/A/propagatetochannels: ";
    CHECK(warningsIn(channel(R"("propagatetochannels": "^C")")) ==
          start + "\"^C\" matches no other channel\n");
    // Neither the channel itself nor control counts.
    CHECK(warningsIn(channel(R"("propagatetochannels": "^A$")")) ==
          start + "\"^A$\" matches no other channel\n");
    CHECK(warningsIn(channel(R"("propagatetochannels": "control")")) ==
          start + "\"control\" matches no other channel\n");
    // Searched, not matched.
    CHECK(warningsIn(
              R"({"channels": {"control":{}, "A": {"propagatetochannels": "og"}, "log1": {}}})") ==
          "");
}

TEST_CASE("there may be 256 channels") {
    std::string text = R"({"channels": {"control": {},)";
    for (int i = 1; i < 256; ++i) text += "\"c" + std::to_string(i) + "\":{},";
    CHECK(problemsIn(text + "}}") == "");
    CHECK(problemsIn(text + "\"one.more\":{}}}") ==
          "t:1:14: /channels: may have at most 256 channels, this has 257\n");
}

}  // namespace netcluster::config::test
