// The connection to the daemon, shared by all agents of a channel. Owned by a Hub; it keeps itself
// alive while its thread runs. The public functions may be called from any thread and never wait,
// but for `stop`; everything else happens on the connection's own thread, which starts with the
// first `connect`.
//
// Nobody to connect to: it tries all directories, waits (backoff.hpp), tries again, for as long as
// somebody wants a connection.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backoff.hpp"
#include "emitter.hpp"
#include "inbox.hpp"
#include "outbox.hpp"
#include "stream.hpp"
#include "unwanted.hpp"

namespace netcluster {

class Connection final : public Interest, public std::enable_shared_from_this<Connection> {
  public:
    struct Setup {
        std::vector<std::string> directories;  ///< looked at in this order
        std::string channel;
        std::string program;
        std::size_t queueLimit = 0;
    };

    /// What it tells. Called on its thread, without locks held; must not throw.
    class Receiver {
      public:
        virtual ~Receiver() = default;
        virtual void onEvents(const wire::EventRun& events) = 0;
        virtual void onGap(const wire::Gap& gap) = 0;
        /// Frames that a new connection is to begin with, behind the subscriptions.
        virtual std::string onGreeting() = 0;
        /// A daemon has let us in. What it tells until onOnline is how things stand.
        virtual void onWelcomed() = 0;
        virtual void onOnline() = 0;
        virtual void onOffline(const std::string& reason) = 0;
        virtual void onTrouble(const std::string& what) = 0;
    };

    /// Called once, on the connection's thread, with an empty string or what went wrong.
    using Done = std::function<void(const std::string& error)>;

    explicit Connection(Setup setup);
    ~Connection() override;

    /// Must be called once, before anything else.
    void setReceiver(std::weak_ptr<Receiver> receiver) { receiver_ = std::move(receiver); }

    /// Completes when the daemon has taken all subscriptions made until now. The first call starts
    /// the thread.
    void connect(std::chrono::milliseconds timeout, Done done);
    void sync(std::chrono::milliseconds timeout, Done done);
    /// Nobody wants a connection any more: closes it when all is written, or after `grace`; `done`
    /// learns how many events were not (here and now when there never was a `connect`). A `connect`
    /// in between revives it.
    void disconnect(std::chrono::milliseconds grace, std::function<void(std::size_t unsent)> done);
    /// After the last disconnect: ends the thread. With `wait`, which must be false on that thread
    /// itself, returns when it has ended.
    void stop(bool wait);

    /// Its thread runs.
    bool started() const;

    /// `task` runs on the connection's thread after `time`, unless the timer is gone by then.
    using Timer = std::unique_ptr<boost::asio::steady_timer>;
    Timer after(std::chrono::milliseconds time, std::function<void()> task);
    /// Runs `task` on the connection's thread, which must have been started.
    void post(std::function<void()> task);

    Emitted send(const wire::EventView& event);
    /// To this daemon alone: never refused, and forgotten with the connection.
    void request(const wire::EventView& event);
    void wanted(const std::string& pattern) override;
    void unwanted(const std::string& pattern) override;

    /// Of names that it need not be sent.
    const Unwanted& unwanted() const { return unwanted_; }

    bool online() const { return online_; }
    /// Largest event data the daemon takes.
    std::size_t maxEvent() const { return maxEvent_.load(std::memory_order_relaxed); }
    /// As in the last welcome; empty before the first.
    std::optional<wire::Welcome> welcome() const;

    /// Before a welcome says otherwise.
    static constexpr std::size_t defaultMaxEvent = std::size_t{4} << 20;
    /// A daemon that accepts but does not answer the hello in this time is given up.
    static constexpr std::chrono::milliseconds greetingTime{5000};
    /// Longest wait between two attempts while somebody waits in `connect`.
    static constexpr std::chrono::milliseconds eagerWait{250};
    /// A connection that lived this long was a good one: after it, waits begin short again.
    static constexpr std::chrono::milliseconds goodLife{1000};
    /// Events that come closer than this are a flood. Reason: a few times what writing one costs,
    /// and less than any answer takes to come back.
    static constexpr std::chrono::microseconds floodInterval{20};
    /// Any longer and the clock's arithmetic overflows.
    static constexpr std::chrono::milliseconds longestWait = std::chrono::hours(24 * 365);

