// Commands as an ExecRunner runs them; each test waits for what ends, and no longer.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "exec_runner.hpp"
#include "temporary_directory.hpp"

using namespace netcluster::worker;
using namespace std::chrono_literals;
using How = Finished::How;

namespace {

constexpr auto patience = 60s;

struct Runs {
    explicit Runs(const ExecLimits& limits = {}) : runner(io, limits) {}

    Finished run(Command command) {
        std::optional<Finished> result;
        REQUIRE(runner.run(std::move(command), [&](Finished&& came) { result = std::move(came); }));
        until([&] { return result.has_value(); });
        return std::move(*result);
    }
    template <typename Done>
    void until(Done done) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!done()) REQUIRE(io.run_one_until(deadline) == 1);
    }

    boost::asio::io_context io;
    ExecRunner runner;
};

bool isThere(pid_t pid) {
    return ::kill(pid, 0) == 0;
}

}  // namespace

TEST_CASE("payload in, output and exit status out") {
    Runs runs;
    const Finished fine = runs.run({.line = "cat; echo wrong >&2", .input = "payload"});
    CHECK(fine.how == How::exited);
    CHECK(fine.status == 0);
    CHECK(fine.out == "payload");
    CHECK(fine.err == "wrong\n");
    CHECK(runs.run({.line = "exit 3"}).status == 3);
    CHECK(runs.run({.line = "no-such-program"}).status == 127);
    const Finished killed = runs.run({.line = "kill -9 $$"});
    CHECK(killed.how == How::signalled);
    CHECK(killed.signal == SIGKILL);
    const Finished like = runs.run({.line = "exit 9"});
    CHECK(like.how == How::exited);
    CHECK(like.status == 9);
    CHECK(like.signal == 0);
    CHECK(runs.runner.underWay() == 0);
}

TEST_CASE("data is in the environment, never in the line") {
    ::setenv("NETCLUSTER_TASK", "ours", 1);
    ::setenv("NETCLUSTER_KEPT", "kept", 1);
    Runs runs;
    const std::string evil = "'; echo \"hacked\" $(id) `id`";
    const Finished done = runs.run({.line = "printf '%s|%s' \"$NETCLUSTER_TASK\" $NETCLUSTER_KEPT",
                                    .environment = {"NETCLUSTER_TASK=" + evil}});
    CHECK(done.out == evil + "|kept");
    ::unsetenv("NETCLUSTER_TASK");
    ::unsetenv("NETCLUSTER_KEPT");
}

TEST_CASE("a payload that nobody reads, and one larger than a pipe") {
    Runs runs;
    const std::string large(3 << 20, 'x');
    CHECK(runs.run({.line = "true", .input = large}).status == 0);
    CHECK(runs.run({.line = "wc -c | tr -d ' \\n'", .input = large}).out == "3145728");
}

TEST_CASE("too much output is cut, said so, and does not hold the command up") {
    Runs runs({.output = 1000});
    const Finished done = runs.run({.line = "head -c 3000000 /dev/zero; echo small >&2; exit 4"});
    CHECK(done.out.size() == 1000);
    CHECK(done.outCut);
    CHECK_FALSE(done.errCut);
    CHECK(done.err == "small\n");
    CHECK(done.status == 4);
}

TEST_CASE("what a command has printed comes whole, however late the loop looks at it") {
    Runs runs;
    std::optional<Finished> result;
    REQUIRE(runs.runner.run({.line = "head -c 60000 /dev/zero"},
                            [&](Finished&& came) { result = std::move(came); }));
    siginfo_t info{};
    REQUIRE(::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0);
    while (::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0) {
        REQUIRE(runs.io.run_one() == 1);
    }
    // It has been seen to have exited; now something else takes long.
    std::this_thread::sleep_for(300ms);
    runs.until([&] { return result.has_value(); });
    CHECK(result->out == std::string(60000, '\0'));
    CHECK_FALSE(result->outCut);
}

