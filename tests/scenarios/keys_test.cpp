// The keys of the link as an operator meets them: the key file, start, reload, and the requests of
// `ncctl keys` (docs/control-protocol.md, docs/security.md).
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster::scenario;

namespace {

// 32 bytes of 0x01, of 0x02, of 0x03.
const std::string one = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const std::string two = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const std::string three = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";

std::string keyEntry(int id, const std::string& key, const std::string& use) {
    return R"({"id": )" + std::to_string(id) + R"(, "key": ")" + key + R"(", "use": ")" + use +
           "\"}";
}

/// A folder with a key file of key 1, and configurations that name it.
struct Place {
    Place() { writeKeys("// ours\n[" + keyEntry(1, one, "tx") + "]"); }

    void writeKeys(const std::string& text, mode_t mode = 0600) const {
        scratch.write("netkeys.json", text);
        REQUIRE(::chmod(file().c_str(), mode) == 0);
    }
    std::string file() const { return scratch.file("netkeys.json"); }
    std::string config(const std::string& more = "") const {
        return localConfig(R"("A": {})", R"("netkeyfile": ")" + file() + '"' + more);
    }
    std::string keysText() const {
        std::ifstream in(file());
        return {std::istreambuf_iterator<char>(in), {}};
    }

    Scratch scratch;
};

/// "1 tx, 2 rx"
std::string keysOf(const Json& answer) {
    if (!answer.contains("keys")) return answer.dump();
    std::string text;
    for (const Json& key : answer.at("keys")) {
        text += (text.empty() ? "" : ", ") + std::to_string(key.at("id").get<int>()) + ' ' +
                key.at("use").get<std::string>();
    }
    return text;
}

std::string listed(const Daemon& daemon) {
    return keysOf(daemon.ask("keys", {{"do", "list"}}));
}

std::string refusal(const Daemon& daemon, const Json& request) {
    return daemon.ask("keys", request).value("error", "none");
}

/// A link on the loopback interface, on a port that no other test of this machine uses.
std::string linkedConfig(const std::string& more) {
    const int port = 30'000 + static_cast<int>(::getpid()) % 2'000;
    return R"({"netinterface": "lo", "ttl": 0, "port": )" + std::to_string(port) + ", " + more +
           R"("channels": {"control": {}}})";
}

}  // namespace

TEST_CASE(
    "keys are added, used and removed while the daemon runs, and found again by the next one") {
    const Place place;
    {
        Daemon daemon(place.config());
        CHECK(listed(daemon) == "1 tx");
        const Json added = daemon.ask("keys", {{"do", "add"}, {"id", 2}, {"key", two}});
        CHECK(keysOf(added) == "1 tx, 2 rx");
        CHECK(added.at("file") == place.file());
        CHECK(keysOf(daemon.ask("keys", {{"do", "use"}, {"id", 2}})) == "1 rx, 2 tx");
        CHECK(keysOf(daemon.ask("keys", {{"do", "remove"}, {"id", 1}})) == "2 tx");
        CHECK(Json::parse(place.keysText()) == Json{{{"id", 2}, {"key", two}, {"use", "tx"}}});
        struct stat status {};
        REQUIRE(::stat(place.file().c_str(), &status) == 0);
        CHECK((status.st_mode & 07777) == 0600);
        // A reload finds what is in force.
        CHECK(daemon.ask("reloadconfig").at("changed") == Json::array());
    }
    Daemon next(place.config());
    CHECK(listed(next) == "2 tx");
}