  private:
    enum class Phase { idle, waiting, greeting, online };
    enum class Wish { nothing, connected, drained };
    struct Waiter {
        std::uint64_t id = 0;
        bool forConnect = false;
        std::uint64_t token = 0;  // of the sync whose answer completes it; 0: none sent yet
        Timer timer;
        std::chrono::milliseconds timeout{0};
        Done done;
    };
    using Waiters = std::list<Waiter>;

    // connection.cpp: its life
    void start();
    void attempt();
    bool attemptAt(const std::string& endpoint);
    void retryLater();
    void lost(const std::string& reason);
    void becameOnline();
    void beginDrain(std::chrono::milliseconds grace, std::function<void(std::size_t)> done);
    void reviveDrain();
    void drainedPerhaps();
    void finishDrain();
    void closeStream();

    // connection_waiters.cpp: connect and sync
    void beginConnect(std::chrono::milliseconds timeout, Done done);
    void beginSync(std::chrono::milliseconds timeout, Done done);
    Waiter& addWaiter(bool forConnect, std::chrono::milliseconds timeout, Done done);
    void askFor(Waiter& waiter);
    void expired(std::uint64_t id);
    void completeWaiters(std::uint64_t token);
    bool failWaiters(const std::string& reason, bool alsoConnects);
    bool somebodyConnects() const;
    template <typename Chosen>
    bool finish(Chosen chosen, const std::string& error);

    // connection_io.cpp: bytes and frames
    void wake(Outbox::Wake wake);
    void waitReadable();
    void readable();
    void takeFrames();
    local::IoResult writeQueued(std::size_t mostWrites);
    bool writeHere();
    void write();
    void waitWritable();
    void writable();
    void onFrame(const wire::FrameView& frame);
    void onWelcome(const wire::FrameView& frame);
    void onRefused(const wire::FrameView& frame);
    void onGoodbye(const wire::FrameView& frame);
    void onSynced(const wire::FrameView& frame);
    void trouble(const std::string& what);
    template <typename Call>
    void tell(Call call);
    /// A handler for a wait on the stream as it is now.
    auto whenReady(void (Connection::*next)());

    const Setup setup_;
    Outbox outbox_;
    Unwanted unwanted_;
    std::weak_ptr<Receiver> receiver_;

    std::atomic<bool> online_{false};
    std::atomic<std::size_t> maxEvent_{defaultMaxEvent};
    mutable std::mutex mutex_;  // of the two below
    std::thread thread_;
    std::optional<wire::Welcome> welcome_;

    // Of who writes, and of changing stream_ (which the connection's thread alone does).
    std::mutex streamMutex_;
    std::chrono::steady_clock::time_point lastLoneEvent_;
    std::atomic<bool> draining_{false};  // the connection's thread waits for all to be written

    // The connection's thread only, from here on.
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        io_.get_executor()};
    boost::asio::steady_timer timer_{io_};       // the next attempt, or the welcome that is due
    boost::asio::steady_timer drainTimer_{io_};  // the end of the grace
    Phase phase_ = Phase::idle;
    Wish wish_ = Wish::nothing;
    std::optional<local::Stream> stream_;
    std::string endpoint_;           // of stream_
    std::uint64_t incarnation_ = 0;  // of stream_: waits of an earlier one are stale
    bool writing_ = false;           // a wait for room is under way
    Inbox inbox_;
    local::Descriptor counter_;  // came with the welcome
    Backoff backoff_;
    std::chrono::steady_clock::time_point onlineSince_;
    bool welcomed_ = false;
    std::string lastError_;    // why the last attempt failed
    std::string lastTrouble_;  // told once, not with every attempt
    std::uint64_t lastToken_ = 0;
    std::uint64_t greetingToken_ = 0;
    Waiters waiters_;  // few
    std::uint64_t lastWaiter_ = 0;
    std::vector<std::function<void(std::size_t)>> drained_;
};

}  // namespace netcluster
