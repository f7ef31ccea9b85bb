// ncserver's start and end: arguments, what it refuses and how it says so, what it leaves behind.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "clients.hpp"
#include "harness.hpp"
#include "printing.hpp"

using namespace netcluster;
using namespace netcluster::scenario;

namespace fs = std::filesystem;

namespace {

const std::string good = localConfig(R"("A": {}, "B": {"mode": "0600"})");
const std::string bad =
    "{\n  \"conecttonet\": true,\n  \"channels\": {\n    \"A\": {\"propagatetochannels\": \"(\"}\n "
    " }\n}\n";

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

int modeOf(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 ? static_cast<int>(status.st_mode & 07777) : -1;
}

std::string contents(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A socket file that is bound; listens too when asked to.
class Bound {
  public:
    Bound(const std::string& path, bool listening) : descriptor_(socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(path.size() < sizeof address.sun_path);
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        REQUIRE(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        if (listening) REQUIRE(listen(descriptor_, 5) == 0);
    }
    ~Bound() { close(descriptor_); }

  private:
    int descriptor_;
};

struct Place {
    Place() {
        fs::create_directory(scratch.file("run"));
        fs::permissions(scratch.file("run"), fs::perms::owner_all);
    }
    std::string run() const { return scratch.file("run"); }
    std::string socket(const std::string& channel) const { return run() + "/" + channel + ".sock"; }
    Outcome start(const std::string& config) const {
        return runServer({"-c", scratch.write("config.json", config), "--rundir", run()});
    }
    Scratch scratch;
};

}  // namespace

TEST_CASE("-t checks a configuration and exits 0 or 2") {
    Scratch scratch;
    const std::string fine = scratch.write("good.json", good);
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"-t", fine}, {fine, "-t"}, {"-t", "-c", fine}}) {
        CHECK(runServer(arguments).status == 0);
    }
    const std::string wrong = scratch.write("bad.json", bad);
    const Outcome outcome = runServer({"-t", wrong});
    CHECK(outcome.status == 2);
    CHECK(has(outcome.err, wrong + ":2:3: /conecttonet: "));
    CHECK(has(outcome.err, wrong + ":4:34: /channels/A/propagatetochannels: "));
    CHECK(has(outcome.err, "control"));
    CHECK(runServer({"-t", scratch.file("missing.json")}).status == 2);
    // It starts nothing.
    CHECK(runServer({"-t", fine, "--rundir", scratch.file("run")}).status == 0);
    CHECK_FALSE(fs::exists(scratch.file("run")));
}

TEST_CASE("-t says in a warning what loads but is unwise") {
    Scratch scratch;
    const std::string file = scratch.write(
        "old.json",
        R"({"addr": "224.0.0.0", "channels": {"control": {"propagatetochannels": ".*"}}})");
    const Outcome outcome = runServer({"-t", file});
    CHECK(outcome.status == 0);
    CHECK(has(outcome.err, "/addr: "));
    CHECK(has(outcome.err, "/channels/control/propagatetochannels: "));
}

TEST_CASE("a bad configuration: exit 2, every problem on standard error, nothing opened") {
    Place place;
    const Outcome outcome = place.start(bad);
    CHECK(outcome.status == 2);
    CHECK(has(outcome.err, ":2:3: /conecttonet: "));
    CHECK(has(outcome.err, ":4:34: /channels/A/propagatetochannels: "));
    CHECK(has(outcome.err, "control"));
    CHECK(outcome.out == "");
    CHECK_FALSE(fs::exists(place.socket("A")));
}

TEST_CASE("usage: version and help exit 0, what is unknown exits 2") {
    const Outcome version = runServer({"--version"});
    CHECK(version.status == 0);
    CHECK(version.out.starts_with("ncserver "));
    const Outcome help = runServer({"--help"});
    CHECK(help.status == 0);
    for (const char* option :
         {"--rundir", "--log-level", "--log-file", "--pid-file", "--version", "-t", "-c"}) {
        CHECK(has(help.out, option));
    }
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--nonsense"},
                                                      {"a.json", "b.json"},
                                                      {"a.json", "-c", "b.json"},
                                                      {"--log-level", "loud"},
                                                      {"-c"}}) {
        const Outcome outcome = runServer(arguments);
        CHECK(outcome.status == 2);
        CHECK(outcome.err + outcome.out != "");
    }
}

