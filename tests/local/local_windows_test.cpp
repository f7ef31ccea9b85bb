// What the transport promises on Windows beside the battery: names, rights, locks, other processes.
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "pipe.hpp"
#include "pipe_name.hpp"
#include "security.hpp"
#include "support.hpp"
#include "wide.hpp"

namespace netcluster::local {
namespace {

namespace fs = std::filesystem;

const wchar_t* const childEndpoint = L"NETCLUSTER_TEST_ENDPOINT";

// This program again, running one of the cases for children below; killed with this object.
class Child {
  public:
    Child(const std::string& testCase, const std::string& endpoint) {
        SetEnvironmentVariableW(childEndpoint, wide(endpoint).c_str());
        wchar_t program[MAX_PATH];
        GetModuleFileNameW(nullptr, program, MAX_PATH);
        std::wstring line =
            L"\"" + std::wstring(program) + L"\" -ns -tc=\"" + wide(testCase) + L"\"";
        STARTUPINFOW startup{};
        startup.cb = sizeof startup;
        PROCESS_INFORMATION process{};
        REQUIRE(CreateProcessW(nullptr, line.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr,
                               &startup, &process));
        CloseHandle(process.hThread);
        handle_ = process.hProcess;
        pid_ = process.dwProcessId;
    }
    ~Child() {
        kill();
        CloseHandle(handle_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void kill() {
        TerminateProcess(handle_, 1);
        WaitForSingleObject(handle_, 10000);
    }
    DWORD pid() const { return pid_; }

  private:
    HANDLE handle_ = nullptr;
    DWORD pid_ = 0;
};

void setEnvironment(const wchar_t* name, const wchar_t* value) {
    SetEnvironmentVariableW(name, value);
}

// The access list of a pipe as it is now, in the system's notation.
std::string rightsOf(const std::string& endpoint) {
    const HANDLE pipe = CreateFileW(wide(endpoint).c_str(), GENERIC_READ | READ_CONTROL, 0, nullptr,
                                    OPEN_EXISTING, 0, nullptr);
    REQUIRE(pipe != INVALID_HANDLE_VALUE);
    void* descriptor = nullptr;
    REQUIRE(GetSecurityInfo(pipe, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr,
                            nullptr, nullptr, &descriptor) == ERROR_SUCCESS);
    wchar_t* text = nullptr;
    REQUIRE(ConvertSecurityDescriptorToStringSecurityDescriptorW(
        descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, nullptr));
    std::string result = narrow(text);
    LocalFree(text);
    LocalFree(descriptor);
    CloseHandle(pipe);
    return result;
}

}  // namespace

TEST_CASE("what a thread keeps for itself is whole when it is destroyed") {
    static std::atomic<int> spoilt;
    struct Kept {
        char fill[100];
        Kept() { std::fill(std::begin(fill), std::end(fill), 'k'); }
        ~Kept() {
            // Whoever gets the memory, if it was freed, writes to it.
            for (std::size_t size = 16; size < 1024; size += 8) {
                std::vector<std::string> others(50, std::string(size, 'o'));
            }
            for (const char c : fill) spoilt += c != 'k' ? 1 : 0;
        }
    };
    for (int i = 0; i < 3; ++i) {
        std::thread([] {
            thread_local const Kept kept;
            CHECK(kept.fill[0] == 'k');
        }).join();
    }
    CHECK(spoilt == 0);
}

// -- run in processes of their own, by the cases further down

TEST_CASE("child: sends a word and waits" * doctest::skip()) {
    boost::asio::io_context io;
    const auto stream = std::move(connectTo(io, environment(childEndpoint)).stream);
    REQUIRE(stream);
    const std::string_view word = "alive";
    REQUIRE(const_cast<Stream&>(*stream).write({&word, 1}).count == word.size());
    Sleep(60000);
}

TEST_CASE("child: listens" * doctest::skip()) {
    boost::asio::io_context io;
    Acceptor acceptor(io, environment(childEndpoint), {});
    acceptor.start([](Stream) {}, [](const std::string&) {});
    io.run_for(std::chrono::seconds(60));
}

// -- processes

TEST_CASE_FIXTURE(Pair, "the peer's identity is the kernel's word") {
    for (const auto& end : {&server, &client}) {
        const auto peer = (*end)->peer();
        REQUIRE(peer);
        CHECK(*peer == Peer{GetCurrentProcessId(), {}, {}});
    }
}

TEST_CASE_FIXTURE(Place, "a peer that is killed has closed, and others are served") {
    std::optional<Stream> server;
    Acceptor acceptor(io, endpoint(), {});
    acceptor.start([&](Stream stream) { server.emplace(std::move(stream)); },
                   [](const std::string&) {});
    {
        Child child("child: sends a word and waits", endpoint());
        until([&] { return server.has_value(); });
        CHECK(server->peer()->pid == child.pid());
        CHECK(readAll(*server, 5) == "alive");
        child.kill();
    }
    CHECK(readAll(*server, 1).empty());
    until([&] { return writeText(*server, "x").outcome == Io::closed; });
    server.reset();
    const auto next = std::move(connectTo(io, endpoint()).stream);
    CHECK(next);
    until([&] { return server.has_value(); });
}

TEST_CASE_FIXTURE(Place, "an endpoint of another process is an error that names it") {
    Child child("child: listens", endpoint());
    // It is there when it lets somebody in.
    until([&] { return connectTo(io, endpoint()).stream.has_value(); });
    CHECK(whyNot([&] { Acceptor(io, endpoint(), {}); }) ==
          endpoint() + ": another process listens here (pid " + std::to_string(child.pid()) + ")");
    child.kill();
    CHECK(whyNot([&] { Acceptor(io, endpoint(), {}); }) == "");  // nothing is left behind
}

TEST_CASE_FIXTURE(Place,
                  "the name is held by a mutex, beside the flag that Wine does not look at") {
    const auto held = [&] {
        const HANDLE mutex =
            OpenMutexW(SYNCHRONIZE, FALSE, wide(PipeName::lockName(endpoint())).c_str());
        if (mutex) CloseHandle(mutex);
        return mutex != nullptr;
    };
    CHECK(PipeName::lockName(R"(\\.\pipe\netcluster-Abc)") == "Global\\netcluster-abc");
    CHECK_FALSE(held());
    std::optional<Stream> server;
    std::optional<Stream> client;
    {
        Acceptor acceptor(io, endpoint(), {});
        CHECK(held());
        acceptor.start([&](Stream stream) { server.emplace(std::move(stream)); },
                       [](const std::string&) {});
        client = std::move(connectTo(io, endpoint()).stream);
        until([&] { return server.has_value(); });
    }
    CHECK(held());  // as long as a connection lives, the system keeps the pipe's name, too
    server.reset();
    until([&] { return !held(); });
}

TEST_CASE_FIXTURE(Place, "names that are no pipe's are refused") {
    CHECK(whyNot([&] { Acceptor(io, dir.file("A.sock"), {}); }) ==
          dir.file("A.sock") + ": is not the name of a pipe");
    CHECK(connectTo(io, endpoint()).error.starts_with(endpoint() + ": "));
}

// -- rights

TEST_CASE("a mode becomes rights: system, administrators and the owner always have them all") {
    const std::string all = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;S-1-5-80-7)";
    const auto text = [](std::uint32_t mode, const std::string& group) {
        return descriptorText(mode, "S-1-5-80-7", group);
    };
    CHECK(text(0660, interactiveUsers) == all + "(A;;GRGW;;;IU)");
    CHECK(text(0600, interactiveUsers) == all);
    CHECK(text(0660, "") == all);
    CHECK(text(0640, "S-1-5-32-545") == all);  // who may not write may not connect
    CHECK(text(0666, "S-1-5-32-545") == all + "(A;;GRGW;;;S-1-5-32-545)(A;;GRGW;;;AU)");
    CHECK(text(0000, "") == all);
}

TEST_CASE_FIXTURE(Place, "an endpoint has its rights from the start, and new ones on request") {
    Acceptor acceptor(io, endpoint(), {0600, ""});
    const std::string closed = rightsOf(endpoint());
    CHECK(closed.starts_with("D:P"));
    CHECK(closed.find("AU)") == std::string::npos);
    acceptor.setRights({0606, ""});
    CHECK(rightsOf(endpoint()).find(";;;AU)") != std::string::npos);
    CHECK(whyNot([&] {
              acceptor.setRights({0660, "no-such-group"});
          }) == endpoint() + ": no group named \"no-such-group\"");
}

TEST_CASE_FIXTURE(Place, "an endpoint that is opened again has its new rights, whatever is left") {
    std::optional<Stream> server;
    std::optional<Stream> client;
    {
        Acceptor open(io, endpoint(), {0606, ""});
        open.start([&](Stream stream) { server.emplace(std::move(stream)); },
                   [](const std::string&) {});
        client = std::move(connectTo(io, endpoint()).stream);
        until([&] { return server.has_value(); });
    }
    Acceptor closed(io, endpoint(), {0600, ""});
    CHECK(rightsOf(endpoint()).find(";;;AU)") == std::string::npos);
}

TEST_CASE("a name that is refused: somebody listens, or a client holds on to a pipe, or neither") {
    CHECK(obstacleOf(ERROR_ACCESS_DENIED, 42) == Obstacle::listener);
    CHECK(obstacleOf(ERROR_ACCESS_DENIED, 0) == Obstacle::leftover);
    CHECK(obstacleOf(ERROR_INVALID_NAME, 0) == Obstacle::failure);
    CHECK(obstacleOf(ERROR_NOT_ENOUGH_MEMORY, 42) == Obstacle::failure);
}

TEST_CASE("what belongs to the system, the administrators or us is no stranger's") {
    const std::string self = "S-1-5-80-7";
    CHECK(isTrustedOwner("S-1-5-18", self));
    CHECK(isTrustedOwner("S-1-5-32-544", self));
    CHECK(isTrustedOwner(self, self));
    CHECK_FALSE(isTrustedOwner("S-1-5-21-1-2-3-1001", self));
    CHECK_FALSE(isTrustedOwner("S-1-5-32-545", self));
    CHECK_FALSE(isTrustedOwner("", ""));  // nobody knows
}

TEST_CASE("accounts are known by name") {
    CHECK(ownAccount().starts_with("S-1-5-"));
    CHECK(accountNamed("Administrators") == "S-1-5-32-544");
    CHECK(accountNamed("no-such-group").empty());
}

// -- places

TEST_CASE("directories are looked up in the documented order") {
    setEnvironment(L"NETCLUSTER_DIR", L"C:\\somewhere");
    CHECK(runDirectory() == "C:\\somewhere");
    CHECK(searchDirectories("") == std::vector<std::string>{"C:\\somewhere"});
    CHECK(searchDirectories("C:\\given") == std::vector<std::string>{"C:\\given"});
    setEnvironment(L"NETCLUSTER_DIR", nullptr);
    setEnvironment(L"ProgramData", L"D:\\data");
    setEnvironment(L"LOCALAPPDATA", L"D:\\mine");
    CHECK(systemDirectory() == "D:\\data\\netcluster\\run");
    if (servesMachine()) {
        CHECK(runDirectory() == systemDirectory());
        CHECK(searchDirectories("") == std::vector<std::string>{systemDirectory()});
    } else {
        CHECK(runDirectory() == "D:\\mine\\netcluster\\run");
        CHECK(searchDirectories("") ==
              std::vector<std::string>{"D:\\mine\\netcluster\\run", systemDirectory()});
    }
}

TEST_CASE("the system's daemon has the names of 1.x, any other its own") {
    CHECK(endpointPath(systemDirectory(), "A") == R"(\\.\pipe\netcluster-A)");
    CHECK(endpointPath(systemDirectory(), "A") == legacyPath("A"));
    // As docs/wire-protocol.md says it, for who writes a client: FNV-1a of "c:\users\bob\run".
    const std::string bobs = R"(\\.\pipe\netcluster~f00586c594f44ab2-A)";
    CHECK(endpointPath(R"(C:\Users\Bob\run)", "A") == bobs);
    CHECK(endpointPath(R"(c:/users/bob/x/../RUN/)", "A") == bobs);
    CHECK(endpointPath(R"(C:\Users\Bob\run2)", "A") != bobs);
    CHECK(endpointPath(R"(C:\Users\Bob\run)", "A").size() < 64);
}

TEST_CASE_FIXTURE(Place, "a run directory is made, checked and locked") {
    const std::string run = dir.file("deep") + "\\r\xC3\xBCn";
    {
        RunDirectory first(run);
        CHECK(fs::is_directory(wide(run)));
        CHECK(whyNot([&] { RunDirectory second(run); }) ==
              run + ": another ncserver runs here (pid " + std::to_string(GetCurrentProcessId()) +
                  ")");
    }
    RunDirectory again(run);
    const std::string file = dir.file("file");
    std::ofstream(file) << "x";
    CHECK(whyNot([&] { RunDirectory d(file); }) == file + ": is not a directory");
}

TEST_CASE("there is no counter to share, and a client does without") {
    const SharedCounter counter;
    CHECK_FALSE(counter.supported());
    CounterView view;
    CHECK_FALSE(view.attach(counter.memory()));
    CHECK(view.value() == 0);
}

TEST_CASE("texts keep what they say between the system's and ours") {
    CHECK(narrow(wide("r\xC3\xBCn \xF0\x9F\x98\x80")) == "r\xC3\xBCn \xF0\x9F\x98\x80");
    CHECK(wide("").empty());
    CHECK_FALSE(systemMessage(ERROR_BROKEN_PIPE).empty());
}

}  // namespace netcluster::local
