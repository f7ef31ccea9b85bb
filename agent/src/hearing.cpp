#include "hearing.hpp"

#include <algorithm>
#include <netcluster/error.hpp>
#include <unordered_map>

#include "text.hpp"

namespace netcluster {
namespace {

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};
using ByName = std::unordered_map<std::string, std::vector<Listening*>, TextHash, std::equal_to<>>;

}  // namespace

// What this thread remembers of one emitter. The snapshot keeps the listeners alive.
struct EmitterMemory {
    std::shared_ptr<Emitter> emitter;
    std::shared_ptr<const Snapshot> snapshot;
    ByName byName;
    std::size_t depth = 0;  // Hearings of this thread that use it now

    struct Old {
        std::shared_ptr<const Snapshot> snapshot;
        ByName byName;
    };
    std::vector<Old> old;  // replaced while a Hearing further up this thread's stack walks it

    void forget() {
        if (depth != 0) {
            old.push_back({snapshot, std::move(byName)});
        }
        byName.clear();
    }

    void refresh() {
        if (snapshot && snapshot->generation == emitter->generation()) return;
        forget();
        snapshot = emitter->snapshot();
    }

    const std::vector<Listening*>& find(std::string_view event) {
        refresh();
        if (const auto known = byName.find(event); known != byName.end()) return known->second;
        if (!wire::validEventName(event)) {
            throw Error("an event's name must be 1 to 255 bytes of UTF-8 without NUL");
        }
        if (byName.size() >= maxRememberedNames) forget();
        std::vector<Listening*> matching;
        for (const auto& listening : snapshot->listeners) {
            if (listening->pattern->matches(event)) matching.push_back(listening.get());
        }
        return byName.emplace(event, std::move(matching)).first->second;
    }
};

namespace {

// What this thread remembers of all emitters: usually one.
struct ThreadMemory {
    std::vector<std::unique_ptr<EmitterMemory>> all;
    EmitterMemory* last = nullptr;

    EmitterMemory& of(Emitter& emitter) {
        if (last && last->emitter.get() == &emitter) return *last;
        const auto known = std::find_if(all.begin(), all.end(), [&](const auto& one) {
            return one->emitter.get() == &emitter;
        });
        if (known != all.end()) return *(last = known->get());
        std::erase_if(all,
                      [](const auto& one) { return one->depth == 0 && one->emitter->closed(); });
        all.push_back(std::make_unique<EmitterMemory>());
        last = all.back().get();
        last->emitter = emitter.shared_from_this();
        return *last;
    }
};

thread_local ThreadMemory* threadMemory = nullptr;

// Frees it with the thread. What emits still later (destructors of other thread-local or static
// objects) makes it anew, and that one stays.
struct Free {
    bool armed = false;
    ~Free() {
        delete threadMemory;
        threadMemory = nullptr;
    }
};
thread_local Free freeWithThread;

ThreadMemory& ownMemory() {
    if (!threadMemory) {
        threadMemory = new ThreadMemory;
        freeWithThread.armed = true;  // using it makes its destructor run
    }
    return *threadMemory;
}

}  // namespace

Hearing::Hearing(Emitter& emitter, std::string_view event)
    : memory_(ownMemory().of(emitter)), listeners_(&memory_.find(event)) {
    ++memory_.depth;
}

Hearing::~Hearing() {
    if (--memory_.depth == 0 && !memory_.old.empty()) memory_.old.clear();
}

void Hearing::run(const Event& event, const Owner* emittedBy) {
    for (Listening* listening : *listeners_) {
        if (listening->skipOwn && listening->owner.get() == emittedBy) continue;
        runOne(*listening, event);
    }
}

void Hearing::runRemote(const Event& event, const std::function<void(Owner&)>& postpone) {
    std::vector<Owner*> postponed;
    for (Listening* listening : *listeners_) {
        Owner& owner = *listening->owner;
        if (!owner.hearsRemote()) continue;
        if (!owner.postpones()) {
            runOne(*listening, event);
        } else if (std::find(postponed.begin(), postponed.end(), &owner) == postponed.end()) {
            postponed.push_back(&owner);
            postpone(owner);
        }
    }
}

void Hearing::runFor(const Event& event, const Owner& owner) {
    for (Listening* listening : *listeners_) {
        if (listening->owner.get() == &owner) runOne(*listening, event);
    }
}

void Hearing::runOne(Listening& listening, const Event& event) {
    {
        const Run run(listening);
        if (!run) return;
        if (listening.once) {
            if (listening.claimed.exchange(true)) return;
            memory_.emitter->detach(listening);
        }
        const auto report = [&](const char* what) {
            listening.owner->failed("a listener of '" + listening.pattern->text() +
                                    "' threw on event '" + std::string(event.name()) +
                                    "': " + what);
        };
        try {
            listening.handler(event);
        } catch (const std::exception& error) {
            report(error.what());
        } catch (...) {
            report("something that is not a std::exception");
        }
    }
    if (listening.gone.load(std::memory_order_relaxed)) memory_.emitter->sweep();
}

}  // namespace netcluster
