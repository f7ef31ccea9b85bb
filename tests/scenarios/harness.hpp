// What scenarios are made of: the real ncserver as a child process, and a place for its files.
// Everything waits with a deadline (poll or a condition variable), nothing but awaitTrue sleeps,
// and whatever a test leaves behind ends with it, also when it fails or is killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <netcluster/error.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace netcluster::scenario {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

/// How long anything may take before the test fails. Never reached when all is well, so it is
/// generous: machines are shared, sanitizers are slow.
std::chrono::milliseconds patience();
/// How many times slower than usual this build is (sanitizers).
int slowness();

/// Asks again and again until it is so. For what nobody tells of; throws Error at the deadline.
void awaitTrue(const std::function<bool()>& done);

/// A directory of this test's own, short enough for socket paths; removed with what is in it.
class Scratch {
  public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }
    std::string write(const std::string& name, std::string_view text) const;

  private:
    std::string path_;
};

/// What one descriptor of a child says, collected by a thread so that the child never waits for us.
class Capture {
  public:
    ~Capture();
    void start(int descriptor);
    std::string text() const;
    /// True when `part` stands in what was said from position `from` on; waits for it.
    bool waitFor(std::string_view part, std::size_t from = 0);
    /// The same for `count` occurrences.
    bool waitForCount(std::string_view part, std::size_t count);
    /// True when the child has closed it.
    bool waitForEnd();

  private:
    void collect();
    bool waitUntil(const std::function<bool()>& done);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::string text_;
    bool ended_ = false;
    int descriptor_ = -1;
    std::thread thread_;
};

/// How a child is started.
struct Spawn {
    using Variables = std::vector<std::pair<std::string, std::string>>;
    Variables environment{};                   ///< beside ours, less all NETCLUSTER_*
    std::optional<unsigned long> openFiles{};  ///< hard limit of RLIMIT_NOFILE
    int networkNamespace = -1;                 ///< descriptor of one to enter
};

/// A child process. Killed when this object goes, and when the test's process does.
class Process {
  public:
    explicit Process(std::vector<std::string> arguments, const Spawn& how = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;
    /// The exit status, or 128 + the signal that ended it. Throws Error when it does not end.
    int wait();
    bool running() const { return !status_; }

    Capture out;
    Capture err;

  private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

/// What a program that ran to its end said.
struct Outcome {
    int status = 0;
    std::string out;
    std::string err;
};
Outcome runServer(std::vector<std::string> arguments, const Spawn& how = {});

/// The path of the ncserver under test.
std::string serverPath();

/// A config.json: channels `control` and those of `channels` (members of an object, as text), no
/// link, and the top-level keys of `more`.
std::string localConfig(const std::string& channels, const std::string& more = "");

struct DaemonOptions {
    Spawn spawn{};
    std::vector<std::string> arguments{};  ///< beside the configuration and --rundir
    std::string runDir{};                  ///< empty: one in the daemon's own scratch directory
};

/// A running ncserver. Its destructor stops it and fails the test when it did not stop as promised:
/// status 0, sockets gone.
class Daemon {
  public:
    explicit Daemon(const std::string& config, const DaemonOptions& options = {});
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    std::string socket(const std::string& channel) const {
        return runDir_ + "/" + channel + ".sock";
    }
    const std::string& runDir() const { return runDir_; }
    const std::string& configFile() const { return configFile_; }
    void rewriteConfig(const std::string& config) const;
    const Scratch& scratch() const { return scratch_; }
    Process& process() { return *process_; }
    std::string log() const { return process_->err.text(); }
    /// Throws Error when the log does not come to say `part`.
    void awaitLog(std::string_view part, std::size_t from = 0);

    /// Asks on `control`, over a connection of its own; the data of the answer.
    Json ask(const std::string& command, const Json& data = nullptr) const;

    /// Resident memory in bytes, and processor time used so far.
    std::size_t memory() const;
    std::chrono::milliseconds processorTime() const;

    /// SIGTERM; the exit status. Throws Error when it does not end in time.
    int stop();

  private:
    Scratch scratch_;
    std::string configFile_;
    std::string runDir_;
    std::unique_ptr<Process> process_;
};

}  // namespace netcluster::scenario
