// What the transport promises on POSIX beside the battery: modes, links, descriptors.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "support.hpp"

namespace netcluster::local {
namespace {

namespace fs = std::filesystem;

struct Here : Place {
    std::string path(const std::string& name = "A.sock") const { return dir.file(name); }
};

}  // namespace

TEST_CASE_FIXTURE(Pair, "the peer's identity is the kernel's word") {
    const auto peer = server->peer();
    REQUIRE(peer);
    CHECK(*peer == Peer{getpid(), geteuid(), getegid()});
}

TEST_CASE_FIXTURE(Pair, "programs that are exec'd do not inherit a connection") {
    for (int descriptor = 3; descriptor < 256; ++descriptor) {
        struct stat status {};
        if (fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
        CHECK((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    }
}

TEST_CASE_FIXTURE(Here, "connecting where nobody listens says where and why") {
    CHECK(connectTo(io, path()).error == path() + ": No such file or directory");
    const std::string tooLong = path(std::string(120, 'x'));
    CHECK(connectTo(io, tooLong).error.find("longer than a socket's path") != std::string::npos);
    CHECK(whyNot([&] { Acceptor(io, tooLong, {}); }).find("longer than the 107 bytes") !=
          std::string::npos);
}

TEST_CASE_FIXTURE(Here, "an endpoint has its mode from the start, and a new one on request") {
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

TEST_CASE_FIXTURE(Here, "a stale endpoint is replaced; what is no socket is not touched") {
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

TEST_CASE_FIXTURE(Here, "a run directory is made, checked and locked") {
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

TEST_CASE_FIXTURE(Here, "the 1.x path is a link for as long as the channel lives") {
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
        CHECK(runDirectory() == systemDirectory());
        CHECK(searchDirectories("") == std::vector<std::string>{systemDirectory()});
    } else {
        setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
        CHECK(runDirectory() == "/run/user/7/netcluster");
        CHECK(searchDirectories("") ==
              std::vector<std::string>{"/run/user/7/netcluster", systemDirectory()});
        unsetenv("XDG_RUNTIME_DIR");
        setenv("HOME", "/home/x", 1);
        CHECK(runDirectory() == "/home/x/.netcluster/run");
    }
    CHECK(endpointPath("/d", "A") == "/d/A.sock");
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
