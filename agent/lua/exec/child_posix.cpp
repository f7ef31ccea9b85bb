#include "child_posix.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <string_view>
#include <system_error>

namespace netcluster::worker {
namespace {

using boost::system::error_code;

/// How long the pipes of a command that has exited are waited for to be closed; what is in them
/// then is taken. Reason: something it left in the background may hold them open for ever.
constexpr std::chrono::milliseconds drain{250};

void check(int error, const char* what) {
    if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

class Descriptor {
  public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

struct Pipe {
    Descriptor reading, writing;
};

/// Not one of 0, 1, 2, even where this process was started without them: the child's are put there.
Descriptor aboveStandard(int number) {
    Descriptor given(number);
    if (number > STDERR_FILENO) return given;
    const int moved = ::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    check(moved < 0 ? errno : 0, "fcntl");
    return Descriptor(moved);
}

Pipe makePipe() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC) < 0 ? errno : 0, "pipe");
    Descriptor writing(ends[1]);
    Pipe made;
    made.reading = aboveStandard(ends[0]);
    made.writing = aboveStandard(writing.release());
    return made;
}

class Attributes {
  public:
    Attributes() {
        check(posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~Attributes() { posix_spawnattr_destroy(&attributes_); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    const posix_spawnattr_t* get() const { return &attributes_; }

  private:
    posix_spawnattr_t attributes_{};
};

class Actions {
  public:
    Actions() { check(posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
    ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    void place(const Descriptor& from, int as) {
        check(posix_spawn_file_actions_adddup2(&actions_, from.get(), as), "dup2");
    }
    /// Whatever some library has opened without close-on-exec.
    void closeOthers() {
        check(posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1), "closefrom");
    }
    const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

void assign(boost::asio::posix::stream_descriptor& to, Descriptor& from) {
    to.assign(from.get());
    from.release();
}

std::string_view nameOf(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

/// Ours, less what is given anew, and what is given.
std::vector<char*> environmentOf(const std::vector<std::string>& given) {
    std::vector<char*> all;
    for (char** ours = environ; *ours != nullptr; ++ours) {
        const auto same = [&](const std::string& other) { return nameOf(other) == nameOf(*ours); };
        if (std::none_of(given.begin(), given.end(), same)) all.push_back(*ours);
    }
    for (const std::string& variable : given) all.push_back(const_cast<char*>(variable.c_str()));
    all.push_back(nullptr);
    return all;
}

}  // namespace

Child::Child(boost::asio::io_context& io, const ExecLimits& limits, ExecRunner::Done done)
    : limits_(limits),
      done_(std::move(done)),
      input_(io),
      out_{boost::asio::posix::stream_descriptor(io), &result_.out, &result_.outCut},
      err_{boost::asio::posix::stream_descriptor(io), &result_.err, &result_.errCut},
      timer_(io) {}

void Child::start(const Command& command) {
    Pipe in = makePipe(), out = makePipe(), err = makePipe();
    Actions actions;
    actions.place(in.reading, STDIN_FILENO);
    actions.place(out.writing, STDOUT_FILENO);
    actions.place(err.writing, STDERR_FILENO);
    actions.closeOthers();
    const Attributes attributes;
    std::string shell = "sh", option = "-c", line = command.line;
    char* const words[] = {shell.data(), option.data(), line.data(), nullptr};
    auto environment = environmentOf(command.environment);
    // All that may fail comes before there is a child, which nobody would watch.
    assign(input_, in.writing);
    assign(out_.pipe, out.reading);
    assign(err_.pipe, err.reading);
    out_.pipe.non_blocking(true);
    err_.pipe.non_blocking(true);
    inputText_ = command.input;
    check(posix_spawn(&pid_, "/bin/sh", actions.get(), attributes.get(), words, environment.data()),
          "/bin/sh");
    out_.open = err_.open = true;
    write();
    read(out_);
    read(err_);
    timer_.expires_after(limits_.time);
    timer_.async_wait([self = shared_from_this()](error_code error) {
        if (!error && !self->exited_) self->end(Finished::How::timedOut);
    });
}

void Child::write() {
    // One that does not read its input, or not all of it, is none of our business.
    boost::asio::async_write(input_, boost::asio::buffer(inputText_),
                             [self = shared_from_this()](error_code, std::size_t) {
                                 error_code ignored;
                                 if (self->input_.is_open()) self->input_.close(ignored);
                             });
}

// Waits, and reads when there is something: what has been read is never on its way to us in a
// handler, behind the one that ends it all.
void Child::read(Output& output) {
    output.pipe.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this(), &output](error_code error) {
                               if (self->finished_) return;
                               if (!error && self->take(output) != Took::end)
                                   return self->read(output);
                               output.open = false;
                               self->finishIfDone();
                           });
}

Child::Took Child::take(Output& output) {
    error_code error;
    const std::size_t count = output.pipe.read_some(boost::asio::buffer(output.chunk), error);
    if (!error) keep(output, count);
    if (!error || error == boost::asio::error::interrupted) return Took::some;
    return error == boost::asio::error::would_block ? Took::nothing : Took::end;
}

// What is in the pipe now. Once that is more than is kept, no more is looked at: something in the
// background may write without end.
void Child::takeRest(Output& output) {
    while (output.open && !*output.cut) {
        const Took took = take(output);
        if (took == Took::nothing) return;
        if (took == Took::end) output.open = false;
    }
}

void Child::keep(Output& output, std::size_t count) const {
    const std::size_t room = limits_.output - std::min(limits_.output, output.text->size());
    output.text->append(output.chunk.data(), std::min(room, count));
    if (count > room) *output.cut = true;
}

void Child::end(Finished::How why) {
    if (exited_ || finished_ || result_.how == Finished::How::timedOut ||
        result_.how == Finished::How::stopped)
        return;
    result_.how = why;
    ::kill(-pid_, SIGTERM);
    timer_.expires_after(limits_.grace);
    timer_.async_wait([self = shared_from_this()](error_code error) {
        if (!error && !self->exited_) self->kill();
    });
}

void Child::kill() const {
    if (!exited_ && pid_ > 0) ::kill(-pid_, SIGKILL);
}

bool Child::reap() {
    if (exited_ || pid_ <= 0) return exited_;
    siginfo_t info{};
    const auto id = static_cast<id_t>(pid_);
    if (::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
        return false;
    // While the leader is not taken its number is nobody else's: now is the time to end the rest.
    if (result_.how != Finished::How::exited) ::kill(-pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    exited_ = true;
    if (WIFSIGNALED(status))
        result_.signal = WTERMSIG(status);
    else
        result_.status = WEXITSTATUS(status);
    if (result_.signal != 0 && result_.how == Finished::How::exited)
        result_.how = Finished::How::signalled;
    timer_.expires_after(drain);
    timer_.async_wait([self = shared_from_this()](error_code error) {
        if (error) return;
        self->takeRest(self->out_);
        self->takeRest(self->err_);
        self->finish();
    });
    finishIfDone();
    return true;
}

void Child::finishIfDone() {
    if (exited_ && !out_.open && !err_.open) finish();
}

void Child::finish() {
    if (std::exchange(finished_, true)) return;
    error_code ignored;
    timer_.cancel();
    if (input_.is_open()) input_.close(ignored);
    if (out_.pipe.is_open()) out_.pipe.close(ignored);
    if (err_.pipe.is_open()) err_.pipe.close(ignored);
    if (onFinished) std::exchange(onFinished, {})();
}

}  // namespace netcluster::worker