TEST_CASE("what cannot be done with keys is said, and changes neither file nor keys") {
    const Place place;
    Daemon daemon(place.config());
    const std::string before = place.keysText();
    CHECK(refusal(daemon, {{"do", "use"}, {"id", 9}}) == "there is no key 9");
    CHECK(refusal(daemon, {{"do", "remove"}, {"id", 1}}) ==
          "key 1 is sent with: use another one first");
    CHECK(refusal(daemon, {{"do", "add"}, {"id", 1}, {"key", two}}) ==
          "the key is refused: there is a key 1 already");
    CHECK(refusal(daemon, {{"do", "add"}, {"id", 2}, {"key", one}}) ==
          "the key is refused: this is key 1 already");
    CHECK(refusal(daemon, {{"do", "add"}, {"id", 2}, {"key", "secret"}}) ==
          "the key is refused: is 6 characters long; 32 bytes are 44 characters of base64");
    const std::vector<Json> nonsense{nullptr,
                                     "list",
                                     Json::array(),
                                     Json::object(),
                                     {{"do", 1}},
                                     {{"do", "forget"}, {"id", 1}},
                                     {{"do", "use"}},
                                     {{"do", "use"}, {"id", "1"}},
                                     {{"do", "use"}, {"id", 0}},
                                     {{"do", "use"}, {"id", -1}},
                                     {{"do", "use"}, {"id", 65537}},
                                     {{"do", "use"}, {"id", 1.5}},
                                     {{"do", "add"}, {"id", 2}},
                                     {{"do", "add"}, {"id", 2}, {"key", 7}}};
    for (const Json& request : nonsense) {
        CAPTURE(request.dump());
        CHECK(refusal(daemon, request).starts_with("keys takes {"));
    }
    CHECK(place.keysText() == before);
    CHECK(listed(daemon) == "1 tx");
}

TEST_CASE("a key file that cannot be written any more changes nothing") {
    const Place place;
    Daemon daemon(place.config());
    REQUIRE(::unlink(place.file().c_str()) == 0);
    CHECK(refusal(daemon, {{"do", "add"}, {"id", 2}, {"key", two}})
              .starts_with(place.file() + ": cannot be opened"));
    CHECK(listed(daemon) == "1 tx");
}

TEST_CASE("without a key file there are no keys to change") {
    Daemon daemon(localConfig(R"("A": {})"));
    const Json list = daemon.ask("keys", {{"do", "list"}});
    CHECK(list.at("keys") == Json::array());
    CHECK(list.at("file") == "");
    CHECK(refusal(daemon, {{"do", "add"}, {"id", 1}, {"key", one}}) ==
          "the link has no keys: the configuration names no netkeyfile");
}

TEST_CASE("a key file that is wrong refuses the start, and names file and problem") {
    const Place place;
    const auto start = [&](const std::string& problem) {
        const Outcome outcome = runServer({"-c", place.scratch.write("config.json", place.config()),
                                           "--rundir", place.scratch.file("run")});
        CHECK(outcome.status == 1);
        CHECK(outcome.err == "ncserver: " + place.file() + problem + "\n");
    };
    place.writeKeys("[" + keyEntry(1, one, "tx") + "]", 0640);
    start(": others may read or write it (mode 0640); it must be 0600");
    place.writeKeys("[" + keyEntry(1, one, "rx") + "]");
    start(": no key to send with: the \"use\" of one key must be \"tx\"");
    place.writeKeys("[\n" + keyEntry(1, one.substr(4), "rx") + "]");
    start(":2: \"key\" is 40 characters long; 32 bytes are 44 characters of base64");
    REQUIRE(::unlink(place.file().c_str()) == 0);
    start(": cannot be opened: No such file or directory");
}

TEST_CASE("a reload takes the keys of the file as it is now") {
    const Place place;
    Daemon daemon(place.config());
    place.writeKeys("[" + keyEntry(1, one, "rx") + "," + keyEntry(3, three, "tx") + "]");
    // Until then, writing would lose what is there and not in force.
    CHECK(refusal(daemon, {{"do", "add"}, {"id", 2}, {"key", two}}) ==
          place.file() + ": was changed since it was read; reload the configuration first");
    const Json reloaded = daemon.ask("reloadconfig");
    CHECK(reloaded.at("changed") ==
          Json{{{"pointer", "/netkeyfile"},
                {"before", {{{"id", 1}, {"use", "tx"}}}},
                {"after", {{{"id", 1}, {"use", "rx"}}, {{"id", 3}, {"use", "tx"}}}}}});
    CHECK(listed(daemon) == "1 rx, 3 tx");
    CHECK(keysOf(daemon.ask("keys", {{"do", "add"}, {"id", 2}, {"key", two}})) ==
          "1 rx, 3 tx, 2 rx");
}

