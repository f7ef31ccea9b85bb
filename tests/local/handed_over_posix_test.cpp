// Endpoints that were open before the process was.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <netcluster/error.hpp>
#include <optional>

#include "acceptor.hpp"
#include "handed_over.hpp"
#include "support.hpp"

namespace netcluster::local {
namespace {

namespace fs = std::filesystem;

struct HandedOver : Place {
    std::string path(const std::string& name = "control.sock") const { return dir.file(name); }

    /// As a service manager makes one.
    int bound(const std::string& at, int type = SOCK_STREAM, bool listening = true) const {
        const int descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, at.c_str(), at.size() + 1);
        REQUIRE(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        if (listening) REQUIRE(listen(descriptor, 5) == 0);
        return descriptor;
    }

    /// A client that connects is accepted, and sees who serves it.
    bool serves(Acceptor& acceptor) {
        std::optional<Stream> server;
        acceptor.start([&](Stream stream) { server.emplace(std::move(stream)); },
                       [](const std::string&) {});
        const Connected client = connectTo(io, acceptor.endpoint());
        REQUIRE(client.stream);
        until([&] { return server.has_value(); });
        return client.stream->peer()->pid == getpid();
    }
};

mode_t modeOf(const std::string& path) {
    struct stat status {};
    REQUIRE(lstat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
}

bool unused(const std::string& path) {
    const auto paths = unusedHandedOver();
    return std::find(paths.begin(), paths.end(), path) != paths.end();
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_FIXTURE(HandedOver,
                  "an acceptor listens at the socket that was handed over for its path") {
    adopt(bound(path()), "control");
    CHECK(unused(path()));
    Acceptor acceptor(io, path(), {});
    CHECK_FALSE(unused(path()));
    CHECK(serves(acceptor));
}

TEST_CASE_FIXTURE(HandedOver, "a client that came before the daemon is served") {
    adopt(bound(path()), "control");
    const Connected early = connectTo(io, path());
    REQUIRE(early.stream);
    Acceptor acceptor(io, path(), {});
    int accepted = 0;
    acceptor.start([&](Stream) { ++accepted; }, [](const std::string&) {});
    until([&] { return accepted == 1; });
}

TEST_CASE_FIXTURE(HandedOver, "its rights are for whoever made it to set") {
    adopt(bound(path()), "control");
    REQUIRE(chmod(path().c_str(), 0640) == 0);
    Acceptor acceptor(io, path(), {0600, "no-such-group"});
    acceptor.setRights({0666, ""});
    CHECK(modeOf(path()) == 0640);
}

TEST_CASE_FIXTURE(HandedOver, "it stays when the acceptor goes, and another can take it again") {
    adopt(bound(path()), "control");
    { Acceptor first(io, path(), {}); }
    CHECK(fs::is_socket(path()));
    const Connected between = connectTo(io, path());  // waits for the next one
    CHECK(between.stream);
    Acceptor second(io, path(), {});
    CHECK(serves(second));
}

TEST_CASE_FIXTURE(HandedOver, "other paths are bound as ever") {
    adopt(bound(path()), "control");
    { Acceptor other(io, path("A.sock"), {}); }
    CHECK_FALSE(fs::exists(path("A.sock")));
    CHECK(unused(path()));
}

TEST_CASE_FIXTURE(HandedOver, "a socket whose path has gone is refused: no client would find it") {
    adopt(bound(path()), "control");
    fs::remove(path());
    CHECK(has(whyNot([&] { Acceptor(io, path(), {}); }), path() + ": the socket that was handed"));
    CHECK_FALSE(fs::exists(path()));
}

TEST_CASE_FIXTURE(HandedOver,
                  "what is no listening stream socket at a path is refused by its name") {
    const auto refused = [](int descriptor) { return whyNot([&] { adopt(descriptor, "odd"); }); };
    const std::string why = "is not a Unix stream socket that listens at a path";
    CHECK(has(refused(bound(path("datagram"), SOCK_DGRAM, false)), why));
    CHECK(has(refused(bound(path("deaf"), SOCK_STREAM, false)), why));
    CHECK(has(refused(open("/dev/null", O_RDONLY | O_CLOEXEC)), why));
    const int network = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(listen(network, 1) == 0);
    CHECK(has(refused(network), "handed over as \"odd\""));
    CHECK(has(refused(-1), "is not open"));
    CHECK(unused(path("datagram")) == false);
}

TEST_CASE_FIXTURE(HandedOver, "programs that are exec'd do not inherit it") {
    const int handed = bound(path());
    REQUIRE(fcntl(handed, F_SETFD, 0) == 0);
    adopt(handed, "control");
    CHECK((fcntl(handed, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(handedOver(path()).number(), F_GETFD) & FD_CLOEXEC) != 0);
}

}  // namespace netcluster::local
