// One client of one channel: bytes in become events for the sink, events for it become bytes out.
// Owned by its Channel (and by the waits that are under way); loop thread only. Never blocks: it
// reads and writes what can be moved, and waits for the rest.
//
// A client starts as a 1.x client: it is served JSON packets at once, for many listeners never send
// a byte. Its first bytes decide: the preface makes it binary, anything else is JSON for good.
//
// session.cpp holds its life and its writing, session_input.cpp what it makes of the bytes it
// reads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "interfaces.hpp"
#include "packet.hpp"
#include "send_queue.hpp"
#include "stream.hpp"
#include "subscriptions.hpp"

namespace netcluster::daemon {

class Channel;
class Router;

/// What all sessions of a daemon share. Outlives them.
struct SessionContext {
    boost::asio::io_context& io;
    Router& router;
    QueueBudget& budget;
    PatternCache& patterns;
    std::string hostName{};
    std::size_t maxEvent = 0;
    std::size_t clientQueue = 0;
    std::size_t maxClients = 0;
    std::chrono::milliseconds stallTimeout{};
    const local::SharedCounter& generation;  ///< the router's, for clients to see
    /// What a client that asks for notices is told right after its welcome.
    std::function<std::vector<Notice>()> standing;
    std::size_t clients = 0;  ///< connected now, all channels

    /// One buffer for all reads: nothing in it outlives the turn. Reason for the size: the kernel
    /// gives at most its own socket buffer (about 208 KiB on Linux) at once.
    static constexpr std::size_t readSize = std::size_t{256} << 10;
    std::vector<char> readBuffer = std::vector<char>(readSize);
};

/// Where a session belongs.
struct SessionHome {
    const std::string& channel;
    FrameSink& sink;
    const config::SlowConsumer& slowConsumer;
    Channel& owner;  ///< told once, when the session is over
};

class Session final : public Source, public Outlet {
  public:
    Session(SessionContext& context, SessionHome home, local::Stream stream,
            const wire::Uuid& uuid);
    ~Session() override;

    void start();
    /// Takes no more events, writes what is queued (for at most `drainTime`) and closes. Binary
    /// clients are told the reason.
    void close(std::string reason);
    /// The context's limits have changed. `newMaxEvent`: binary clients are told by a new welcome.
    void takeLimits(bool newMaxEvent);

    std::uint64_t dropped() const { return queue_.eventsDropped(); }
    nlohmann::json summary() const;
    nlohmann::json details() const;

    // Source
    const wire::Uuid& uuid() const override { return uuid_; }
    const std::string& channel() const override { return home_.channel; }
    void resume() override;
    void reply(std::string_view event, std::string_view json, std::string_view id) override;
    void unwanted(std::string_view event, std::uint8_t reach, std::uint64_t generation) override;
    void refused(const wire::EventView& event, std::string_view why) override;
    void misbehaved(std::string_view how) override;
    std::string label() const override;

    // Outlet
    bool wants(std::string_view event) const override;
    bool is(const Source& source) const override { return this == &source; }
    bool takesFrames() const override { return encoding_ == Encoding::binary; }
    bool hearsNotices() const override;
    bool deliver(Delivery& events) override;
    void flush() override;
    bool holdsSenders(const wire::EventRun& events, std::size_t& claimed) override;
    void awaitRoom(Waiter& sender) override;
    bool holdsLink() const override;
    void holdLink(Waiter& link) override;

  private:
    enum class Encoding { undecided, json, binary };
    enum class Step { next, incomplete, blocked, later, ended };
    /// A closing client may take this long to read what it is owed. Reason: the daemon's own stop
    /// promises 2 s.
    static constexpr auto drainTime = std::chrono::seconds(2);
    /// A reader that keeps up is waited for rather than given a deep queue, which would only turn
    /// its events cold in the caches: senders are held from this backlog on. Reason: with what its
    /// socket holds (about 200 KiB) enough to keep it busy until they go on.
    static constexpr std::size_t shortBacklog = std::size_t{64} << 10;
    /// So long at most; from then on until it has caught up, the whole queue may fill. Reason: more
    /// than a reader needs that only waits for its turn on a busy core, and far less than
    /// `stalltimeout`.
    static constexpr auto patience = std::chrono::milliseconds(10);
    /// A frame or packet that has been begun (a hello that is due, too) must be whole by then.
    /// Reason: on one host that takes milliseconds, and until then it holds up to `maxevent` here.
    static constexpr auto inputTime = std::chrono::seconds(30);
    /// Subscriptions compiled in one turn. Reason: a hostile pattern of 1 KiB takes about 10 ms.
    static constexpr int compilesPerTurn = 8;