TEST_CASE("a reload with a wrong key file changes nothing at all") {
    const Place place;
    Daemon daemon(place.config());
    place.writeKeys("[]");
    const Json refused = daemon.ask(
        "reloadconfig", place.scratch.write("other.json", place.config(R"(, "maxevent": "1MiB")")));
    CHECK(refused.at("error") == "the key file is refused; nothing has changed");
    CHECK(refused.at("problems") ==
          Json{place.file() + ": no key to send with: the \"use\" of one key must be \"tx\""});
    CHECK(listed(daemon) == "1 tx");
    CHECK(daemon.ask("showconfig").at("maxevent") == 4 << 20);

    daemon.process().signal(SIGHUP);
    daemon.awaitLog("reload: " + place.file() + ": no key to send with");
    CHECK(listed(daemon) == "1 tx");
}

TEST_CASE("the key file is looked for beside the configuration that names it") {
    const Place place;
    Daemon daemon(localConfig(R"("A": {})"));
    const std::string config = localConfig(R"("A": {})", R"("netkeyfile": "netkeys.json")");
    const Json reloaded = daemon.ask("reloadconfig", place.scratch.write("config.json", config));
    CHECK(reloaded.value("error", "") == "");
    CHECK(listed(daemon) == "1 tx");
    CHECK(daemon.ask("keys", {{"do", "list"}}).at("file") == place.file());
}

TEST_CASE("a daemon whose link is open to everybody says so, once") {
    const std::string warning = "neither encrypted nor authenticated";
    const Place place;
    Daemon open(linkedConfig(""));
    open.awaitLog(warning);
    CHECK(open.ask("stats").at("link").at("encrypted") == false);
    const std::size_t logged = open.log().find(warning) + 1;
    CHECK(open.ask("reloadconfig").at("changed") == Json::array());
    CHECK(open.log().find(warning, logged) == std::string::npos);

    Daemon closed(linkedConfig(R"("netkeyfile": ")" + place.file() + "\", "));
    CHECK(closed.ask("stats").at("link").at("encrypted") == true);
    CHECK(closed.log().find(warning) == std::string::npos);
    // And when it is opened by a reload.
    closed.rewriteConfig(linkedConfig(""));
    CHECK(closed.ask("reloadconfig").at("changed").size() == 1);
    closed.awaitLog(warning);
    CHECK(listed(closed) == "");
}

TEST_CASE("keys change on an open link without a new session, and their counters are shown") {
    const Place place;
    Daemon daemon(linkedConfig(R"("netkeyfile": ")" + place.file() + "\", "));
    const Json session = daemon.ask("stats").at("link").at("session");
    daemon.ask("keys", {{"do", "add"}, {"id", 2}, {"key", two}});
    daemon.ask("keys", {{"do", "use"}, {"id", 2}});
    place.writeKeys("[" + keyEntry(2, two, "tx") + "]");
    CHECK(daemon.ask("reloadconfig").value("error", "") == "");
    CHECK(daemon.ask("stats").at("link").at("session") == session);
    const Json list = daemon.ask("keys", {{"do", "list"}});
    CHECK(list.at("keys") == Json{{{"id", 2}, {"use", "tx"}, {"opened", 0}}});
    CHECK(list.at("forged") == 0);
    CHECK(list.at("unknownkey") == 0);
}

TEST_CASE("no answer and no line of the log holds a key") {
    const Place place;
    Daemon daemon(place.config());
    JsonClient control(daemon.socket("control"));
    std::string said;
    for (const Json& request :
         {Json{{"do", "add"}, {"id", 2}, {"key", two}}, Json{{"do", "use"}, {"id", 2}},
          Json{{"do", "add"}, {"id", 2}, {"key", three}}, Json{{"do", "list"}}}) {
        said += control.ask("keys", request).dump();
    }
    for (const char* command : {"stats", "showconfig", "reloadconfig"}) {
        said += control.ask(command).dump();
    }
    place.writeKeys("[{\"id\": 1, \"key\": " + one + "}]");
    said += control.ask("reloadconfig").dump();
    CHECK(said.find("key file is refused") != std::string::npos);
    said += daemon.log();
    for (const std::string& key : {one, two, three}) {
        CHECK(said.find(key.substr(0, 40)) == std::string::npos);
    }
}
