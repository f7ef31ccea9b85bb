// Reload is one transaction: SIGHUP and `control`, rules of living channels, channels that come and
// go, files that are wrong.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <future>
#include <set>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

using Names = std::vector<std::string>;

const std::string aloneConfig = localConfig(R"("A": {"propagatetochannels": false}, "B": {})");
const std::string openConfig = localConfig(R"("A": {"propagatetochannels": ".*"}, "B": {})");

/// The ways to reload; each returns when the daemon has applied `config` (or refused it).
enum class Way { signal, path, object, nothing };
constexpr Way allWays[] = {Way::signal, Way::path, Way::object, Way::nothing};

Json strip(const std::string& config) {
    return Json::parse(config);
}

Json reload(Daemon& daemon, Way way, const std::string& config) {
    const std::size_t logged = daemon.log().size();
    switch (way) {
        case Way::signal:
            daemon.rewriteConfig(config);
            daemon.process().signal(SIGHUP);
            daemon.awaitLog(" taken: ", logged);
            return {};
        case Way::path:
            return daemon.ask("reloadconfig", daemon.scratch().write("other.json", config));
        case Way::object:
            return daemon.ask("reloadconfig", strip(config));
        case Way::nothing:
            daemon.rewriteConfig(config);
            return daemon.ask("reloadconfig");
    }
    return {};
}

