// The channel `control`: docs/control-protocol.md.
#include <doctest/doctest.h>
#include <unistd.h>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

const std::string config = localConfig(
    R"("A": {"propagatetochannels": ".*", "propagatetonet": "sensor\\..*"}, "B": {}, "C": {})",
    R"("name": "kitchen")");

Json clientOf(const Daemon& daemon, const std::string& channel, const std::string& uuid) {
    return daemon.ask("showclient", {{"channel", channel}, {"client", uuid}});
}

}  // namespace

TEST_CASE("showconfig: the configuration in force, every key, as config.json would have it") {
    Daemon daemon(config);
    const Json shown = daemon.ask("showconfig");
    CHECK(shown.at("connecttonet") == false);
    CHECK(shown.at("name") == "kitchen");
    CHECK(shown.at("maxevent") == 4 << 20);
    CHECK(shown.at("channels").at("A").at("propagatetochannels") == ".*");
    CHECK(shown.at("channels").at("A").at("propagatetonet") == "sensor\\..*");
    CHECK(shown.at("channels").at("B").at("propagatetochannels") == false);
    CHECK(shown.at("channels").at("B").at("slowconsumer") == "block");
    CHECK(shown.at("channels").at("control").at("mode") == "0600");
    // It is a configuration: the daemon takes it, and nothing changes.
    CHECK(daemon.ask("reloadconfig", shown).at("changed") == Json::array());
}

TEST_CASE("showchannel: rules, targets, clients, counters") {
    Daemon daemon(config);
    JsonClient json(daemon.socket("A"));
    BinaryClient binary(daemon.socket("A"), {"log.*", "x"});
    JsonClient onB(daemon.socket("B"));
    json.emit("log");
    CHECK(binary.nextEvent().event == "log");
    CHECK(onB.nextEvent().event == "log");

    const Json shown = daemon.ask("showchannel", "A");
    CHECK(shown.at("channel") == "A");
    CHECK(shown.at("endpoint") == daemon.socket("A"));
    CHECK(shown.at("rules").at("propagatetochannels") == ".*");
    CHECK(shown.at("targets") == Json{"B", "C"});
    CHECK(shown.at("received") == 1);
    CHECK(shown.at("delivered") == 2);
    CHECK(shown.at("dropped") == 0);
    CHECK(shown.at("refused") == 0);
    REQUIRE(shown.at("clients").size() == 2);
    for (const Json& client : shown.at("clients")) {
        CHECK(client.at("pid") == getpid());
        CHECK(client.at("uid") == geteuid());
        CHECK(client.at("gid") == getegid());
        CHECK(client.at("queued") == 0);
        const bool isBinary = client.at("client") == binary.uuid();
        CHECK(client.at("encoding") == (isBinary ? "binary" : "json"));
        if (isBinary) CHECK(client.at("name") == "scenario");
    }
    CHECK(daemon.ask("showchannel", "C").at("clients") == Json::array());
}

TEST_CASE("showclient: one client with all its details") {
    Daemon daemon(config);
    BinaryClient binary(daemon.socket("A"), {"log.*", "x"});
    JsonClient emitter(daemon.socket("A"));
    emitter.emit("log");
    CHECK(binary.nextEvent().event == "log");
    binary.emit("mine");
    binary.emit("nc-mine");
    binary.sync();
    const Json shown = clientOf(daemon, "A", binary.uuid());
    CHECK(shown.at("channel") == "A");
    CHECK(shown.at("encoding") == "binary");
    CHECK(shown.at("name") == "scenario");
    CHECK(shown.at("connected").get<double>() >= 0);
    CHECK(shown.at("patterns") == Json{"log.*", "x"});
    CHECK(shown.at("received").get<int>() >= 1);
    CHECK(shown.at("delivered") == 1);
    CHECK(shown.at("dropped") == 0);
    CHECK(shown.at("refused") == 1);
    CHECK(shown.at("stalled") == false);

    const std::string sender = emitter.nextEvent().sender;  // not its own: the event "mine"
    CHECK(sender == binary.uuid());
    std::string json;
    const Json channel = daemon.ask("showchannel", "A");
    for (const Json& client : channel.at("clients")) {
        if (client.at("encoding") == "json") json = client.at("client");
    }
    CHECK(clientOf(daemon, "A", json).at("patterns") == Json{".*"});
    CHECK(clientOf(daemon, "A", json).at("received") == 1);
}

TEST_CASE("stats: the daemon and its counters") {
    Daemon daemon(config);
    JsonClient client(daemon.socket("B"));
    JsonClient other(daemon.socket("B"));
    client.emit("x");
    other.nextEvent();
    const Json stats = daemon.ask("stats");
    CHECK(stats.at("version").get<std::string>() != "");
    CHECK(stats.at("pid") == daemon.process().pid());
    CHECK(stats.at("host") == "kitchen");
    CHECK(stats.at("uptime").get<double>() >= 0);
    CHECK(stats.at("rundir") == daemon.runDir());
    CHECK(stats.at("config") == daemon.configFile());
    CHECK(stats.at("clients") == 3);  // the asker too
    CHECK(stats.at("queued").is_number());
    CHECK(stats.at("channels").at("B").at("clients") == 2);
    CHECK(stats.at("channels").at("B").at("received") == 1);
    CHECK(stats.at("channels").contains("control"));
    CHECK(stats.contains("link"));
}