TEST_CASE("commands of the Windows service: exit 2, naming what does it here") {
    for (const char* command : {"install", "start", "run"}) {
        const Outcome outcome = runServer({command});
        CHECK(outcome.status == 2);
        CHECK(has(outcome.err, command));
        CHECK(has(outcome.err, "systemctl"));
    }
}

TEST_CASE("the configuration is looked up: argument, then $NETCLUSTER_CONFIG") {
    Scratch scratch;
    const std::string fine = scratch.write("good.json", good);
    const std::string wrong = scratch.write("bad.json", bad);
    const Spawn toWrong{.environment = {{"NETCLUSTER_CONFIG", wrong}}};
    const Spawn toFine{.environment = {{"NETCLUSTER_CONFIG", fine}}};
    CHECK(runServer({"-t"}, toWrong).status == 2);
    CHECK(runServer({"-t"}, toFine).status == 0);
    CHECK(has(runServer({"-t"}, toFine).out, fine));
    CHECK(runServer({"-t", fine}, toWrong).status == 0);
    CHECK(runServer({"-t", "-c", wrong}, toFine).status == 2);
    if (!fs::exists("/etc/netcluster/config.json")) {
        const Outcome beside = runServer({"-t"});  // the default beside the binary
        CHECK(beside.status == 0);
        CHECK(has(beside.out, fs::path(serverPath()).parent_path().string()));
    }
}

TEST_CASE("a relative configuration path is the same file at reload") {
    Scratch scratch;
    scratch.write("config.json", good);
    const fs::path before = fs::current_path();
    fs::current_path(scratch.path());
    Process process({serverPath(), "config.json", "--rundir", scratch.file("run")});
    fs::current_path(before);
    REQUIRE(process.err.waitFor(" ready: "));
    JsonClient control(scratch.file("run/control.sock"));
    CHECK(control.ask("reloadconfig").at("file") == scratch.file("config.json"));
    process.signal(SIGTERM);
    CHECK(process.wait() == 0);
}

TEST_CASE("a run directory in use: exit 1, naming the pid; the one that runs is not disturbed") {
    Daemon daemon(good);
    JsonClient listener(daemon.socket("A"));
    const Outcome second = runServer({"-c", daemon.configFile(), "--rundir", daemon.runDir()});
    CHECK(second.status == 1);
    CHECK(has(second.err, "pid " + std::to_string(daemon.process().pid())));
    CHECK(has(second.err, daemon.runDir()));
    JsonClient emitter(daemon.socket("A"));
    emitter.emit("still");
    CHECK(listener.nextEvent().event == "still");
}

