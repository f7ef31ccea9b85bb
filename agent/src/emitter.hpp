// Pattern -> listeners. Owned by a Hub, which shares it with the threads that emit. Any thread.
// Opens no socket and knows none; hearing.hpp runs the listeners.
//
// The list is changed under a lock. Emitting takes no lock: each thread works on a snapshot of the
// list and learns from one atomic counter that there is a newer one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <netcluster/event.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pattern.hpp"
#include "runs.hpp"
#include "text.hpp"

namespace netcluster {

/// Whose listeners they are: one for each Agent.
class Owner {
  public:
    virtual ~Owner() = default;
    /// A listener threw. Called on the thread where it did. Must not throw.
    virtual void failed(const std::string& what) = 0;
    /// True: its listeners hear events of other processes later and elsewhere (executor, poll).
    virtual bool postpones() const = 0;
    /// True while its listeners hear events of other processes.
    bool hearsRemote() const { return remote_.load(std::memory_order_relaxed); }

  private:
    friend class Emitter;
    std::atomic<bool> remote_{false};  // written under the emitter's lock
};

/// Learns for which patterns events of other processes are wanted: `wanted` with the first
/// listener of a pattern, `unwanted` after the last. Called under the emitter's lock, which makes
/// the order right, and so must not call the emitter.
class Interest {
  public:
    virtual ~Interest() = default;
    virtual void wanted(const std::string& pattern) = 0;
    virtual void unwanted(const std::string& pattern) = 0;
};

/// One registered listener.
struct Listening : Runnable {
    std::uint64_t id = 0;
    std::shared_ptr<const Pattern> pattern;
    std::function<void(const Event&)> handler;  // emptied when it is gone and still
    std::shared_ptr<Owner> owner;
    bool skipOwn = false;
    bool once = false;
    std::atomic<bool> claimed{false};  ///< `once`: somebody runs it
};

/// The list at one moment, in the order of registration.
struct Snapshot {
    std::uint64_t generation = 0;
    std::vector<std::shared_ptr<Listening>> listeners;
};

class Emitter : public std::enable_shared_from_this<Emitter> {
  public:
    enum class Times { always, once };
    struct Wish {
        Times times = Times::always;
        bool skipOwn = false;
    };

    /// `interest` must live until `close`.
    Emitter(std::string channel, Interest& interest)
        : channel_(std::move(channel)), interest_(&interest) {
        RunSlot::prepare();
    }

    /// Where these events are emitted. Lives as long as any Hearing, even if a listener lets go of
    /// the last agent.
    const std::string& channel() const { return channel_; }

    /// What this process's events name as their sender: null before the first connect. What it
    /// points to stays as it is as long as the emitter.
    const wire::Uuid* sender() const { return sender_.load(std::memory_order_acquire); }
    void setSender(const wire::Uuid& uuid);

    /// Throws Error, with RE2's message, when the pattern does not compile. Ids start at 1.
    std::uint64_t add(std::shared_ptr<Owner> owner, std::string_view pattern,
                      std::function<void(const Event&)> handler, Wish wish);
    /// Waits for a run on another thread (see awaitStill). With a pattern, only if it has that one.
    bool remove(const Owner& owner, std::uint64_t id, std::optional<std::string_view> pattern = {});
    void removeAll(const Owner& owner, std::optional<std::string_view> pattern = {});

    std::size_t count(const Owner& owner, std::optional<std::string_view> pattern = {}) const;
    /// The owner's patterns, each once, in the order first registered.
    std::vector<std::string> patterns(const Owner& owner) const;

    /// Whether the owner's listeners hear other processes; tells the interest.
    void setRemote(Owner& owner, bool remote);

    /// The hub is going: threads let go of what they remember of this emitter.
    void close();
    bool closed() const { return closed_.load(std::memory_order_relaxed); }

    /// Grows with every change of the list.
    std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
    std::shared_ptr<const Snapshot> snapshot() const;

    /// For Hearing: takes a `once` listener out of the list before its run.
    void detach(Listening& listening);
    /// For Hearing: lets go of the handlers that are gone and have ended.
    void sweep();

  private:
    using List = std::map<std::uint64_t, std::shared_ptr<Listening>>;
    struct PatternUse {
        std::shared_ptr<const Pattern> compiled;
        std::size_t listeners = 0;
        std::size_t remote = 0;  // those whose owner hears remote
    };

    std::shared_ptr<const Pattern> compiled(std::string_view pattern);
    List::iterator detachLocked(List::iterator at);
    void changed();
    void gain(PatternUse& use);
    void lose(PatternUse& use);

    const std::string channel_;
    mutable std::mutex mutex_;  // of all below
    Interest* interest_;
    List list_;  // by id, which is the order of registration
    std::unordered_map<std::string, PatternUse> patterns_;
    std::vector<std::shared_ptr<Listening>> ending_;  // out of the list, perhaps still running
    std::uint64_t lastId_ = 0;
    mutable std::shared_ptr<const Snapshot> snapshot_;  // null when the list has changed since
    std::atomic<std::uint64_t> generation_{1};
    std::atomic<bool> closed_{false};
    std::deque<wire::Uuid> senders_;  // one for each time that the daemon came back
    std::atomic<const wire::Uuid*> sender_{nullptr};
};

}  // namespace netcluster
