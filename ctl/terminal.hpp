// What ncctl asks the system it runs on: terminals, signals, pipes. One file per system. Main's
// thread.
#pragma once

namespace netcluster::ctl {

bool inputIsTerminal();
/// True when whoever read our stdout has gone (`ncctl listen A | head -1`), so that writing is in
/// vain.
bool outputAbandoned();
/// To be called first. From here on, writing to a pipe nobody reads, or to a stdout that was closed
/// from the start, is an error that `write` returns: no signal, and no writing into whatever file
/// or socket was opened next and got that number.
void prepareStandardStreams();

/// While one lives, SIGINT and SIGTERM are noted here instead of ending the process, and a read or
/// write that waits is broken off by them. One at a time.
class Interruption {
  public:
    enum class Signal { none, interrupt, terminate };

    Interruption();
    ~Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

    Signal signal() const;
    void clear();
};

}  // namespace netcluster::ctl
