#include <io.h>
#include <stdio.h>
#include <windows.h>

#include <csignal>
#include <cstdlib>

#include "terminal.hpp"

namespace netcluster::ctl {
namespace {

volatile std::sig_atomic_t noted = 0;
void (*before[2])(int) = {SIG_DFL, SIG_DFL};

// The C runtime forgets a handler when it has called it.
void note(int signal) {
    noted = signal;
    std::signal(signal, note);
}

}  // namespace

bool inputIsTerminal() {
    return _isatty(_fileno(stdin)) != 0;
}

// A pipe without a reader shows itself at the next write here.
bool outputAbandoned() {
    return false;
}

// There is no SIGPIPE here, and no number is given out again by chance. But a console writes and
// reads what it takes for the letters of some code page, and goes on doing so after we have ended.
void prepareStandardStreams() {
    static const UINT output = ::GetConsoleOutputCP();
    static const UINT input = ::GetConsoleCP();
    if (output == 0 && input == 0) return;  // there is none
    ::SetConsoleOutputCP(CP_UTF8);
    ::SetConsoleCP(CP_UTF8);
    std::atexit([] {
        ::SetConsoleOutputCP(output);
        ::SetConsoleCP(input);
    });
}

Interruption::Interruption() {
    noted = 0;
    before[0] = std::signal(SIGINT, note);
    before[1] = std::signal(SIGTERM, note);
}

Interruption::~Interruption() {
    std::signal(SIGINT, before[0]);
    std::signal(SIGTERM, before[1]);
}

Interruption::Signal Interruption::signal() const {
    if (noted == SIGINT) return Signal::interrupt;
    return noted == SIGTERM ? Signal::terminate : Signal::none;
}

void Interruption::clear() {
    noted = 0;
}

}  // namespace netcluster::ctl