    // session_input.cpp
    void readable();
    void left();
    void consume(std::string_view bytes);
    void watchInput(bool progressed);
    void checkInput();
    std::size_t decode(std::string_view bytes);
    Step step(std::string_view& bytes);
    Step decideEncoding(std::string_view& bytes);
    Step packet(std::string_view& bytes);
    Step frame(std::string_view& bytes);
    Step events(std::string_view& bytes, const wire::FrameView& frame);
    Step onFrame(const wire::FrameView& frame);
    Step onHello(const wire::FrameView& frame);
    Step onSubscribe(const wire::FrameView& frame);
    Step onUnsubscribe(const wire::FrameView& frame);
    Step onSync(const wire::FrameView& frame);
    Step malformed(const std::string& what);
    void answerHello(std::uint32_t wanted);
    std::string welcome(std::uint32_t capabilities = 0) const;
    void tellStanding();
    std::size_t maxInput() const;

    // session.cpp
    std::shared_ptr<Session> self() {
        return std::static_pointer_cast<Session>(shared_from_this());
    }
    void waitReadable();
    void waitWritable();
    void write();
    bool takes() const;
    bool enqueue(std::string_view events, std::size_t count, bool remote);
    void offerEarly();
    void progressed();
    void bePatient();
    void endPatience();
    void endLinkHold();
    // Reason for three fifths: it ends before other hosts take this one for stalled.
    std::chrono::milliseconds linkHold() const { return context_.stallTimeout * 3 / 5; }
    void releaseSenders();
    void watch();
    void noteProgress();
    void checkProgress();
    void noProgress();
    using Timer = std::unique_ptr<boost::asio::steady_timer>;
    void arm(Timer& timer, std::chrono::milliseconds after, void (Session::*then)());
    void notice(const std::string& bytes);
    void noteDrops();
    void doom(const std::string& reason);
    void becomeDeaf();
    void finish();

    SessionContext& context_;
    const SessionHome home_;
    local::Stream stream_;
    const wire::Uuid uuid_;
    const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    SendQueue queue_;

    Encoding encoding_ = Encoding::undecided;
    bool greeted_ = false;        // the hello has been answered
    bool tellsUnwanted_ = false;  // it sees the router's generation
    bool asksNotices_ = false;    // of what happens on the link
    bool reading_ = false;        // a wait for bytes is under way
    bool writing_ = false;        // a wait for room is under way
    bool paused_ = false;         // a receiver of ours is full
    bool touched_ = false;        // somebody owes us a flush
    bool dropLogged_ = false;     // until it has caught up
    bool deaf_ = false;           // it has closed its end; what it said before still counts
    bool closing_ = false;        // takes nothing more; ends when drained
    bool closed_ = false;
    std::string doom_;  // closes at the end of the turn, for this reason

    std::string pending_;       // bytes read and not yet decoded
    std::size_t searched_ = 0;  // of pending_: known to hold no NUL
    bool unfinished_ = false;   // what it has begun is not whole
    bool timingInput_ = false;
    std::chrono::steady_clock::time_point begun_;  // when; 0 while nothing is unfinished
    std::string name_;                             // as the hello gives it
    std::optional<local::Peer> peer_;
    std::unique_ptr<Subscriptions> subscriptions_;
    std::vector<std::weak_ptr<Waiter>> held_;  // senders that wait for our queue
    Timer timer_;                              // stall or drain: never both
    Timer patienceTimer_;
    Timer linkTimer_;
    Timer inputTimer_;
    bool timingLink_ = false;
    bool holdsLinkNow_ = false;
    bool tooSlowForLink_ = false;  // until it has caught up
    std::chrono::steady_clock::time_point linkHeldSince_{};

    int compiled_ = 0;      // in this turn
    bool watched_ = false;  // the timer looks at its progress
    std::chrono::steady_clock::time_point lastProgress_;
    std::size_t unread_ = 0;  // bytes the kernel held for the client then
    bool stalled_ = false;    // holds nobody up until it has caught up
    bool patient_ = true;     // holds senders early; false until it has caught up
    bool timingPatience_ = false;
    bool caughtUp_ = false;  // since patience began
    std::uint64_t received_ = 0;
    std::uint64_t refused_ = 0;
    bool toldRefused_ = false;
    std::uint64_t dropsNoted_ = 0;
};

}  // namespace netcluster::daemon
