#include "hearing.hpp"

#include <algorithm>

namespace netcluster {

void Hearing::runRemote(const Event& event, const std::function<void(Owner&)>& postpone) {
    std::vector<Owner*> postponed;
    RunSlot slot;
    for (Listening* listening : known_.listeners) {
        Owner& owner = *listening->owner;
        if (!owner.hearsRemote()) continue;
        if (!owner.postpones()) {
            runOne(slot, *listening, event);
        } else if (std::find(postponed.begin(), postponed.end(), &owner) == postponed.end()) {
            postponed.push_back(&owner);
            postpone(owner);
        }
    }
}

void Hearing::runFor(const Event& event, const Owner& owner) {
    RunSlot slot;
    for (Listening* listening : known_.listeners) {
        if (listening->owner.get() == &owner) runOne(slot, *listening, event);
    }
}

// False when another thread runs it, or has.
bool Hearing::claim(Listening& once) {
    if (once.claimed.exchange(true)) return false;
    names_.emitter().detach(once);
    return true;
}

// Called while the exception is handled.
void Hearing::report(const Listening& listening, const Event& event) noexcept {
    const auto say = [&](const char* what) {
        listening.owner->failed("a listener of '" + listening.pattern->text() +
                                "' threw on event '" + std::string(event.name()) + "': " + what);
    };
    try {
        throw;
    } catch (const std::exception& error) {
        say(error.what());
    } catch (...) {
        say("something that is not a std::exception");
    }
}

}  // namespace netcluster
