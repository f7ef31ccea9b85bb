// The transport battery: what every local transport must do, whatever the system.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <netcluster/error.hpp>
#include <thread>

#include "acceptor.hpp"
#include "endpoint.hpp"
#include "stream.hpp"

namespace netcluster::local {
namespace {

namespace fs = std::filesystem;

struct Place {
    boost::asio::io_context io;
    fs::path dir;
    Place() {
        std::string pattern = (fs::temp_directory_path() / "nc-local-XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()));
        dir = pattern;
    }
    ~Place() { fs::remove_all(dir); }

    std::string path(const std::string& name = "A.sock") const { return (dir / name).string(); }

    // Runs the loop until `done`, at most 10 s.
    void until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!done()) {
            REQUIRE(std::chrono::steady_clock::now() < deadline);
            io.restart();
            io.run_one_for(std::chrono::milliseconds(100));
        }
    }
};

// An acceptor, one client connected to it, and both ends.
struct Pair : Place {
    Acceptor acceptor{io, path(), {}};
    std::optional<Stream> server;
    std::optional<Stream> client;
    Pair() {
        acceptor.start([this](Stream stream) { server.emplace(std::move(stream)); },
                       [](const std::string&) {});
        client = std::move(connectTo(io, path()).stream);
        REQUIRE(client);
        until([this] { return server.has_value(); });
    }
};

std::string whyNot(const std::function<void()>& attempt) {
    try {
        attempt();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

std::size_t writeText(Stream& stream, std::string_view text) {
    return stream.write({&text, 1}).count;
}

}  // namespace

TEST_CASE_FIXTURE(Pair, "bytes cross both ways, gathered in order") {
    const std::string_view pieces[] = {"one ", "", "two ", "three"};
    CHECK(client->write(pieces).count == 13);
    char buffer[64];
    const IoResult read = server->read(buffer);
    CHECK(read.outcome == Io::done);
    CHECK(std::string_view(buffer, read.count) == "one two three");
    CHECK(writeText(*server, "back") == 4);
    CHECK(client->read(buffer).count == 4);
}

TEST_CASE_FIXTURE(Pair, "an idle stream says it would block, and a wait ends when bytes come") {
    char buffer[8];
    CHECK(server->read(buffer).outcome == Io::wouldBlock);
    bool ready = false;
    server->waitReadable([&](const boost::system::error_code& error) { ready = !error; });
    writeText(*client, "x");
    until([&] { return ready; });
    CHECK(server->read(buffer).count == 1);
}

TEST_CASE_FIXTURE(Pair, "a full stream says so, and a wait ends when there is room") {
    const std::string much(1 << 20, 'x');
    std::size_t sent = 0;
    IoResult result;
    const std::string_view piece = much;
    while ((result = client->write({&piece, 1})).outcome == Io::done) sent += result.count;
    CHECK(result.outcome == Io::wouldBlock);
    bool room = false;
    client->waitWritable([&](const boost::system::error_code& error) { room = !error; });
    std::vector<char> buffer(sent);
    std::size_t got = 0;
    until([&] {
        const IoResult read = server->read(buffer);
        got += read.count;
        return room;
    });
    CHECK(got > 0);
    CHECK(client->write({&piece, 1}).outcome == Io::done);
}

TEST_CASE_FIXTURE(Pair, "one sees whether the other end reads") {
    CHECK(client->unread() == 0);
    writeText(*client, std::string(1000, 'x'));
    writeText(*client, std::string(1000, 'y'));
    const std::size_t both = client->unread();
    CHECK(both >= 2000);
    char buffer[1000];
    CHECK(server->read(buffer).count == 1000);
    CHECK(client->unread() < both);
}

TEST_CASE_FIXTURE(Pair, "programs that are exec'd do not inherit a connection") {
    for (int descriptor = 3; descriptor < 256; ++descriptor) {
        struct stat status {};
        if (fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
        CHECK((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    }
}

TEST_CASE_FIXTURE(Pair, "a peer that leaves closes the stream at both verbs") {
    char buffer[8];
    client->close();
    CHECK(server->read(buffer).outcome == Io::closed);
    while (server->write(std::array<std::string_view, 1>{"x"}).outcome == Io::done) {
    }
    CHECK(server->write(std::array<std::string_view, 1>{"x"}).outcome == Io::closed);
}

TEST_CASE_FIXTURE(Pair, "closing ends a wait") {
    boost::system::error_code ended;
    bool called = false;
    server->waitReadable([&](const boost::system::error_code& error) {
        called = true;
        ended = error;
    });
    server->close();
    until([&] { return called; });
    CHECK(ended == boost::asio::error::operation_aborted);
}

TEST_CASE_FIXTURE(Pair, "the peer's identity is the kernel's word") {
    const auto peer = server->peer();
    REQUIRE(peer);
    CHECK(*peer == Peer{getpid(), geteuid(), getegid()});
}

TEST_CASE_FIXTURE(Place, "connecting where nobody listens says where and why") {
    CHECK(connectTo(io, path()).error == path() + ": No such file or directory");
    const std::string tooLong = path(std::string(120, 'x'));
    CHECK(connectTo(io, tooLong).error.find("longer than a socket's path") != std::string::npos);
    CHECK(whyNot([&] { Acceptor(io, tooLong, {}); }).find("longer than the 107 bytes") !=
          std::string::npos);
}

TEST_CASE_FIXTURE(Place, "an endpoint has its mode from the start, and a new one on request") {
    Acceptor acceptor(io, path(), {0600, ""});
    const auto mode = [&] {
        struct stat status {};
        REQUIRE(lstat(path().c_str(), &status) == 0);
        return status.st_mode & 0777;
    };
    CHECK(mode() == 0600);
    acceptor.setRights({0660, ""});
    CHECK(mode() == 0660);
    CHECK(whyNot([&] {
              acceptor.setRights({0660, "no-such-group"});
          }) == path() + ": no group named \"no-such-group\"");
}

TEST_CASE_FIXTURE(Place, "a live endpoint is an error that names its owner; it goes on living") {
    Acceptor first(io, path(), {});
    CHECK(whyNot([&] { Acceptor(io, path(), {}); }) ==
          path() + ": another process listens here (pid " + std::to_string(getpid()) + ")");
    CHECK(connectTo(io, path()).stream);
}

TEST_CASE_FIXTURE(Place, "a stale endpoint is replaced; what is no socket is not touched") {
    const pid_t child = fork();
    if (child == 0) {
        boost::asio::io_context own;
        auto* leaked = new Acceptor(own, path(), {});
        (void)leaked;
        _exit(0);  // as if killed: nothing is cleaned up
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(fs::exists(path()));
    CHECK(whyNot([&] { Acceptor(io, path(), {}); }) == "");
    CHECK_FALSE(fs::exists(path()));  // removed with its acceptor

    std::ofstream(path()) << "precious";
    CHECK(whyNot([&] { Acceptor(io, path(), {}); }) ==
          path() + ": is there already and is not a socket");
    fs::remove(path());
    fs::create_symlink("/nowhere/at/all", path());
    CHECK(whyNot([&] { Acceptor(io, path(), {}); }).find("not a socket") != std::string::npos);
    CHECK(fs::is_symlink(path()));
}

TEST_CASE_FIXTURE(Place, "a run directory is made, checked and locked") {
    const std::string run = path("deep/run");
    {
        RunDirectory first(run);
        CHECK(fs::is_directory(run));
        CHECK(whyNot([&] { RunDirectory second(run); }) ==
              run + ": another ncserver runs here (pid " + std::to_string(getpid()) + ")");
    }
    RunDirectory again(run);

    const std::string open = path("open");
    fs::create_directory(open);
    fs::permissions(open, fs::perms::all);
    CHECK(whyNot([&] { RunDirectory d(open); }).find("others may write to it") !=
          std::string::npos);
    const std::string file = path("file");
    std::ofstream(file) << "x";
    CHECK(whyNot([&] { RunDirectory d(file); }) == file + ": is not a directory");
    const std::string link = path("link");
    fs::create_directory_symlink(run, link);
    CHECK(whyNot([&] { RunDirectory d(link); }) == link + ": is not a directory");
}

TEST_CASE_FIXTURE(Place, "the 1.x path is a link for as long as the channel lives") {
    const std::string legacy = path("netcluster-A");
    {
        LegacyLink link(legacy, path(), false);
        CHECK(link.held());
        CHECK(fs::read_symlink(legacy) == path());
    }
    CHECK_FALSE(fs::is_symlink(legacy));

    fs::create_symlink("/nowhere", legacy);  // left over by a daemon that was killed
    {
        LegacyLink link(legacy, path(), false);
        CHECK(fs::read_symlink(legacy) == path());
        std::ofstream(path()) << "alive";
        const LegacyLink other(legacy, path("B.sock"), false);
        CHECK_FALSE(other.held());
        CHECK(fs::read_symlink(legacy) == path());
        const LegacyLink system(legacy, path("C.sock"), true);
        CHECK(system.held());
    }
    std::ofstream(legacy) << "a file of somebody's";
    CHECK_FALSE(LegacyLink(legacy, path(), true).held());
}

TEST_CASE("directories are looked up in the documented order") {
    setenv("NETCLUSTER_DIR", "/somewhere", 1);
    CHECK(runDirectory() == "/somewhere");
    CHECK(searchDirectories("") == std::vector<std::string>{"/somewhere"});
    CHECK(searchDirectories("/given") == std::vector<std::string>{"/given"});
    unsetenv("NETCLUSTER_DIR");
    if (geteuid() == 0) {
        CHECK(runDirectory() == systemDirectory);
        CHECK(searchDirectories("") == std::vector<std::string>{systemDirectory});
    } else {
        setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
        CHECK(runDirectory() == "/run/user/7/netcluster");
        CHECK(searchDirectories("") ==
              std::vector<std::string>{"/run/user/7/netcluster", systemDirectory});
        unsetenv("XDG_RUNTIME_DIR");
        setenv("HOME", "/home/x", 1);
        CHECK(runDirectory() == "/home/x/.netcluster/run");
    }
    CHECK(endpointPath("/d", "A") == "/d/A.sock");
    CHECK(validChannel("A-b_c.9"));
    for (const char* wrong : {"", ".a", "a/b", "a b", "\xC3\xA9"}) CHECK_FALSE(validChannel(wrong));
    CHECK_FALSE(validChannel(std::string(65, 'a')));
}

TEST_CASE("a counter is seen along a stream, until it is gone") {
    Pair pair;
    auto counter = std::make_unique<SharedCounter>();
    REQUIRE(counter->supported());
    counter->set(7);
    REQUIRE(pair.server->writeWith("hello", counter->memory()).count == 5);
    std::string bytes(100, ' ');
    Descriptor received;
    IoResult result = pair.client->read(bytes, received);
    CHECK(result.outcome == Io::done);
    CHECK(bytes.substr(0, result.count) == "hello");
    REQUIRE(received);

    CounterView view;
    CHECK(view.value() == 0);
    REQUIRE(view.attach(received));
    received = {};  // the view needs it no more
    CHECK(view.value() == 7);
    counter->set(8);
    CHECK(view.value() == 8);
    counter.reset();
    CHECK(view.value() == 0);
    view.detach();
    CHECK(view.value() == 0);
}

TEST_CASE("who reads without asking for a descriptor gets none, and leaks none") {
    Pair pair;
    const SharedCounter counter;
    const auto open = [] {
        return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
    };
    const auto before = open();
    std::string bytes(100, ' ');
    for (int n = 0; n < 5; ++n) {
        REQUIRE(pair.client->writeWith("x", counter.memory()).count == 1);
        REQUIRE(pair.server->read(bytes).count == 1);
    }
    CHECK(open() == before);
}

TEST_CASE("only a counter's own memory is looked at") {
    CounterView view;
    CHECK_FALSE(view.attach(Descriptor()));
    CHECK_FALSE(view.attach(Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC))));
    const Descriptor unsealed(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(ftruncate(unsealed.number(), 4096) == 0);
    CHECK_FALSE(view.attach(unsealed));
    CHECK(view.value() == 0);

    // And nobody it is handed to can write it.
    const SharedCounter counter;
    CHECK(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, counter.memory().number(), 0) ==
          MAP_FAILED);
    CHECK(ftruncate(counter.memory().number(), 0) != 0);
    const std::uint64_t forged = 1;
    CHECK(pwrite(counter.memory().number(), &forged, sizeof forged, 0) < 0);
}

TEST_CASE("a view is read while what it shows is exchanged") {
    CounterView view;
    std::atomic<bool> done{false};
    std::atomic<bool> wrong{false};
    std::thread reader([&] {
        while (!done) {
            const std::uint64_t value = view.value();
            if (value != 0 && value != 5) wrong = true;
        }
    });
    for (int n = 0; n < 2000; ++n) {
        SharedCounter counter;
        counter.set(5);
        CHECK(view.attach(counter.memory()));
        CHECK(view.value() == 5);
        view.detach();
    }
    done = true;
    reader.join();
    CHECK_FALSE(wrong);
}

}  // namespace netcluster::local
