// Runs commands: /bin/sh -c LINE, with a payload on stdin and what is known in the environment;
// what they print and how they end is the answer. Owned by the worker; one thread, the one that
// runs `io`. Never waits. POSIX only.
//
// Each command is the leader of a process group of its own. It inherits the environment, the
// working directory and nothing else: no descriptor but its three, no signal blocked or ignored.
// When its time is over its group gets SIGTERM, and SIGKILL after the grace. A command that ends in
// time may leave something running in the background; it is left alone, and what that prints later
// is not waited for.
//
// SIGPIPE is ignored in this process from then on: a command need not read its stdin.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace netcluster::worker {

struct ExecLimits {
    std::chrono::milliseconds time{60'000};
    std::chrono::milliseconds grace{2000};  ///< between SIGTERM and SIGKILL
    /// Of stdout and of stderr each; what is beyond is read and thrown away. Reason: an answer is
    /// one event, and travels the net.
    std::size_t output = std::size_t{256} << 10;
    std::size_t atOnce = 8;
    std::size_t waiting = 256;  ///< that are queued; more are refused
};

struct Command {
    std::string line{};
    std::string input{};
    std::vector<std::string> environment{};  ///< NAME=VALUE, in place of ours of that name
};

struct Finished {
    enum class How {
        exited,      ///< by itself
        signalled,   ///< by `signal`, which somebody else has sent
        timedOut,    ///< and was ended for it
        stopped,     ///< ended, or not begun, because of `stop`
        notStarted,  ///< `error` says why
    };
    How how = How::exited;
    int status = 0;  ///< of its exit
    int signal = 0;  ///< that has ended it; 0: none has, it has exited
    std::string out{}, err{};
    bool outCut = false, errCut = false;  ///< there was more
    std::string error{};
};

class ExecRunner {
  public:
    using Done = std::function<void(Finished&&)>;

    ExecRunner(boost::asio::io_context& io, const ExecLimits& limits);
    /// Kills what still runs, and waits for that; nobody is told.
    ~ExecRunner();
    ExecRunner(const ExecRunner&) = delete;
    ExecRunner& operator=(const ExecRunner&) = delete;

    /// False, and `done` is never called, when too many wait already. Else `done` is called once,
    /// from `io`.
    bool run(Command command, Done done);
    /// No more of them: those that wait end now, those that run as if their time were over.
    void stop();
    std::size_t underWay() const;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace netcluster::worker
