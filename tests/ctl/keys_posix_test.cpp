// Key files on POSIX: who may read them is in their mode.
#include <sys/stat.h>

#include "key_support.hpp"

namespace netcluster::ctl {

TEST_CASE("a key that others may read is not taken") {
    const KeyFolder folder;
    const auto file = folder.write("key", key);
    REQUIRE(::chmod(file.c_str(), 0644) == 0);
    Desk desk;
    CHECK(desk.run({"keys", "add", "1", file}) == Status::failed);
    CHECK(desk.err.str() ==
          "ncctl: " + file + ": others may read or write it (mode 0644); it must be 0600\n");
}

TEST_CASE("genkey makes a file of mode 0600") {
    const KeyFolder folder;
    Desk desk;
    REQUIRE(desk.run({"genkey", "--file", folder.file("keys.json")}) == Status::done);
    struct stat status {};
    REQUIRE(::stat(folder.file("keys.json").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
}

}  // namespace netcluster::ctl