TEST_CASE("a command that takes too long is ended with all it has started") {
    Runs runs({.time = 200ms, .grace = 200ms});
    const Finished polite = runs.run({.line = "trap 'echo bye; exit 7' TERM; sleep 100 & wait"});
    CHECK(polite.how == How::timedOut);
    CHECK(polite.out == "bye\n");
    CHECK(polite.status == 7);
    CHECK(polite.signal == 0);
    const Finished stubborn =
        runs.run({.line = "trap '' TERM; sh -c 'trap \"\" TERM; sleep 100' & echo $!; wait"});
    CHECK(stubborn.how == How::timedOut);
    CHECK(stubborn.signal == SIGKILL);
    const pid_t grandchild = std::stoi(stubborn.out);
    // Killed; gone as soon as init has taken it.
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const auto isDead = [&] {
        char state = 'Z';
        const std::string path = "/proc/" + std::to_string(grandchild) + "/stat";
        if (FILE* file = std::fopen(path.c_str(), "r")) {
            if (std::fscanf(file, "%*d %*s %c", &state) != 1) state = 'Z';
            std::fclose(file);
        }
        return !isThere(grandchild) || state == 'Z';
    };
    while (!isDead()) REQUIRE(std::chrono::steady_clock::now() < deadline);
}

TEST_CASE("something left in the background is not waited for, and not killed") {
    Runs runs;
    const auto before = std::chrono::steady_clock::now();
    const Finished done = runs.run({.line = "sleep 100 & echo $!"});
    CHECK(done.how == How::exited);
    CHECK(std::chrono::steady_clock::now() - before < patience);
    const pid_t left = std::stoi(done.out);
    CHECK(isThere(left));
    ::kill(left, SIGKILL);
}

TEST_CASE("only so many at once, only so many wait, and all are answered") {
    const netcluster::testing::TemporaryDirectory directory;
    Runs runs({.atOnce = 2, .waiting = 3});
    const std::string gate = directory.file("gate");
    int done = 0;
    const Command command{.line = "while [ ! -e \"$GATE\" ]; do sleep 0.02; done",
                          .environment = {"GATE=" + gate}};
    for (int i = 0; i < 5; ++i) {
        REQUIRE(runs.runner.run(command, [&](Finished&& came) {
            CHECK(came.status == 0);
            ++done;
        }));
    }
    CHECK_FALSE(runs.runner.run(command, {}));
    CHECK(runs.runner.underWay() == 5);
    ::close(::open(gate.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    runs.until([&] { return done == 5; });
    CHECK(runs.runner.underWay() == 0);
}

TEST_CASE("stopping ends what runs, and what waits has not begun") {
    Runs runs({.atOnce = 1});
    std::vector<How> ends;
    const auto note = [&](Finished&& came) { ends.push_back(came.how); };
    runs.runner.run({.line = "sleep 100"}, note);
    runs.runner.run({.line = "sleep 100"}, note);
    runs.runner.stop();
    runs.until([&] { return ends.size() == 2; });
    CHECK(ends == std::vector<How>{How::stopped, How::stopped});
    CHECK_FALSE(runs.runner.run({.line = "true"}, note));
}

TEST_CASE("a command has its three descriptors, and signals as they come") {
    const int leaked = ::open("/dev/null", O_RDONLY);  // on purpose without O_CLOEXEC
    REQUIRE(leaked > 2);
    Runs runs;
    // The C library keeps 32 and 33 for itself. `exec`: a shell that starts something blocks all
    // signals meanwhile.
    const Finished done = runs.run(
        {.line = "ls /proc/$$/fd; exec sed -n 's/^Sig\\(Blk\\|Ign\\).*\\(.......\\)$/\\1 \\2/p' "
                 "/proc/$$/status"});
    CHECK(done.out == "0\n1\n2\nBlk 0000000\nIgn 0000000\n");
    ::close(leaked);
}

TEST_CASE("the loop may run on when the runner is gone") {
    Runs runs;
    {
        ExecRunner other(runs.io, {.output = 1000});
        other.run({.line = "head -c 50000 /dev/zero"}, {});
        siginfo_t info{};
        REQUIRE(::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0);
    }
    // What its child had written is read, and nothing of the runner's is looked at.
    while (runs.io.poll_one() != 0) continue;
    CHECK(runs.run({.line = "echo here"}).out == "here\n");
}

TEST_CASE("what cannot be started says why; a runner that goes leaves nothing behind") {
    {
        Runs runs;
        const Finished done =
            runs.run({.line = "true", .environment = {"X=" + std::string(3 << 20, 'x')}});
        CHECK(done.how == How::notStarted);
        CHECK(done.error.find("Argument list too long") != std::string::npos);
        runs.runner.run({.line = "sleep 100"}, {});
    }
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // no child is left
}
