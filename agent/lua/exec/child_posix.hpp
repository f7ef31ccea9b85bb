// One command that runs; for ExecRunner alone, which says when it has exited.
#pragma once

#include <sys/types.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "exec_runner.hpp"

namespace netcluster::worker {

class Child : public std::enable_shared_from_this<Child> {
  public:
    Child(boost::asio::io_context& io, const ExecLimits& limits, ExecRunner::Done done);

    /// Throws std::system_error when it cannot be started.
    void start(const Command& command);
    pid_t pid() const { return pid_; }
    /// SIGTERM, after the grace SIGKILL.
    void end(Finished::How why);
    /// Looks whether it has exited, and takes its status if so.
    bool reap();
    void kill() const;
    /// Called once all of it has been read, or nobody waits for the rest any more.
    std::function<void()> onFinished{};
    Finished take() { return std::move(result_); }
    void tell() { done_(take()); }

  private:
    struct Output {
        boost::asio::posix::stream_descriptor pipe;
        std::string* text;
        bool* cut;
        std::array<char, 16384> chunk{};
        bool open = false;
    };
    void write();
    void read(Output& output);
    enum class Took { some, nothing, end };
    Took take(Output& output);
    void keep(Output& output, std::size_t count) const;
    void takeRest(Output& output);
    void finishIfDone();
    void finish();

    const ExecLimits limits_;  // it may be read from when the runner is gone
    ExecRunner::Done done_;
    Finished result_;
    boost::asio::posix::stream_descriptor input_;
    std::string inputText_;
    Output out_, err_;
    boost::asio::steady_timer timer_;
    pid_t pid_ = -1;
    bool exited_ = false;
    bool finished_ = false;
};

}  // namespace netcluster::worker
