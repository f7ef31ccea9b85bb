#include "harness.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "clients.hpp"

extern char** environ;

namespace netcluster::scenario {
namespace {

namespace fs = std::filesystem;

constexpr int spawnFailed = 127;

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environmentFor(const Spawn& how) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry; ++entry) {
        const std::string_view text = *entry;
        if (!text.starts_with("NETCLUSTER_")) all.emplace_back(text);
    }
    for (const auto& [name, value] : how.environment) all.push_back(name + "=" + value);
    return all;
}

struct Pipe {
    Pipe() {
        if (pipe2(ends, O_CLOEXEC) != 0) throw Error("pipe");
    }
    int ends[2];
};

// Between fork and exec: nothing but system calls.
[[noreturn]] void becomeChild(const Spawn& how, int out, int err, char* const* arguments,
                              char* const* environment) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    if (how.openFiles) {
        const rlimit limit{*how.openFiles, *how.openFiles};
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) _exit(spawnFailed);
    }
    if (how.networkNamespace >= 0 && setns(how.networkNamespace, CLONE_NEWNET) != 0) {
        _exit(spawnFailed);
    }
    execve(arguments[0], arguments, environment);
    _exit(spawnFailed);
}

std::size_t countOf(std::string_view part, std::string_view text) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace

int slowness() {
    return NETCLUSTER_SCENARIO_SLOWNESS;
}

std::chrono::milliseconds patience() {
    return std::chrono::seconds(20) * slowness();
}

void awaitTrue(const std::function<bool()>& done) {
    const auto deadline = Clock::now() + patience();
    while (!done()) {
        if (Clock::now() >= deadline) throw Error("what was waited for did not come true");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

// -- Scratch -----------------------------------------------------------------------------------

Scratch::Scratch() {
    std::string name = "/tmp/nc-scen-XXXXXX";
    if (!mkdtemp(name.data())) throw Error("no scratch directory");
    path_ = name;
}

Scratch::~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string Scratch::write(const std::string& name, std::string_view text) const {
    const std::string path = file(name);
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.close();
    if (!stream) throw Error(path + " cannot be written");
    return path;
}

// -- Capture -----------------------------------------------------------------------------------

Capture::~Capture() {
    if (thread_.joinable()) thread_.join();
    if (descriptor_ >= 0) close(descriptor_);
}

void Capture::start(int descriptor) {
    descriptor_ = descriptor;
    thread_ = std::thread([this] { collect(); });
}

void Capture::collect() {
    char buffer[16384];
    for (;;) {
        const ssize_t count = read(descriptor_, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        const std::lock_guard lock(mutex_);
        if (count > 0) text_.append(buffer, static_cast<std::size_t>(count));
        ended_ = count <= 0;
        changed_.notify_all();
        if (ended_) return;
    }
}

std::string Capture::text() const {
    const std::lock_guard lock(mutex_);
    return text_;
}

bool Capture::waitUntil(const std::function<bool()>& done) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience(), [&] { return ended_ || done(); });
    return done();
}

bool Capture::waitFor(std::string_view part, std::size_t from) {
    return waitUntil([&] { return text_.find(part, from) != std::string::npos; });
}

bool Capture::waitForCount(std::string_view part, std::size_t count) {
    return waitUntil([&] { return countOf(part, text_) >= count; });
}

bool Capture::waitForEnd() {
    return waitUntil([&] { return ended_; });
}

// -- Process -----------------------------------------------------------------------------------

Process::Process(std::vector<std::string> arguments, const Spawn& how) {
    std::vector<std::string> environment = environmentFor(how);
    const std::vector<char*> argumentList = pointers(arguments);
    const std::vector<char*> environmentList = pointers(environment);
    const Pipe outPipe;
    const Pipe errPipe;
    pid_ = fork();
    if (pid_ == 0) {
        becomeChild(how, outPipe.ends[1], errPipe.ends[1], argumentList.data(),
                    environmentList.data());
    }
    close(outPipe.ends[1]);
    close(errPipe.ends[1]);
    out.start(outPipe.ends[0]);
    err.start(errPipe.ends[0]);
    if (pid_ < 0) throw Error("fork failed");
}

Process::~Process() {
    if (status_) return;
    signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
    if (!status_) kill(pid_, number);
}

int Process::wait() {
    if (status_) return *status_;
    // Only the child holds the pipe's other end, so its end is the child's.
    if (!err.waitForEnd()) throw Error("a child did not end; it said:\n" + err.text());
    int status = 0;
    waitpid(pid_, &status, 0);
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return *status_;
}

std::string serverPath() {
    return NETCLUSTER_NCSERVER;
}

Outcome runServer(std::vector<std::string> arguments, const Spawn& how) {
    arguments.insert(arguments.begin(), serverPath());
    Process process(std::move(arguments), how);
    const int status = process.wait();
    process.out.waitForEnd();
    return {status, process.out.text(), process.err.text()};
}

// -- Daemon ------------------------------------------------------------------------------------

std::string localConfig(const std::string& channels, const std::string& more) {
    return "{\n\"connecttonet\": false,\n" + more + (more.empty() ? "" : ",\n") +
           "\"channels\": {\n\"control\": {},\n" + channels + "\n}\n}\n";
}

Daemon::Daemon(const std::string& config, const DaemonOptions& options)
    : configFile_(scratch_.write("config.json", config)),
      runDir_(options.runDir.empty() ? scratch_.file("run") : options.runDir) {
    std::vector<std::string> arguments{serverPath(), "-c", configFile_, "--rundir", runDir_};
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    process_ = std::make_unique<Process>(std::move(arguments), options.spawn);
    awaitLog(" ready: ");
}

Daemon::~Daemon() {
    if (std::uncaught_exceptions() > 0) {
        const std::string text = log();
        std::cerr << "--- log of the daemon\n"
                  << text.substr(text.size() - std::min<std::size_t>(text.size(), 8192)) << "---\n";
    }
    try {
        if (process_->running() && stop() != 0) {
            ADD_FAIL_CHECK_AT(__FILE__, __LINE__, "the daemon ended badly:\n" << log());
        }
    } catch (const std::exception& error) {
        ADD_FAIL_CHECK_AT(__FILE__, __LINE__, error.what());
    }
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(runDir_, none)) {
        if (entry.is_socket()) {
            ADD_FAIL_CHECK_AT(__FILE__, __LINE__, entry.path().string() << " was left behind");
        }
    }
}

void Daemon::rewriteConfig(const std::string& config) const {
    scratch_.write("config.json", config);
}

void Daemon::awaitLog(std::string_view part, std::size_t from) {
    if (process_->err.waitFor(part, from)) return;
    throw Error("the daemon's log does not say \"" + std::string(part) + "\" but:\n" + log());
}

Json Daemon::ask(const std::string& command, const Json& data) const {
    JsonClient client(socket("control"));
    return client.ask(command, data);
}

std::size_t Daemon::memory() const {
    std::ifstream statm("/proc/" + std::to_string(process_->pid()) + "/statm");
    std::size_t size = 0;
    std::size_t resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::chrono::milliseconds Daemon::processorTime() const {
    std::ifstream file("/proc/" + std::to_string(process_->pid()) + "/stat");
    std::stringstream text;
    text << file.rdbuf();
    std::istringstream fields(text.str().substr(text.str().rfind(')') + 2));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return std::chrono::milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

int Daemon::stop() {
    process_->signal(SIGTERM);
    return process_->wait();
}

}  // namespace netcluster::scenario