TEST_CASE("an answer goes only to who asked, with the id of the question") {
    Daemon daemon(config);
    JsonClient json(daemon.socket("control"));
    BinaryClient binary(daemon.socket("control"));
    for (int round = 0; round < 3; ++round) {
        const Json answer = json.askWhole("showchannel", "A", "question 1");
        CHECK(answer.at("event") == "nc-control-showchannel-response");
        CHECK(answer.at("id") == "question 1");
        CHECK(answer.at("data").at("channel") == "A");
        CHECK(answer.at("channel") == "control");
        CHECK_FALSE(json.askWhole("showchannel", "A").contains("id"));

        binary.emit("nc-control-showchannel", "\"B\"", EmitWith{.id = "ä2"});
        const Heard heard = binary.nextEvent();  // the first thing it hears
        CHECK(heard.event == "nc-control-showchannel-response");
        CHECK(heard.id == "ä2");
        CHECK(Json::parse(heard.data).at("channel") == "B");
    }
    CHECK(json.askWhole("stats", nullptr, "last").at("id") == "last");
}

TEST_CASE("a question that makes no sense is answered with an error, and the connection lives on") {
    Daemon daemon(config);
    JsonClient control(daemon.socket("control"));
    CHECK(control.ask("showchannel", "missing").contains("error"));
    CHECK(control.ask("showchannel").contains("error"));
    CHECK(control.ask("showchannel", 7).contains("error"));
    CHECK(control.ask("showclient", {{"channel", "missing"}, {"client", "x"}}).contains("error"));
    CHECK(control.ask("showclient", {{"channel", "A"}, {"client", "no uuid"}}).contains("error"));
    CHECK(control
              .ask("showclient",
                   {{"channel", "A"}, {"client", "00000000-0000-0000-0000-000000000000"}})
              .contains("error"));
    CHECK(control.ask("showclient", {{"channel", "A"}}).contains("error"));
    CHECK(control.ask("showclient", "A").contains("error"));
    CHECK(control.ask("showclient").contains("error"));

    const Json unknown = control.askWhole("nonsense", nullptr, "7");
    CHECK(unknown.at("event") == "nc-control-error");
    CHECK(unknown.at("id") == "7");
    CHECK(unknown.at("data").at("error").get<std::string>().find("nc-control-nonsense") !=
          std::string::npos);
    for (const char* name :
         {"nc-control-", "nc-control-showconfig-response", "showconfig", "nc-x"}) {
        control.emit(name);
        CHECK(control.nextEvent().event == "nc-control-error");
    }
    BinaryClient binary(daemon.socket("control"));
    binary.emit("nc-control-showchannel", "\"A\"", EmitWith{.bytes = true});
    CHECK(Json::parse(binary.nextEvent().data).contains("error"));
    binary.emit("nc-control-showchannel", "not JSON");
    CHECK(Json::parse(binary.nextEvent().data).contains("error"));
    binary.emit("nc-control-showchannel", Json(std::string(1 << 20, 'x')).dump());
    CHECK(Json::parse(binary.nextEvent().data).contains("error"));
    CHECK(control.ask("stats").at("pid") == daemon.process().pid());
}

TEST_CASE("questions that are pipelined are answered in their order") {
    Daemon daemon(config);
    JsonClient control(daemon.socket("control"));
    std::string questions;
    for (int n = 0; n < 1000; ++n) {
        questions += R"({"event":"nc-control-showchannel","data":"A","id":")" + std::to_string(n) +
                     "\"}" + '\0';
    }
    control.connection().send(questions);
    for (int n = 0; n < 1000; ++n) REQUIRE(control.nextEvent().id == std::to_string(n));
}

TEST_CASE("who asks and closes its sending half still gets the answer (socat does so)") {
    Daemon daemon(config);
    JsonClient control(daemon.socket("control"));
    control.emit("nc-control-stats");
    control.connection().finishSending();
    CHECK(control.nextEvent().event == "nc-control-stats-response");
    CHECK(control.reasonOfEnd() == "");
}

TEST_CASE("who asks for ever and never reads is bounded; others are served") {
    Daemon daemon(config);
    JsonClient greedy(daemon.socket("control"));
    std::string questions;
    for (int n = 0; n < 5000; ++n)
        questions += std::string("{\"event\":\"nc-control-showconfig\"}") + '\0';
    std::string_view rest = questions;
    while (!rest.empty()) {
        const std::size_t sent = greedy.connection().sendSome(rest);
        if (sent == 0) break;  // held up, or thrown out: both are bounded
        rest.remove_prefix(sent);
        CHECK(daemon.ask("stats").at("queued").get<std::size_t>() < std::size_t{16} << 20);
    }
    CHECK(daemon.ask("showchannel", "A").at("channel") == "A");
}

TEST_CASE("startcontrol false: no control, the rest as ever") {
    Daemon daemon(localConfig(R"("A": {})", R"("startcontrol": false)"));
    CHECK_THROWS(JsonClient(daemon.socket("control")));
    JsonClient listener(daemon.socket("A"));
    JsonClient emitter(daemon.socket("A"));
    emitter.emit("x");
    CHECK(listener.nextEvent().event == "x");
}
