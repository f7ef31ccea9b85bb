// Who may read a file of secrets on Windows. Wine keeps of an access list what a mode can say, so
// what is asked for is looked at as well, in the system's own notation.
#include "secret_file.hpp"

#include <aclapi.h>
#include <doctest/doctest.h>
#include <sddl.h>
#include <windows.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <netcluster/error.hpp>

#include "access_windows.hpp"
#include "handle_windows.hpp"
#include "path_text.hpp"
#include "read_file.hpp"
#include "support.hpp"

namespace netcluster::config::test {

namespace {

namespace fs = std::filesystem;

void setAccess(const fs::path& path, const wchar_t* sddl) {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    REQUIRE(::ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1,
                                                                   &descriptor, nullptr));
    REQUIRE(::SetFileSecurityW(path.c_str(), DACL_SECURITY_INFORMATION, descriptor));
    ::LocalFree(descriptor);
}

std::string others(const fs::path& path) {
    const Handle file(
        ::CreateFileW(path.c_str(), READ_CONTROL, 0, nullptr, OPEN_EXISTING, 0, nullptr));
    REQUIRE(static_cast<bool>(file));
    return othersWithAccess(file.get());
}

template <typename Act>
std::string whyNot(Act act) {
    try {
        act();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing";
}

std::string readAnyhow(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::ptrdiff_t filesBeside(const fs::path& path) {
    return std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator());
}

}  // namespace

TEST_CASE(
    "a secret is for the system, the administrators and who made it, whatever the folder says") {
    const std::wstring access = privateAccess();
    CHECK(access.starts_with(L"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;" +
                             std::wstring(daemonIdentity) + L")"));
    CHECK(std::count(access.begin(), access.end(), L'(') <= 4);

    const TemporaryDirectory directory;
    const fs::path path = directory.file("secret");
    createSecretFile(path.string(), "text");
    CHECK(others(path) == "");
    CHECK(readSecretFile(path.string(), 4) == "text");
    CHECK(whyNot([&] { readSecretFile(path.string(), 3); }) ==
          path.string() + ": is larger than 0 KiB");
}

TEST_CASE("a secret that others may read or write is refused, and what to do is said") {
    const TemporaryDirectory directory;
    const fs::path path = directory.write("secret", "text");
    for (const wchar_t* open :
         {L"D:P(A;;FA;;;SY)(A;;FR;;;WD)", L"D:P(A;;FA;;;SY)(A;;FW;;;WD)", L"D:P(A;;FA;;;WD)"}) {
        setAccess(path, open);
        const std::string why = whyNot([&] { readSecretFile(path.string(), 100); });
        CHECK(why.starts_with(path.string() + ": others may read or write it ("));
        CHECK(why.find("icacls \"" + path.string() + "\" /inheritance:r") != std::string::npos);
        CHECK(why.find("text") == std::string::npos);
    }
    setAccess(path, privateAccess().c_str());
    CHECK(readSecretFile(path.string(), 100) == "text");
}

TEST_CASE("a secret that is replaced is private, and nothing is left beside it") {
    const TemporaryDirectory directory;
    const fs::path path = directory.write("secret", "old");
    setAccess(path, L"D:P(A;;FA;;;WD)");
    replaceSecretFile(path.string(), "new text");
    CHECK(readSecretFile(path.string(), 100) == "new text");
    CHECK(filesBeside(path) == 1);

    const fs::path fresh = directory.file("fresh");
    replaceSecretFile(fresh.string(), "first");
    CHECK(readSecretFile(fresh.string(), 100) == "first");
    const std::string nowhere = (directory.file("no folder") / "secret").string();
    CHECK(whyNot([&] {
              replaceSecretFile(nowhere, "x");
          }).starts_with(nowhere + ": cannot be replaced: "));
}

TEST_CASE("a secret that is there is not made anew") {
    const TemporaryDirectory directory;
    const fs::path path = directory.write("secret", "old");
    CHECK(whyNot([&] {
              createSecretFile(path.string(), "new");
          }).starts_with(path.string() + ": cannot be made: "));
    CHECK(readAnyhow(path) == "old");
}

TEST_CASE("letters beyond ASCII in a name are those of the file") {
    const TemporaryDirectory directory;
    const fs::path path = directory.file("") / L"schl\u00FCssel \u20AC";
    const std::string text = textOfPath(path);
    CHECK(text.ends_with("schl\xC3\xBCssel \xE2\x82\xAC"));
    CHECK(pathFromText(text) == path);
    createSecretFile(text, "text");
    CHECK(readSecretFile(text, 100) == "text");
    CHECK(readFile(path, 100).text == "text");
    CHECK(whyNot([&] { readSecretFile(text, 1); }).starts_with(text));
}

TEST_CASE("what is no file at all is refused") {
    const TemporaryDirectory directory;
    CHECK(whyNot([&] {
              readSecretFile(directory.file("missing").string(), 100);
          }).starts_with(directory.file("missing").string() + ": cannot be opened: "));
    fs::create_directory(directory.file("folder"));
    CHECK(whyNot([&] { readSecretFile(directory.file("folder").string(), 100); }) ==
          directory.file("folder").string() + ": is no regular file");
}

TEST_CASE("a named pipe is refused at once, though nobody writes to it") {
    const std::wstring name =
        L"\\\\.\\pipe\\netcluster-config-test-" + std::to_wstring(::GetCurrentProcessId());
    const Handle pipe(::CreateNamedPipeW(name.c_str(), PIPE_ACCESS_DUPLEX,
                                         PIPE_TYPE_BYTE | PIPE_NOWAIT, 2, 0, 0, 0, nullptr));
    REQUIRE(static_cast<bool>(pipe));
    CHECK(readFile(name, 100).whyNot == "is a named pipe, not a regular file");
}

TEST_CASE("a configuration that every user may write to is known to be") {
    const TemporaryDirectory directory;
    const fs::path path = directory.write("open.json", "{}");
    setAccess(path, L"D:P(A;;FA;;;WD)");
    CHECK(readFile(path, 100).openToAll);
    setAccess(path, L"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;WD)");
    CHECK_FALSE(readFile(path, 100).openToAll);
}

}  // namespace netcluster::config::test
