#include "known_names.hpp"

#include <algorithm>
#include <netcluster/error.hpp>
#include <utility>

#include "text.hpp"

namespace netcluster {

constinit thread_local KnownNames* KnownNames::last = nullptr;

// All that one thread remembers: usually of one emitter.
class ThreadMemory {
  public:
    static ThreadMemory& own();
    ~ThreadMemory() { KnownNames::last = nullptr; }

    KnownNames& of(Emitter& emitter) {
        forget();
        const auto known = std::find_if(all_.begin(), all_.end(), [&](const auto& names) {
            return names->emitter_.get() == &emitter && !names->outdated();
        });
        if (known != all_.end()) return **known;
        all_.push_back(std::make_unique<KnownNames>(emitter.shared_from_this()));
        return *all_.back();
    }

  private:
    using All = std::vector<std::unique_ptr<KnownNames>>;

    // What is of no use any more and not being heard.
    void forget() {
        const auto needless = std::partition(all_.begin(), all_.end(), [](const auto& names) {
            return names->hearings != 0 || !(names->outdated() || names->emitter_->closed());
        });
        // Destroyed when all is in order here: what they hold may come back as it goes.
        const All forgotten(std::make_move_iterator(needless), std::make_move_iterator(all_.end()));
        all_.erase(needless, all_.end());
        KnownNames::last = nullptr;
    }

    All all_;
};

namespace {

thread_local ThreadMemory* threadMemory = nullptr;

// Frees it with the thread. What emits still later (destructors of other thread-local or static
// objects) makes it anew, and that one stays.
struct Free {
    bool armed = false;
    ~Free() { delete std::exchange(threadMemory, nullptr); }
};
thread_local Free freeWithThread;

}  // namespace

ThreadMemory& ThreadMemory::own() {
    if (!threadMemory) {
        threadMemory = new ThreadMemory;
        freeWithThread.armed = true;  // using it makes its destructor run
    }
    return *threadMemory;
}

KnownNames& KnownNames::lookUp(Emitter& emitter) {
    return *(last = &ThreadMemory::own().of(emitter));
}

KnownNames::KnownNames(std::shared_ptr<Emitter> emitter)
    : emitter_(std::move(emitter)),
      snapshot_(emitter_->snapshot()),
      generation_(snapshot_->generation) {}

KnownName& KnownNames::learn(std::string_view event) {
    if (!wire::validEventName(event)) {
        throw Error("an event's name must be 1 to 255 bytes of UTF-8 without NUL");
    }
    KnownName known;
    for (const auto& listening : snapshot_->listeners) {
        if (listening->pattern->matches(event)) known.listeners.push_back(listening.get());
    }
    if (table_.size() + 1 == maxRememberedNames) generation_ = 0;  // the last that it takes
    return table_.add(event, std::move(known));
}

}  // namespace netcluster
