#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>

#include "terminal.hpp"

namespace netcluster::ctl {
namespace {

volatile std::sig_atomic_t noted = 0;
struct sigaction before[2];

void note(int signal) {
    noted = signal;
}

void install(int signal, struct sigaction& previous) {
    struct sigaction action {};
    action.sa_handler = note;
    action.sa_flags = 0;  // no SA_RESTART: a read or write that waits ends with EINTR
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, &previous);
}

}  // namespace

bool inputIsTerminal() {
    return isatty(STDIN_FILENO) == 1;
}

bool outputAbandoned() {
    pollfd output{STDOUT_FILENO, 0, 0};
    return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

void prepareStandardStreams() {
    std::signal(SIGPIPE, SIG_IGN);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        const bool closed = fcntl(stream, F_GETFD) == -1;
        // The lowest free number is this one. Only to be read: writing shall fail.
        if (closed && open("/dev/null", O_RDONLY) == -1) return;
    }
}

Interruption::Interruption() {
    noted = 0;
    install(SIGINT, before[0]);
    install(SIGTERM, before[1]);
}

Interruption::~Interruption() {
    sigaction(SIGINT, &before[0], nullptr);
    sigaction(SIGTERM, &before[1], nullptr);
}

Interruption::Signal Interruption::signal() const {
    if (noted == SIGINT) return Signal::interrupt;
    return noted == SIGTERM ? Signal::terminate : Signal::none;
}

void Interruption::clear() {
    noted = 0;
}

}  // namespace netcluster::ctl