TEST_CASE("a socket somebody else serves: exit 1, naming the pid; it is not touched") {
    Place place;
    const Bound other(place.socket("A"), true);
    struct stat before {};
    stat(place.socket("A").c_str(), &before);
    const Outcome outcome = place.start(good);
    CHECK(outcome.status == 1);
    CHECK(has(outcome.err, place.socket("A")));
    CHECK(has(outcome.err, "pid " + std::to_string(getpid())));
    struct stat after {};
    REQUIRE(stat(place.socket("A").c_str(), &after) == 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK_FALSE(fs::exists(place.socket("B")));
    CHECK_FALSE(fs::exists(place.socket("control")));
}

TEST_CASE("stale sockets are replaced: of nobody, and of a daemon that was killed") {
    Place place;
    { const Bound stale(place.socket("A"), false); }
    REQUIRE(fs::exists(place.socket("A")));
    {
        Daemon daemon(good, {.runDir = place.run()});
        JsonClient listener(daemon.socket("A"));
        JsonClient emitter(daemon.socket("A"));
        emitter.emit("x");
        CHECK(listener.nextEvent().event == "x");
    }
    {
        const std::string config = place.scratch.write("config.json", good);
        Process killed({serverPath(), config, "--rundir", place.run()});
        REQUIRE(killed.err.waitFor(" ready: "));
        killed.signal(SIGKILL);
        CHECK(killed.wait() == 128 + SIGKILL);
    }
    CHECK(fs::exists(place.socket("A")));
    Daemon daemon(good, {.runDir = place.run()});
    JsonClient(daemon.socket("A")).emit("x");
}

TEST_CASE("what is no socket is refused and left alone") {
    Place place;
    SUBCASE("a file") {
        std::ofstream(place.socket("A")) << "precious";
    }
    SUBCASE("a directory") {
        fs::create_directory(place.socket("A"));
    }
    SUBCASE("a link to a file") {
        std::ofstream(place.scratch.file("precious")) << "precious";
        fs::create_symlink(place.scratch.file("precious"), place.socket("A"));
    }
    SUBCASE("a link to nowhere") {
        fs::create_symlink(place.scratch.file("nowhere"), place.socket("A"));
    }
    const Outcome outcome = place.start(good);
    CHECK(outcome.status == 1);
    CHECK(has(outcome.err, place.socket("A")));
    CHECK(fs::exists(fs::symlink_status(place.socket("A"))));
    CHECK_FALSE(fs::exists(place.scratch.file("nowhere")));
    if (fs::is_regular_file(place.socket("A"))) CHECK(contents(place.socket("A")) == "precious");
    CHECK_FALSE(fs::exists(place.socket("control")));
}

TEST_CASE("a run directory that cannot be trusted is refused") {
    Scratch scratch;
    const std::string config = scratch.write("config.json", good);
    const std::string run = scratch.file("run");
    SUBCASE("a file") {
        scratch.write("run", "");
    }
    SUBCASE("others may write to it") {
        fs::create_directory(run);
        fs::permissions(run, fs::perms::all);
    }
    SUBCASE("a link to a directory") {
        fs::create_directory(scratch.file("elsewhere"));
        fs::create_directory_symlink(scratch.file("elsewhere"), run);
    }
    SUBCASE("another user's") {
        if (geteuid() != 0) return;
        fs::create_directory(run);
        REQUIRE(chown(run.c_str(), 12345, 12345) == 0);
    }
    const Outcome outcome = runServer({config, "--rundir", run});
    CHECK(outcome.status == 1);
    CHECK(has(outcome.err, run));
}

TEST_CASE("a path too long for a socket: exit 1, naming it") {
    Scratch scratch;
    const std::string run = scratch.file(std::string(100, 'd'));
    const Outcome outcome = runServer({scratch.write("config.json", good), "--rundir", run});
    CHECK(outcome.status == 1);
    CHECK(has(outcome.err, run));
    CHECK(has(outcome.err, "longer"));
}

TEST_CASE("a group that does not exist: exit 1, naming it; no socket stays") {
    Place place;
    const Outcome outcome = place.start(localConfig(R"("A": {}, "B": {"group": "no-such-group"})"));
    CHECK(outcome.status != 0);
    CHECK(has(outcome.err, "no-such-group"));
    CHECK_FALSE(fs::exists(place.socket("A")));
}

TEST_CASE("socket modes: 0660, what the configuration says, and 0600 for control") {
    Daemon daemon(good);
    CHECK(modeOf(daemon.socket("A")) == 0660);
    CHECK(modeOf(daemon.socket("B")) == 0600);
    CHECK(modeOf(daemon.socket("control")) == 0600);
    CHECK((modeOf(daemon.runDir()) & 0022) == 0);
}

TEST_CASE("the run directory is $NETCLUSTER_DIR when no option says otherwise") {
    Scratch scratch;
    const std::string config = scratch.write("config.json", good);
    Process process({serverPath(), config},
                    {.environment = {{"NETCLUSTER_DIR", scratch.file("run")}}});
    REQUIRE(process.err.waitFor(" ready: "));
    JsonClient control(scratch.file("run/control.sock"));
    CHECK(control.ask("stats").at("rundir") == scratch.file("run"));
    process.signal(SIGINT);
    CHECK(process.wait() == 0);
    CHECK_FALSE(fs::exists(scratch.file("run/control.sock")));
}

TEST_CASE("the pid file is there while it runs, and gone after") {
    Scratch scratch;
    const std::string path = scratch.file("pid");
    Daemon daemon(good, {.arguments = {"--pid-file", path}});
    CHECK(contents(path) == std::to_string(daemon.process().pid()) + "\n");
    CHECK(daemon.stop() == 0);
    CHECK_FALSE(fs::exists(path));

    const Outcome outcome = runServer({daemon.configFile(), "--rundir", daemon.runDir(),
                                       "--pid-file", scratch.file("no/such/place")});
    CHECK(outcome.status == 1);
    CHECK(has(outcome.err, scratch.file("no/such/place")));
    CHECK_FALSE(fs::exists(daemon.socket("A")));
}

TEST_CASE("--log-file takes the log, --log-level its measure") {
    Scratch scratch;
    const std::string path = scratch.file("log");
    const std::string config = scratch.write("config.json", good);
    Process process({serverPath(), config, "--rundir", scratch.file("run"), "--log-file", path,
                     "--pid-file", scratch.file("pid")});
    // Standard error says nothing, so connecting tells that it is ready.
    const auto until = Clock::now() + patience();
    while (!fs::exists(scratch.file("pid")) && Clock::now() < until) std::this_thread::yield();
    JsonClient control(scratch.file("run/control.sock"));
    CHECK(control.ask("stats").contains("pid"));
    process.signal(SIGTERM);
    CHECK(process.wait() == 0);
    CHECK(process.err.text() == "");
    CHECK(has(contents(path), " ready: "));
    CHECK(has(contents(path), "stopped"));

    Process quiet({serverPath(), config, "--rundir", scratch.file("run"), "--log-level", "error",
                   "--pid-file", scratch.file("pid")});
    while (!fs::exists(scratch.file("pid")) && Clock::now() < until) std::this_thread::yield();
    quiet.signal(SIGTERM);
    CHECK(quiet.wait() == 0);
    CHECK(quiet.err.text() == "");
}

TEST_CASE("a log that cannot be written does not stop the daemon") {
    Scratch scratch;
    const std::string config =
        scratch.write("config.json", localConfig(R"("A": {"dumptoconsole": true})"));
    Process process({serverPath(), config, "--rundir", scratch.file("run"), "--log-file",
                     "/dev/full", "--pid-file", scratch.file("pid")});
    const auto until = Clock::now() + patience();
    while (!fs::exists(scratch.file("pid")) && Clock::now() < until) std::this_thread::yield();
    JsonClient listener(scratch.file("run/A.sock"));
    JsonClient emitter(scratch.file("run/A.sock"));
    for (int n = 0; n < 1000; ++n) emitter.emit("n", std::to_string(n));
    for (int n = 0; n < 1000; ++n) REQUIRE(listener.nextEvent().data == std::to_string(n));
    process.signal(SIGTERM);
    CHECK(process.wait() == 0);
}

TEST_CASE("a healthy daemon is silent: start, stop and nothing between") {
    Daemon daemon(good);
    const std::size_t start = daemon.log().size();
    {
        for (const Encoding encoding : bothEncodings) {
            auto listener = connect(encoding, daemon.socket("A"));
            auto emitter = connect(encoding, daemon.socket("A"));
            for (int n = 0; n < 100; ++n) emitter->emit("n");
            for (int n = 0; n < 100; ++n) CHECK(listener->nextEvent().event == "n");
        }
        daemon.ask("stats");
    }
    CHECK(daemon.log().size() == start);
}

TEST_CASE("dumptoconsole logs events of that channel, cut and escaped") {
    Daemon daemon(localConfig(R"("A": {"dumptoconsole": true}, "B": {})"));
    JsonClient quiet(daemon.socket("B"));
    JsonClient quietListener(daemon.socket("B"));
    quiet.emit("not shown");
    quietListener.nextEvent();
    JsonClient emitter(daemon.socket("A"));
    emitter.emit("first\x1b[2Jname", Json(std::string(5000, 'y')).dump());
    emitter.emit("second");
    daemon.awaitLog("second");
    const std::string log = daemon.log();
    CHECK_FALSE(has(log, "not shown"));
    CHECK(has(log, "A: first\\x1b[2Jname"));
    CHECK_FALSE(has(log, "\x1b"));
    CHECK(has(log, std::string(200, 'y')));
    CHECK_FALSE(has(log, std::string(300, 'y')));
}

TEST_CASE("SIGTERM: clients get what is queued for them, then the end; sockets go") {
    Daemon daemon(localConfig(R"("A": {})"));
    BinaryClient emitter(daemon.socket("A"), {});
    JsonClient json(daemon.socket("A"));
    BinaryClient binary(daemon.socket("A"));
    const std::string kilobyte = Json(std::string(1000, 'x')).dump();
    constexpr int count = 2000;  // 2 MB: more than the kernel holds
    for (int n = 0; n < count; ++n) emitter.emit("n", kilobyte);
    emitter.sync();
    daemon.process().signal(SIGTERM);
    const auto start = Clock::now();
    for (int n = 0; n < count; ++n) {
        REQUIRE(json.nextEvent().event == "n");
        REQUIRE(binary.nextEvent().event == "n");
    }
    CHECK(json.reasonOfEnd() == "the daemon stops");
    CHECK(binary.reasonOfEnd() == "the daemon stops");
    CHECK(emitter.reasonOfEnd() == "the daemon stops");
    CHECK(daemon.process().wait() == 0);
    CHECK(Clock::now() - start < std::chrono::seconds(4) * slowness());
    for (const char* channel : {"A", "control"}) CHECK_FALSE(fs::exists(daemon.socket(channel)));
}

TEST_CASE("SIGTERM: one that does not read holds up the end for 2 s and no more") {
    Daemon daemon(localConfig(R"("A": {})"));
    BinaryClient emitter(daemon.socket("A"), {});
    JsonClient never(daemon.socket("A"));
    const std::string kilobyte = Json(std::string(1000, 'x')).dump();
    for (int n = 0; n < 2000; ++n) emitter.emit("n", kilobyte);
    emitter.sync();
    const auto start = Clock::now();
    CHECK(daemon.stop() == 0);
    CHECK(Clock::now() - start < std::chrono::seconds(3) * slowness());
}

TEST_CASE("stopping with idle clients is immediate") {
    Daemon daemon(good);
    std::vector<std::unique_ptr<Client>> clients;
    for (int n = 0; n < 50; ++n)
        clients.push_back(connect(bothEncodings[n % 2], daemon.socket("A")));
    const auto start = Clock::now();
    CHECK(daemon.stop() == 0);
    CHECK(Clock::now() - start < std::chrono::seconds(1) * slowness());
}

TEST_CASE("signals at any moment of the start end in a clean stop or a reload, never in a crash") {
    Scratch scratch;
    const std::string config = scratch.write("config.json", good);
    for (int round = 0; round < 10; ++round) {
        Process process({serverPath(), config, "--rundir", scratch.file("run"), "--pid-file",
                         scratch.file("pid")});
        REQUIRE(process.err.waitFor(" ready: "));
        process.signal(SIGHUP);
        process.signal(SIGTERM);
        CHECK(process.wait() == 0);
        CHECK_FALSE(fs::exists(scratch.file("run/A.sock")));
        CHECK_FALSE(fs::exists(scratch.file("pid")));
    }
}

TEST_CASE("the 1.x path is a link to the channel while the daemon runs, where it may be made") {
    const std::string name = "legacy-" + std::to_string(getpid());
    const std::string legacy = "/run/netcluster-" + name;
    if (access("/run", W_OK) != 0) {
        MESSAGE("skipped: /run may not be written here, so there is no 1.x path");
        return;
    }
    const std::string config = localConfig("\"" + name + "\": {}, \"B\": {}");
    SUBCASE("made, working, removed") {
        Daemon daemon(config);
        REQUIRE(fs::is_symlink(legacy));
        CHECK(fs::read_symlink(legacy) == daemon.socket(name));
        JsonClient listener(legacy);
        JsonClient emitter(legacy);
        emitter.emit("old");
        CHECK(listener.nextEvent().event == "old");
        CHECK(daemon.stop() == 0);
        CHECK_FALSE(fs::exists(fs::symlink_status(legacy)));
    }
    SUBCASE("a link to nowhere is replaced") {
        fs::create_symlink("/tmp/no/such/socket", legacy);
        Daemon daemon(config);
        CHECK(fs::read_symlink(legacy) == daemon.socket(name));
    }
    SUBCASE("what is not a link is left alone") {
        std::ofstream(legacy) << "precious";
        {
            Daemon daemon(config);
            CHECK(fs::is_regular_file(legacy));
        }
        CHECK(contents(legacy) == "precious");
        fs::remove(legacy);
    }
    SUBCASE("another daemon's link is left alone") {
        Daemon first(config);
        {
            Daemon second(config);
            CHECK(fs::read_symlink(legacy) == first.socket(name));
            JsonClient(second.socket(name)).emit("x");
        }
        CHECK(fs::read_symlink(legacy) == first.socket(name));
    }
    SUBCASE("it goes with its channel at a reload") {
        Daemon daemon(config);
        REQUIRE(fs::is_symlink(legacy));
        daemon.ask("reloadconfig", Json::parse(localConfig(R"("B": {})")));
        CHECK_FALSE(fs::exists(fs::symlink_status(legacy)));
        daemon.ask("reloadconfig", Json::parse(config));
        CHECK(fs::is_symlink(legacy));
    }
}
