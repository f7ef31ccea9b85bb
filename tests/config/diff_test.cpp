// diff.cpp: what a reload reports.
#include <doctest/doctest.h>

#include "diff.hpp"
#include "support.hpp"

namespace netcluster::config::test {

using nlohmann::json;

namespace {

Settings base() {
    Settings settings;
    settings.channels["control"] = controlDefaults();
    settings.channels["A"].propagateToChannels = "B";
    settings.channels["B"] = ChannelSettings{};
    return settings;
}

std::string text(const std::vector<Change>& changes) {
    std::string lines;
    for (const auto& change : changes) {
        lines += change.pointer + ": " + change.before.dump() + " -> " + change.after.dump() + '\n';
    }
    return lines;
}

}  // namespace

TEST_CASE("equal settings have no difference") {
    CHECK(diff(base(), base()).empty());
}

TEST_CASE("each key that changed is one change, sorted by pointer") {
    Settings after = base();
    after.link.port = 5000;
    after.link.peers = {"a:1"};
    after.maxEvent = 1000;
    after.channels["A"].propagateToChannels.reset();
    after.channels["A"].propagateToNet = {EventFilter::Kind::matching, "x"};
    after.channels["B"].group = "staff";
    after.channels["control"].mode = 0660;
    CHECK(text(diff(base(), after)) ==
          "/channels/A/propagatetochannels: \"B\" -> false\n"
          "/channels/A/propagatetonet: false -> \"x\"\n"
          "/channels/B/group: null -> \"staff\"\n"
          "/channels/control/mode: \"0600\" -> \"0660\"\n"
          "/maxevent: 4194304 -> 1000\n"
          "/peers: [] -> [\"a:1\"]\n"
          "/port: 4454 -> 5000\n");
}

TEST_CASE("a channel that comes or goes is one change: its whole object") {
    Settings after = base();
    after.channels.erase("A");
    after.channels["C"].dumpToConsole = true;

    const auto changes = diff(base(), after);
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].pointer == "/channels/A");
    CHECK(changes[0].before["propagatetochannels"] == "B");
    CHECK(changes[0].after == json());
    CHECK(changes[1].pointer == "/channels/C");
    CHECK(changes[1].before == json());
    CHECK(changes[1].after["dumptoconsole"] == true);
}

TEST_CASE("a different spelling of the same settings is no change") {
    const auto one = parse(R"({"maxevent": "4MiB", "channels": {"control": {}, "A": {}}})", "t");
    const auto other =
        parse(R"({"channels": {"A": {"mode": "660", "propagatetonet": ""}, "control": {}}})", "t");
    REQUIRE(one.settings);
    REQUIRE(other.settings);
    CHECK(diff(*one.settings, *other.settings).empty());
}

}  // namespace netcluster::config::test
