// Frames on their way to the daemon: filled by the threads that emit, emptied by the connection's
// thread. Also knows the subscriptions, so that a new connection can begin with all of them. Any
// thread where nothing else is said; opens no socket.
//
// What becomes of an event when the connection breaks: one that was handed whole to the kernel is
// not sent again (the daemon may have read it or not; `sync` tells). One that was not, or only in
// part, is kept and sent whole on the next connection (the daemon drops the part).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <netcluster/agent.hpp>
#include <string>
#include <string_view>

#include "frame.hpp"

namespace netcluster {

class Outbox {
  public:
    /// `limit`: bytes of frames kept. Subscriptions and syncs are never refused, but count.
    explicit Outbox(std::size_t limit) : limit_(limit) {}

    /// `yes`: nobody writes now, and the caller must see to it that somebody does.
    enum class Wake { no, yes };
    struct Queued {
        Emitted emitted;
        Wake wake;
    };

    Queued event(const wire::EventView& event);
    Wake subscribe(const std::string& pattern);
    Wake unsubscribe(const std::string& pattern);
    Wake sync(std::uint64_t token);
    /// An event for this daemon alone: not kept for the next connection.
    Wake request(const wire::EventView& event);

    /// The pattern of a subscription; empty when it is gone.
    std::string patternOf(std::uint32_t subscription) const;

    std::size_t bytes() const;

    // -- one thread at a time: who writes

    /// A connection begins: preface, hello, all subscriptions, `frames` and a sync are written
    /// next, and events only after `open`.
    void greet(const wire::Hello& hello, std::string_view frames, std::uint64_t token);
    void open();
    /// It broke: keeps events, forgets the rest.
    void broken();
    /// Nobody wants a connection any more. Returns the number of events forgotten.
    std::size_t clear();
    /// Forgets events with more data than the daemon takes; returns their number. Before `open`.
    std::size_t dropLargerThan(std::size_t maxEvent);

    /// What to write now; good until the next call of `written`, `greet`, `broken` or `clear`.
    /// Empty: nothing; the next frame queued will say Wake::yes.
    std::string_view next();
    void written(std::size_t count);
    /// The connection's thread will call `next` by itself soon: no wake until then. False when
    /// somebody writes already.
    bool hold();

  private:
    Wake wakeLocked();
    template <typename Append>
    Wake control(Append append);
    void restore();

    /// A buffer that grew beyond this is given back when there is nothing to write. Not before: in
    /// a flood the system would be asked for the same pages again and again.
    static constexpr std::size_t keptCapacity = std::size_t{1} << 20;

    const std::size_t limit_;

    mutable std::mutex mutex_;
    std::string pending_;        // frames not looked at by who writes yet
    std::size_t unwritten_ = 0;  // bytes of pending_ and of what `writing_` still holds
    bool greeted_ = false;       // the subscriptions have been taken over by a connection
    bool open_ = false;
    bool idle_ = true;  // nobody writes, for there was nothing to write
    std::map<std::string, std::uint32_t> subscriptions_;
    std::uint32_t lastSubscription_ = 0;

    // Of who writes.
    std::string greeting_;
    std::size_t greetingWritten_ = 0;
    std::string writing_;
    std::size_t written_ = 0;
};

}  // namespace netcluster
