// Who may read a key file on a POSIX system, and what else a path can lead to.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "key_testing.hpp"
#include "keyring.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;

namespace fs = std::filesystem;

namespace {

mode_t modeOf(const std::string& file) {
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

std::string written(const Folder& folder, const std::string& name, const std::string& text,
                    mode_t mode) {
    const std::string file = folder.write(name, text);
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    return file;
}

Keyring ringOfOne() {
    Keyring ring;
    ring.add(1, Keyring::makeKey());
    return ring;
}

}  // namespace

TEST_CASE("what is saved only its owner may read, whoever could before") {
    const Folder folder;
    const std::string file = written(folder, "keys.json", "", 0644);
    ringOfOne().save(file);
    CHECK(modeOf(file) == 0600);
}

TEST_CASE("keys that are saved to a link replace the file at its end") {
    const Folder folder;
    const std::string file = folder.write("real.json", "");
    const std::string link = folder.path / "link.json";
    fs::create_symlink("real.json", link);
    const Keyring ring = ringOfOne();
    ring.save(link);
    CHECK(fs::is_symlink(link));
    CHECK(Keyring::load(file) == ring);
}

TEST_CASE("a key file that others may read or write is refused") {
    const Folder folder;
    const std::string text = list({entry("1", one, "tx")});
    for (const mode_t mode : {0400, 0600, 0700}) {
        CHECK_NOTHROW(Keyring::load(written(folder, "keys", text, mode)));
    }
    for (const mode_t mode : {0640, 0620, 0604, 0602, 0666}) {
        const std::string file = written(folder, "keys", text, mode);
        CHECK(whyNot([&] {
                  Keyring::load(file);
              }).starts_with(file + ": others may read or write it (mode 0"));
    }
}

TEST_CASE("a key file of another user is refused" * doctest::skip(::geteuid() != 0)) {
    const Folder folder;
    const std::string file = folder.write("keys", list({entry("1", one, "tx")}));
    REQUIRE(::chown(file.c_str(), 12345, 0) == 0);
    CHECK(whyNot([&] { Keyring::load(file); }) ==
          file + ": belongs to user 12345, not to root or to the user who runs this");
}

TEST_CASE("what is no key file at all is refused without waiting for anybody") {
    const Folder folder;
    const std::string missing = folder.path / "missing";
    CHECK(whyNot([&] { Keyring::load(missing); }) ==
          missing + ": cannot be opened: No such file or directory");
    const std::string pipe = folder.path / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(whyNot([&] { Keyring::load(pipe); }) == pipe + ": is no regular file");
    CHECK(whyNot([&] { Keyring::load("/dev/zero"); }) == "/dev/zero: is no regular file");
    CHECK(whyNot([&] { Keyring::load(folder.path); }) ==
          folder.path.string() + ": is no regular file");
    const std::string large = folder.write("large", std::string(maxKeyFile + 1, ' '));
    CHECK(whyNot([&] { Keyring::load(large); }) == large + ": is larger than 64 KiB");
}
