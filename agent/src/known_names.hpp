// What one thread remembers of one emitter: by event name, which listeners match. Only that thread
// uses it, so that emitting a name it knows takes no lock and matches no pattern. Begun anew when
// the list of listeners has changed.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "emitter.hpp"
#include "name_table.hpp"
#include "unwanted.hpp"

namespace netcluster {

/// Names one thread remembers for one emitter. Reason: a program has hundreds; one that makes names
/// up all the time forgets all of them at this number and begins anew.
inline constexpr std::size_t maxRememberedNames = 4096;

struct KnownName {
    std::vector<Listening*> listeners;  ///< those that match, in the order of registration
    Unwanted::Memo unwanted;            ///< whether anybody outside of this process wants it
};

class KnownNames {
  public:
    /// This thread's, made if need be. Good until the next call, or while `hearings` is not 0.
    static KnownNames& of(Emitter& emitter) {
        if (last && last->emitter_.get() == &emitter && !last->outdated()) [[likely]]
            return *last;
        return lookUp(emitter);
    }

    explicit KnownNames(std::shared_ptr<Emitter> emitter);

    /// Throws Error when `event` is not an event name.
    KnownName& find(std::string_view event) {
        if (KnownName* const known = table_.find(event)) [[likely]]
            return *known;
        return learn(event);
    }

    Emitter& emitter() const { return *emitter_; }

    std::size_t hearings = 0;  ///< of this thread that go through what they found here

    /// The list has changed since, or there are too many names.
    bool outdated() const { return generation_ != emitter_->generation(); }

  private:
    static KnownNames& lookUp(Emitter& emitter);
    KnownName& learn(std::string_view event);

    // Those that this thread used last: nearly always those it uses next.
    static constinit thread_local KnownNames* last;
    friend class ThreadMemory;

    const std::shared_ptr<Emitter> emitter_;
    const std::shared_ptr<const Snapshot> snapshot_;  // keeps the listeners alive
    std::uint64_t generation_;                        // of the snapshot; 0 when the table is full
    NameTable<KnownName> table_;
};

}  // namespace netcluster
