// Where the events of other processes and the notices (connected, gap, …) for one Agent run: on the
// connection's thread, on the user's executor, or in `poll`. One for each Agent, shared with what
// is under way to it. Any thread where nothing else is said.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <netcluster/agent.hpp>

#include "around.hpp"
#include "emitter.hpp"
#include "event_access.hpp"

namespace netcluster {

class Mailbox final : public Owner, public Runnable, public std::enable_shared_from_this<Mailbox> {
  public:
    using Executor = std::function<void(std::function<void()>)>;
    enum class Place { thread, executor, poll };

    /// `options` that say where: executor, poll. Throws Error when they exclude each other.
    static Place placeFor(const Options& options);
    /// Takes its place and its bounds from `options`.
    Mailbox(std::shared_ptr<Emitter> emitter, std::string channel, const Options& options);

    // -- the user's handlers; an empty one removes it

    void setOnConnect(std::function<void()> handler);
    void setOnDisconnect(std::function<void(const std::string&)> handler);
    void setOnGap(std::function<void(const Gap&)> handler);
    void setOnPresence(std::function<void(const Presence&)> handler);
    /// Not the user's: of Tasks, which is told before them.
    void setTasksOnPresence(std::function<void(const Presence&)> handler);
    void setOnNodeLost(std::function<void(const std::string&, const std::string&)> handler);
    void setOnError(std::function<void(const std::string&)> handler);

    // -- what comes in; the connection's thread

    void keep(std::shared_ptr<const KeptEvent> event);
    void connected();                              ///< does nothing when the user knows already
    void disconnected(const std::string& reason);  ///< the same
    void gap(const Gap& gap);
    /// Who is around now; tells what is not known yet.
    void around(const Around& now, const Change& change);
    void nodeLost(const std::string& id, const std::string& why);
    void trouble(const std::string& what);
    /// A callback of the user, never dropped.
    void complete(std::function<void()> done);

    /// With Place::poll.
    std::size_t poll(std::chrono::milliseconds timeout);

    /// The agent is going: nothing of its user runs any more. Waits as awaitStill does.
    void close();

    // Owner. `failed` runs the handler here and now.
    void failed(const std::string& what) override;
    bool postpones() const override { return place_ != Place::thread; }

  private:
    struct Item {
        std::shared_ptr<const KeptEvent> event;    // or
        std::optional<Gap> gap;                    // or
        std::shared_ptr<const Presence> presence;  // or
        std::function<void()> notice;
        std::uint64_t handler = 0;  // of presence: the number of the one it is for
        bool droppable = true;

        std::size_t size() const { return 256 + (event ? event->size() : 0); }
        /// Tells of somebody who is there: what comes later may make it news of yesterday.
        bool isOvertakable() const {
            return presence && presence->kind != Presence::Kind::hostExpired &&
                   presence->kind != Presence::Kind::nodeExpired;
        }
        /// Events that are lost with it, as far as one knows.
        std::uint64_t events() const;
    };
    template <typename Handler>
    using Slot = std::shared_ptr<const std::function<Handler>>;

    /// One that is told who is around.
    struct Watcher {
        Slot<void(const Presence&)> handler{};
        std::uint64_t number = 0;  // of the handler, another one for each that is set
        Told told{};               // whom it knows of; connection's thread only
        std::uint64_t toldTo = 0;  // the number of the handler that knows; the same
    };

    template <typename Handler>
    static Slot<Handler> slotFor(std::function<Handler> handler);
    template <typename Handler>
    void set(Slot<Handler>& slot, std::function<Handler> handler);
    template <typename Handler, typename... Arguments>
    void call(const Slot<Handler>& slot, const Arguments&... arguments);
    template <typename Handler, typename... Arguments>
    void run(const Slot<Handler>& handler, const Arguments&... arguments);
    template <typename Handler>
    Slot<Handler> handlerIn(const Slot<Handler>& slot) const;

    void watch(Watcher& watcher, std::function<void(const Presence&)> handler);
    void tellAround(Watcher& watcher, const Around& now, const Change& change);
    void notice(std::function<void()> run, bool droppable = true);
    void push(Item item);
    bool dropOldest();
    bool neverKnown(const Presence& presence, std::uint64_t handler);
    void tell(const Presence& presence, std::uint64_t handler);
    std::optional<Item> pop();
    void handle(const Item& item);
    void handleEvent(const KeptEvent& kept);
    void schedule();
    void runScheduled();

    const std::shared_ptr<Emitter> emitter_;
    const std::string channel_;
    const Place place_;
    const std::size_t capacity_;  // bytes kept for `poll` or the executor
    bool known_ = false;          // the user knows that it is connected; connection's thread only

    mutable std::mutex mutex_;  // of all below
    std::condition_variable arrived_;
    std::deque<Item> items_;
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;  // events, in front of items_
    std::size_t overtakable_ = 0;
    bool scheduled_ = false;  // the executor has a task of ours
    std::shared_ptr<const Executor> executor_;
    Slot<void()> onConnect_;
    Slot<void(const std::string&)> onDisconnect_;
    Slot<void(const Gap&)> onGap_;
    Watcher tasks_;
    Watcher user_;
    std::uint64_t watchers_ = 0;  // handlers of both that were set so far
    Slot<void(const std::string&, const std::string&)> onNodeLost_;
    Slot<void(const std::string&)> onError_;
};

}  // namespace netcluster
