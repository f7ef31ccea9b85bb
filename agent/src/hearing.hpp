// Who hears one event, and running them. Made on the stack of the thread that delivers the event;
// nests. Takes no lock once this thread has seen the name (and the list has not changed since):
// each thread remembers, by event name, which listeners match.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "emitter.hpp"

namespace netcluster {

struct EmitterMemory;

/// Names one thread remembers for one emitter. Reason: a program has hundreds; one that makes names
/// up all the time forgets all of them at this number and begins anew.
inline constexpr std::size_t maxRememberedNames = 4096;

class Hearing {
  public:
    /// Throws Error when `event` is not an event name (what is remembered need not be looked at
    /// again).
    Hearing(Emitter& emitter, std::string_view event);
    ~Hearing();
    Hearing(const Hearing&) = delete;
    Hearing& operator=(const Hearing&) = delete;

    bool empty() const { return listeners_->empty(); }

    /// An event of this process: all of them, on this thread, in the order of registration.
    void run(const Event& event, const Owner* emittedBy);
    /// An event of another process: those whose owners hear it. Owners that postpone are given to
    /// `postpone`, each once.
    void runRemote(const Event& event, const std::function<void(Owner&)>& postpone);
    /// A postponed event: those of one owner.
    void runFor(const Event& event, const Owner& owner);

  private:
    void runOne(Listening& listening, const Event& event);

    EmitterMemory& memory_;
    const std::vector<Listening*>* listeners_;
};

}  // namespace netcluster
