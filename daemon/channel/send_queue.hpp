// What the daemon owes one client, and what happens when that is too much. Decides; writes nothing:
// Session asks it what to write and tells it what was written. Plain class, no socket, no clock.
//
// Events are first queued by reference, into buffers that stand still until the end of the turn;
// what the kernel has not taken by then is copied into the backlog by `settle`. So in the fast case
// an event is never copied, and no buffer is kept for a slow client's sake.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backlog.hpp"
#include "frame.hpp"
#include "interfaces.hpp"
#include "settings.hpp"

namespace netcluster::daemon {

class SendQueue;

/// The bytes of all clients' queues together ("processqueue"). When they are used up, stalled
/// clients give theirs back first, the largest first.
class QueueBudget {
  public:
    explicit QueueBudget(std::size_t cap) : cap_(cap) {}

    void setCap(std::size_t cap) { cap_ = cap; }
    std::size_t used() const { return used_; }
    bool fits(std::size_t bytes) const { return used_ + bytes <= cap_; }
    /// As `fits`, after taking from stalled queues other than `asking` if need be.
    bool makeRoom(std::size_t bytes, const SendQueue& asking);
    /// True while a queue that has not stalled holds anything.
    bool somebodyDrains() const;

    /// `sender.resume()` is called once, when there is room again or a queue has stalled, which
    /// then gives way.
    void awaitRoom(Waiter& sender) { waiting_.push_back(sender.weak_from_this()); }

  private:
    friend class SendQueue;
    void changed(std::size_t before, std::size_t after);
    void resumeWaiting();

    std::size_t cap_;
    std::size_t used_ = 0;
    std::vector<SendQueue*> idle_;
    std::vector<std::weak_ptr<Waiter>> waiting_;
};

class SendQueue {
  public:
    enum class Encoding { json, binary };
    enum class Pushed {
        queued,
        dropped,   ///< this event or older ones were dropped; the client will be told in its stream
        overflow,  ///< "disconnect": the client must go
    };

    /// Notices (answers, gap notices) a client may be owed. Reason: an honest client is owed a few;
    /// one that asks without ever reading is not kept.
    static constexpr std::size_t maxNotices = std::size_t{256} << 10;

    /// `channel` must outlive the queue.
    SendQueue(QueueBudget& budget, std::size_t cap, std::string_view channel)
        : budget_(budget), cap_(cap), channel_(channel) {}
    ~SendQueue();
    SendQueue(const SendQueue&) = delete;
    SendQueue& operator=(const SendQueue&) = delete;

    /// What is queued already stays as it is; gaps are told in the new encoding from here on.
    void becomeBinary();
    void setCap(std::size_t cap) { cap_ = cap; }

    /// True when `count` events of `bytes` in all can be queued without dropping anything. An empty
    /// queue takes any one event by reference, whatever the caps, for the kernel may take it at
    /// once; what it does not begin to take is dropped by `settle` if the budget has no room for
    /// it.
    bool fits(std::size_t bytes, std::size_t count = 1) const;
    /// As `fits`, after taking from stalled clients if need be.
    bool makeRoom(std::size_t bytes, std::size_t count = 1);
    /// For `block`, where nothing may be dropped: as `makeRoom`, beside `claimed` that other queues
    /// will take of the budget; if there is room, this queue's share is added to that. An empty
    /// queue takes one event unasked only when the budget has nobody to wait for.
    bool makeSafeRoom(std::size_t bytes, std::size_t count, std::size_t& claimed);
    /// One event, or `count` frames for which there is room; by reference until `settle`. `policy`
    /// says what to do with one that does not fit; under `block` the oldest are dropped, for then
    /// the caller has held the senders already.
    Pushed push(std::string_view events, std::size_t count, config::SlowConsumer policy);
    /// A notice; copied. False when the client is owed too many.
    [[nodiscard]] bool pushNotice(std::string_view bytes);

    bool empty() const { return holdsNothing() && !headGap_.count && !tailGap_.count; }
    /// True when senders that were held may go on. Reason for half: each resumed sender then finds
    /// room for more than one read.
    bool drained() const { return cost() <= cap_ / 2; }
    /// True when little more than half of its cap, or a quarter of what all have, is left.
    bool crowded() const { return cost() > cap_ / 2 || !budget_.fits(budget_.cap_ / 4); }
    /// Of what the kernel would not take in earlier turns.
    std::size_t backlogBytes() const { return backlog_ ? backlog_->bytes() : 0; }
    std::size_t cost() const {
        return turnBytes_ + inFlight_.size() + (backlog_ ? backlog_->cost() : 0);
    }

    /// A stalled client gives up its oldest events when others need the room.
    void setIdle(bool idle);

    /// What to write next, in order, at most `limit` pieces.
    void gather(std::vector<std::string_view>& pieces, std::size_t limit);
    void wrote(std::size_t count);
    /// The client takes nothing any more: all it was owed is let go.
    void abandon();
    /// End of the turn: copies what was queued by reference and not written.
    void settle();

    std::uint64_t eventsMeant() const { return sequence_; }
    std::uint64_t eventsDropped() const { return dropped_; }

  private:
    friend class QueueBudget;

    bool holdsNothing() const { return turn_.empty() && !backlog_ && inFlight_.empty(); }
    std::size_t eventSize(std::string_view events) const;
    void addByReference(std::string_view events, std::size_t count);
    void dropNewest(std::uint64_t sequence);
    /// Drops from the front until `bytes` more fit, or nothing droppable is left.
    void dropOldest(std::size_t bytes);
    void shrinkTo(std::size_t target);
    void dropFrontItem();
    void keepPartialFront();
    void tellHeadGap();
    void tellTailGap();
    void appendNotice(std::string_view bytes, std::uint32_t sequences);
    std::string encodedGap(const wire::Gap& gap) const;
    Backlog& backlog();
    void account();
    void clearTurn();
    void settlePiece(std::string_view piece);
    std::size_t takeFrom(std::string& text, std::size_t count);

    QueueBudget& budget_;
    std::size_t cap_;
    std::string_view channel_;
    Encoding encoding_ = Encoding::json;
    bool idle_ = false;

    std::string inFlight_;  // goes first and is never dropped
    wire::Gap headGap_;     // dropped behind inFlight_, not told yet
    std::unique_ptr<Backlog> backlog_;
    std::vector<std::string_view> turn_;  // neighbours in one buffer are one piece
    wire::Gap tailGap_;                   // dropped at the end; told before the next event

    std::size_t turnBytes_ = 0;
    std::size_t turnEvents_ = 0;
    std::size_t turnWritten_ = 0;  // its first bytes, when the kernel took only a part
    std::size_t inFlightNotices_ = 0;
    std::size_t accounted_ = 0;        // of the budget
    std::uint64_t sequence_ = 0;       // of the last event meant for this client
    std::uint64_t frontSequence_ = 1;  // of the oldest event neither written nor dropped
    std::uint64_t dropped_ = 0;
};

}  // namespace netcluster::daemon
