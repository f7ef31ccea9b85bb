// What else a path can lead to on a POSIX system. None of it may make load() wait.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "support.hpp"

namespace fs = std::filesystem;

namespace netcluster::config::test {

namespace {

const std::string whole = R"({"channels": {"control": {}}})";

}  // namespace

TEST_CASE("a named pipe is refused at once, though nobody writes to it") {
    const TemporaryDirectory directory;
    const auto path = directory.file("pipe");
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(lines(load(path).problems) == path.string() + ": is a named pipe, not a regular file\n");
}

TEST_CASE("a device is refused, though /dev/zero would never end") {
    CHECK(lines(load("/dev/zero").problems) == "/dev/zero: is a device, not a regular file\n");
    CHECK(lines(load("/dev/null").problems) == "/dev/null: is a device, not a regular file\n");
}

TEST_CASE("a socket is refused") {
    const TemporaryDirectory directory;
    const auto path = directory.file("s");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.string().size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    CHECK(lines(load(path).problems) == path.string() + ": is a socket, not a regular file\n");
    ::close(listener);
}

TEST_CASE("a link is followed to the file, and one that leads nowhere or in a circle is refused") {
    const TemporaryDirectory directory;
    directory.write("real.json", whole);
    fs::create_symlink("real.json", directory.file("link.json"));
    CHECK(load(directory.file("link.json")).settings);

    fs::create_symlink("circle.json", directory.file("circle.json"));
    CHECK(lines(load(directory.file("circle.json")).problems).find("cannot be opened: ") !=
          std::string::npos);

    const auto toPipe = directory.file("to-pipe");
    REQUIRE(::mkfifo(directory.file("pipe").c_str(), 0600) == 0);
    fs::create_symlink("pipe", toPipe);
    CHECK(lines(load(toPipe).problems) ==
          toPipe.string() + ": is a named pipe, not a regular file\n");
}

TEST_CASE("a file that may not be read is refused") {
    const TemporaryDirectory directory;
    const auto path = directory.write("secret.json", whole);
    REQUIRE(::chmod(path.c_str(), 0) == 0);
    const bool readable = ::access(path.c_str(), R_OK) == 0;  // root may read everything
    const auto parsed = load(path);
    CHECK(parsed.settings.has_value() == readable);
    if (!readable) CHECK(lines(parsed.problems).find("cannot be opened: ") != std::string::npos);
}

TEST_CASE("a file that every user may write to is a warning") {
    const TemporaryDirectory directory;
    const auto path = directory.write("open.json", whole);
    REQUIRE(::chmod(path.c_str(), 0666) == 0);
    CHECK(lines(load(path).warnings) ==
          path.string() + ": every user of this host may write to it\n");
    REQUIRE(::chmod(path.c_str(), 0644) == 0);
    CHECK(load(path).warnings.empty());
}

}  // namespace netcluster::config::test