bool contains(const Json& list, const std::string& part) {
    for (const auto& entry : list) {
        if (entry.get<std::string>().find(part) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("a rule changed by reload applies to clients that are connected") {
    for (const Way way : allWays) {
        CAPTURE(static_cast<int>(way));
        for (const Encoding encoding : bothEncodings) {
            Daemon daemon(aloneConfig);
            auto emitter = connect(encoding, daemon.socket("A"));
            auto onA = connect(encoding, daemon.socket("A"));
            auto onB = connect(encoding, daemon.socket("B"));
            JsonClient neighbour(daemon.socket("B"));
            const auto round = [&](const std::string& name) {
                emitter->emit(name);
                CHECK(onA->nextEvent().event == name);  // so it has been routed
                neighbour.emit("fence");
                return onB->eventsUntil("fence");
            };
            CHECK(round("one").empty());
            reload(daemon, way, openConfig);
            CHECK(round("two") == Names{"two"});
            reload(daemon, way, aloneConfig);
            CHECK(round("three").empty());
        }
    }
}

TEST_CASE("the answer to a reload lists each key changed, with before and after") {
    Daemon daemon(aloneConfig);
    const Json answer = daemon.ask(
        "reloadconfig",
        strip(localConfig(
            R"("A": {"propagatetochannels": "^B$", "slowconsumer": "disconnect"}, "C": {})",
            R"("stalltimeout": 300)")));
    CHECK(answer.at("status") == "done");
    CHECK(answer.at("restart") == Json::array());
    std::map<std::string, Json> changed;
    for (const Json& change : answer.at("changed")) changed[change.at("pointer")] = change;
    REQUIRE(changed.contains("/channels/A/propagatetochannels"));
    CHECK(changed["/channels/A/propagatetochannels"]["before"] == false);
    CHECK(changed["/channels/A/propagatetochannels"]["after"] == "^B$");
    CHECK(changed.contains("/channels/A/slowconsumer"));
    CHECK(changed.contains("/stalltimeout"));
    CHECK(changed.contains("/channels/B"));
    CHECK(changed.contains("/channels/C"));
    CHECK(changed.size() == 5);
    CHECK(daemon.ask("showconfig").at("stalltimeout") == 300);
}

TEST_CASE("reloading what is in force changes nothing and says so") {
    Daemon daemon(openConfig);
    const Json answer = daemon.ask("reloadconfig");
    CHECK(answer.at("status") == "done");
    CHECK(answer.at("changed") == Json::array());
    CHECK(answer.at("file") == daemon.configFile());
}

TEST_CASE("a path given to reload is the file in force from then on") {
    Daemon daemon(aloneConfig);
    const std::string other = daemon.scratch().write("other.json", aloneConfig);
    CHECK(daemon.ask("reloadconfig", other).at("file") == other);
    CHECK(daemon.ask("stats").at("config") == other);
    daemon.scratch().write("other.json", openConfig);
    CHECK(daemon.ask("reloadconfig").at("changed").size() == 1);
}

TEST_CASE("an invalid reload changes nothing and lists every problem with its place") {
    const std::string broken =
        "{ // three problems\n"
        "  \"connecttonet\": 7,\n"
        "  \"channels\": {\n"
        "    \"control\": {},\n"
        "    \"A\": {\"propagatetochannels\": \"(unclosed\"},\n"
        "    \"N\": {\"propagatetonets\": true},\n"
        "  }\n"
        "}\n";
    Daemon daemon(aloneConfig);
    const Json before = daemon.ask("showconfig");
    JsonClient emitter(daemon.socket("A"));
    JsonClient onA(daemon.socket("A"));
    JsonClient onB(daemon.socket("B"));
    JsonClient neighbour(daemon.socket("B"));
    const auto unchanged = [&] {
        CHECK(daemon.ask("showconfig") == before);
        CHECK_FALSE(std::filesystem::exists(daemon.socket("N")));
        emitter.emit("still");
        CHECK(onA.nextEvent().event == "still");
        neighbour.emit("fence");
        CHECK(onB.eventsUntil("fence").empty());
    };
    const auto namesAll = [](const Json& problems, const std::string& file) {
        CHECK(problems.size() == 3);
        CHECK(contains(problems, file + ":2:19: /connecttonet: "));
        CHECK(contains(problems, file + ":5:34: /channels/A/propagatetochannels: "));
        CHECK(contains(problems, file + ":6:11: /channels/N"));
    };

    SUBCASE("by path") {
        const std::string path = daemon.scratch().write("broken.json", broken);
        const Json answer = daemon.ask("reloadconfig", path);
        CHECK(answer.contains("error"));
        namesAll(answer.at("problems"), path);
        CHECK_FALSE(answer.contains("status"));
        unchanged();
        CHECK(daemon.ask("stats").at("config") == daemon.configFile());
    }
    SUBCASE("by the file in force") {
        daemon.rewriteConfig(broken);
        namesAll(daemon.ask("reloadconfig").at("problems"), daemon.configFile());
        unchanged();
    }
    SUBCASE("by SIGHUP: in the log") {
        daemon.rewriteConfig(broken);
        daemon.process().signal(SIGHUP);
        daemon.awaitLog("/connecttonet: ");
        daemon.awaitLog(daemon.configFile() + ":5:34: /channels/A/propagatetochannels: ");
        daemon.awaitLog(daemon.configFile() + ":6:11: /channels/N");
        unchanged();
    }
    SUBCASE("by object") {
        const Json answer = daemon.ask(
            "reloadconfig",
            {{"connecttonet", 7}, {"channels", {{"A", {{"propagatetochannels", "("}}}}}});
        CHECK(answer.contains("error"));
        CHECK(contains(answer.at("problems"), "/connecttonet: "));
        CHECK(contains(answer.at("problems"), "/channels/A/propagatetochannels: "));
        CHECK(contains(answer.at("problems"), "control"));
        unchanged();
    }
    SUBCASE("files that cannot be a configuration") {
        std::filesystem::create_directory(daemon.scratch().file("directory"));
        for (const std::string& path :
             {daemon.scratch().file("missing.json"), daemon.scratch().file("directory"),
              std::string("/dev/zero"), daemon.scratch().write("empty.json", ""),
              daemon.scratch().write("cut.json", openConfig.substr(0, openConfig.size() / 2)),
              daemon.scratch().write("list.json", "[]")}) {
            CAPTURE(path);
            CHECK(daemon.ask("reloadconfig", path).contains("error"));
            unchanged();
        }
    }
    SUBCASE("what is neither path nor object") {
        for (const Json& nonsense : {Json(7), Json(true), Json::array({"a"})}) {
            CHECK(daemon.ask("reloadconfig", nonsense).contains("error"));
            unchanged();
        }
    }
    SUBCASE("a channel that cannot be opened, beside one that could") {
        std::filesystem::create_directory(daemon.socket("Z"));
        const Json answer = daemon.ask(
            "reloadconfig",
            strip(localConfig(R"("A": {"propagatetochannels": ".*"}, "B": {}, "N": {}, "Z": {})")));
        CHECK(answer.at("error").get<std::string>().find(daemon.socket("Z")) != std::string::npos);
        unchanged();
    }
    SUBCASE("rights that cannot be given") {
        const Json answer =
            daemon.ask("reloadconfig",
                       strip(localConfig(R"("A": {"propagatetochannels": ".*", "mode": "0600"},)"
                                         R"("B": {"group": "no-such-group-here"}, "N": {})")));
        CHECK(answer.contains("error"));
        struct stat status {};
        REQUIRE(stat(daemon.socket("A").c_str(), &status) == 0);
        CHECK((status.st_mode & 07777) == 0660);
        unchanged();
    }
}

TEST_CASE("a removed channel says so to its clients and closes them; its socket goes") {
    Daemon daemon(openConfig);
    JsonClient json(daemon.socket("B"));
    BinaryClient binary(daemon.socket("B"));
    JsonClient onA(daemon.socket("A"));
    CHECK(daemon.ask("reloadconfig", strip(localConfig(R"("A": {"propagatetochannels": ".*"})")))
              .at("status") == "done");
    CHECK(json.reasonOfEnd().find("removed") != std::string::npos);
    CHECK(binary.reasonOfEnd().find("removed") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(daemon.socket("B")));
    CHECK_THROWS(JsonClient(daemon.socket("B")));

    JsonClient neighbour(daemon.socket("A"));
    neighbour.emit("still here");
    CHECK(onA.nextEvent().event == "still here");
}

TEST_CASE("clients of a removed channel still get what they are owed") {
    Daemon daemon(localConfig(R"("A": {"propagatetochannels": "^B$"}, "B": {})"));
    JsonClient listener(daemon.socket("B"));
    BinaryClient emitter(daemon.socket("A"));
    const std::string kilobyte = Json(std::string(1000, 'x')).dump();
    constexpr int count = 2000;  // more than the kernel holds
    for (int n = 0; n < count; ++n) emitter.emit("n", kilobyte);
    emitter.sync();
    daemon.ask("reloadconfig", strip(localConfig(R"("A": {})")));
    for (int n = 0; n < count; ++n) REQUIRE(listener.nextEvent().event == "n");
    CHECK(listener.reasonOfEnd().find("removed") != std::string::npos);
}

TEST_CASE("a new channel opens, and is reached by the rules that match it") {
    Daemon daemon(localConfig(R"("A": {"propagatetochannels": ".*"})"));
    JsonClient emitter(daemon.socket("A"));
    daemon.ask(
        "reloadconfig",
        strip(localConfig(R"("A": {"propagatetochannels": ".*"}, "new": {"mode": "0600"})")));
    struct stat status {};
    REQUIRE(stat(daemon.socket("new").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    for (const Encoding encoding : bothEncodings) {
        auto listener = connect(encoding, daemon.socket("new"));
        JsonClient neighbour(daemon.socket("new"));
        neighbour.emit("own");
        CHECK(listener->nextEvent().event == "own");
        emitter.emit("from A");
        CHECK(listener->nextEvent().event == "from A");
    }
}

TEST_CASE("a channel that goes and comes back is a new one") {
    Daemon daemon(openConfig);
    for (int round = 0; round < 10; ++round) {
        JsonClient before(daemon.socket("B"));
        daemon.ask("reloadconfig", strip(localConfig(R"("A": {"propagatetochannels": ".*"})")));
        daemon.ask("reloadconfig", strip(openConfig));
        JsonClient after(daemon.socket("B"));
        JsonClient emitter(daemon.socket("A"));
        JsonClient witness(daemon.socket("B"));
        witness.emit("ready");
        CHECK(after.nextEvent().event == "ready");
        emitter.emit("hello");
        CHECK(after.nextEvent().event == "hello");
        CHECK(before.reasonOfEnd().find("removed") != std::string::npos);
    }
}

TEST_CASE("200 reloads under load, every second one broken: unchanged channels lose no event") {
    Daemon daemon(openConfig);
    BinaryClient emitter(daemon.socket("B"));
    BinaryClient binary(daemon.socket("B"));
    JsonClient json(daemon.socket("B"));
    constexpr int count = 10000;
    auto emitting = std::async(std::launch::async, [&] {
        for (int n = 0; n < count; ++n) emitter.emit("n", std::to_string(n));
    });
    const std::string path = daemon.scratch().file("next.json");
    JsonClient control(daemon.socket("control"));
    auto reloading = std::async(std::launch::async, [&] {
        for (int round = 0; round < 200; ++round) {
            std::string config = round % 4 == 0 ? openConfig : localConfig(R"("B": {}, "C": {})");
            if (round % 2 == 1) config.resize(config.size() - 10);
            daemon.scratch().write("next.json", config);
            const Json answer = control.ask("reloadconfig", path);
            if (answer.contains("error") != (round % 2 == 1)) throw std::runtime_error("reload");
        }
    });
    auto listening = std::async(std::launch::async, [&] {
        for (int n = 0; n < count; ++n) {
            if (json.nextEvent().data != std::to_string(n)) throw std::runtime_error("order");
        }
    });
    for (int n = 0; n < count; ++n) REQUIRE(binary.nextEvent().data == std::to_string(n));
    emitting.get();
    reloading.get();
    listening.get();
}

TEST_CASE("mode, limits and policies of living channels change at once") {
    Daemon daemon(aloneConfig);
    BinaryClient emitter(daemon.socket("A"));
    JsonClient listener(daemon.socket("A"));
    const std::string big = Json(std::string(3000, 'x')).dump();
    emitter.emit("big", big);
    CHECK(listener.nextEvent().event == "big");

    daemon.ask("reloadconfig", strip(localConfig(R"("A": {"mode": "0600"}, "B": {})",
                                                 R"("maxevent": 1024, "maxclients": 4)")));
    struct stat status {};
    REQUIRE(stat(daemon.socket("A").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    CHECK(BinaryClient(daemon.socket("A")).welcome().maxEvent == 1024);
    JsonClient small(daemon.socket("A"));
    small.emit("big", big);
    CHECK(small.reasonOfEnd().find("1024") != std::string::npos);
    small.connection().close();

    // Four connections are the most there may be now.
    JsonClient third(daemon.socket("B"));
    BinaryClient fourth(daemon.socket("B"));
    JsonClient fifth(daemon.socket("B"));
    CHECK(fifth.reasonOfEnd().find("as many clients") != std::string::npos);
}

TEST_CASE("a reload that ends control answers the one who asked first") {
    Daemon daemon(aloneConfig);
    JsonClient control(daemon.socket("control"));
    JsonClient onA(daemon.socket("A"));
    const Json answer = control.ask(
        "reloadconfig", strip(localConfig(R"("A": {}, "B": {})", R"("startcontrol": false)")));
    CHECK(answer.at("status") == "done");
    control.reasonOfEnd();
    CHECK_FALSE(std::filesystem::exists(daemon.socket("control")));

    JsonClient emitter(daemon.socket("A"));
    emitter.emit("still here");
    CHECK(onA.nextEvent().event == "still here");

    daemon.process().signal(SIGHUP);  // the file serves control: it comes back
    CHECK(daemon.process().err.waitForCount(" taken: ", 2));
    CHECK(daemon.ask("showchannel", "A").at("channel") == "A");
}
