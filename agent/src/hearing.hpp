// Who hears one event, and running them. Made on the stack of the thread that delivers the event;
// nests. Takes no lock once this thread has seen the name (known_names.hpp).
//
// What every emit goes through is here, to be compiled into it.
#pragma once

#include <functional>
#include <string_view>

#include "known_names.hpp"

namespace netcluster {

class Hearing {
  public:
    /// Throws Error when `event` is not an event name (what is remembered need not be looked at
    /// again).
    Hearing(Emitter& emitter, std::string_view event)
        : names_(KnownNames::of(emitter)), known_(names_.find(event)), outer_(names_.hearings++) {}
    ~Hearing() { names_.hearings = outer_; }
    Hearing(const Hearing&) = delete;
    Hearing& operator=(const Hearing&) = delete;

    bool empty() const { return known_.listeners.empty(); }
    /// False when a listener was added or removed since: who hears the next event is to be asked
    /// anew.
    bool current() const { return !names_.outdated(); }
    Unwanted::Memo& unwanted() { return known_.unwanted; }

    /// An event of this process: all of them, on this thread, in the order of registration.
    void run(const Event& event, const Owner* emittedBy) {
        RunSlot slot;
        for (Listening* listening : known_.listeners) {
            if (listening->skipOwn && listening->owner.get() == emittedBy) continue;
            runOne(slot, *listening, event);
        }
    }
    /// An event of another process: those whose owners hear it. Owners that postpone are given to
    /// `postpone`, each once.
    void runRemote(const Event& event, const std::function<void(Owner&)>& postpone);
    /// A postponed event: those of one owner.
    void runFor(const Event& event, const Owner& owner);

  private:
    void runOne(RunSlot& slot, Listening& listening, const Event& event) {
        if (slot.begin(listening) && (!listening.once || claim(listening))) {
            try {
                listening.handler(event);
            } catch (...) {
                report(listening, event);
            }
        }
        if (slot.end(listening)) names_.emitter().sweep();
    }
    bool claim(Listening& once);
    static void report(const Listening& listening, const Event& event) noexcept;

    KnownNames& names_;
    KnownName& known_;
    const std::size_t outer_;  // hearings of these names further up this thread's stack
};

}  // namespace netcluster
