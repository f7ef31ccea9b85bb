// Key files on Windows: who may read them is in their access list.
#include <windows.h>

#include <sddl.h>

#include "key_support.hpp"

namespace netcluster::ctl {

TEST_CASE("a key that others may read is not taken") {
    const KeyFolder folder;
    const auto file = folder.write("key", key);
    void* descriptor = nullptr;
    REQUIRE(ConvertStringSecurityDescriptorToSecurityDescriptorA(
        "D:P(A;;FA;;;BA)(A;;FA;;;SY)(A;;FR;;;WD)", SDDL_REVISION_1, &descriptor, nullptr));
    REQUIRE(SetFileSecurityA(file.c_str(), DACL_SECURITY_INFORMATION, descriptor));
    LocalFree(descriptor);
    Desk desk;
    CHECK(desk.run({"keys", "add", "1", file}) == Status::failed);
    CHECK(desk.err.str().starts_with("ncctl: " + file + ": others may read or write it ("));
}

}  // namespace netcluster::ctl
