// One session of another daemon, as heard: who it is, the order of its datagrams, its stream of
// messages. Owned by Receiver; pure.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datagram.hpp"
#include "frame.hpp"
#include "inflow.hpp"
#include "order_window.hpp"
#include "stream.hpp"

namespace netcluster::daemon::link {

using Endpoint = boost::asio::ip::udp::endpoint;
/// "192.0.2.1:4454" or "[2001:db8::1]:4454".
std::string text(const Endpoint& endpoint);

/// Datagrams of one sender that wait behind a missing one, at most. Reason: 2.5 MB, or 20 ms
/// at 1 Gbit/s, in which a loss is repaired several times over.
inline constexpr std::uint32_t maxWindow = 2048;

/// Events of another host that will never come.
struct GapReport {
    enum class Why {
        lost,     ///< datagrams `first` to `last` did not arrive, however often asked for; or what
                  ///< they hold was given up, for want of memory or because the host fell silent
        gone,     ///< the same, and the sender no longer kept them
        dropped,  ///< the sender's queue was full; `count` events
        reset,    ///< the sender's numbers jumped; how many are missing nobody knows
    };
    Why why = Why::lost;
    std::uint64_t count = 0;  ///< datagrams or events, as `why` says
    std::uint64_t first = 0;  ///< sequence numbers of datagrams
    std::uint64_t last = 0;
};
std::string_view gapName(GapReport::Why why);

class Relay;
struct Relayed;
class Remote;

/// What the receiver tells its owner, in order. Nothing here may call the receiver.
class ReceiverEvents : public Inflow::Out {
  public:
    virtual void onGap(const Remote& remote, const GapReport& gap) = 0;
    /// Something in a datagram could not be used.
    virtual void onBad(Bad reason) = 0;
    virtual void onHostOnline(const Remote& remote) = 0;
    /// `why`: "silent", "goodbye" or "restarted".
    virtual void onHostExpired(const Remote& remote, std::string_view why) = 0;
};

/// What all remotes of a receiver share.
struct RemoteContext {
    std::size_t maxEvent = 0;
    MemoryBudget& budget;
    Inflow& inflow;
    ReceiverEvents& events;
    Relay* relay = nullptr;  ///< null: nothing comes through relays
};

class Remote final : private OrderWindow::Out, private StreamReader::Out {
  public:
    struct Counts {
        std::uint64_t datagrams = 0;      ///< taken, duplicates not included
        std::uint64_t events = 0;         ///< handed on
        std::uint64_t duplicates = 0;     ///< datagrams seen before or given up before
        std::uint64_t repaired = 0;       ///< datagrams that were missing and came after all
        std::uint64_t ahead = 0;          ///< dropped, to be asked for later: no room to keep them
        std::uint64_t gaps = 0;           ///< holes in the numbers that stayed
        std::uint64_t lost = 0;           ///< datagrams missing in those holes
        std::uint64_t droppedByHost = 0;  ///< events the sender says it left out
        std::uint64_t resets = 0;         ///< jumps of the numbers beyond `maxJump`
    };

    Remote(RemoteContext& context, const wire::Uuid& session, std::string_view name);

    void onData(Time now, const Data& data, std::string_view body,
                std::chrono::microseconds backoff);
    void onHeartbeat(Time now, const Heartbeat& heartbeat, std::chrono::microseconds backoff);
    void onEnd(Time now, std::uint64_t highest);
    void othersAsked(Time now, const Nak& nak);

    /// A whole event frame that it brought goes to our clients. False: it is no good event.
    bool handOn(const wire::FrameView& event, std::string_view host);

    /// What to ask this sender for now, and whether to tell it where we are. `window`: the room
    /// that this receiver has for it.
    void requests(Time now, std::uint32_t window, std::vector<Range>& missing);
    bool statusDue(std::uint32_t window) const;
    Status status(std::uint32_t window);
    std::optional<Time> deadline() const;
    /// All that is missing or unfinished is given up.
    void giveUp();
    /// See OrderWindow.
    bool ready() const { return window_.ready(); }
    void deliverReady(Time now, std::chrono::microseconds backoff) { window_.goOn(now, backoff); }
    /// The first number has been heard.
    bool joined() const { return window_.next() != 0; }

    const std::string& name() const { return name_; }
    const wire::Uuid& session() const { return session_; }
    Counts counts() const;
    std::uint64_t incomplete() const { return stream_.incomplete(); }
    /// The number of its last own event, as the stream counts them; 0: there was none.
    std::uint64_t lastEvent() const { return lastEvent_; }
    /// It has sent DATA since then.
    bool activeSince(Time when) const { return lastData_ >= when; }

    // Kept by the receiver, which knows when a datagram came and from where.
    Time lastHeard{};
    int turnsSilent = 0;  ///< turns of reading since then
    Endpoint address;
    bool online = false;
    bool ended = false;

    /// As of the last heartbeat; the texts are below.
    Heartbeat said;
    bool introduced = false;  ///< there was one
    std::string version;
    std::vector<std::string> channels;

  private:
    void inOrder(std::string_view body) override;
    void missing(Range range, bool gone) override;
    void missingHere();
    void onMessage(const wire::FrameView& message) override;
    void onEvent(const wire::FrameView& message);
    void onRelayed(const wire::FrameView& message);
    void onBadStream(Bad reason) override;
    void judge(OrderWindow::Result result);

    RemoteContext& context_;
    wire::Uuid session_;
    std::string name_;
    OrderWindow window_;
    StreamReader stream_;
    std::uint64_t lastEvent_ = 0;
    std::uint64_t eventBefore_ = 0;       ///< the same, but 0 after a hole
    std::uint64_t endsAt_ = numberLimit;  ///< highest number the session may use, known after END
    Time lastData_{};
    bool heardSinceAsked_ = false;
    bool statusWanted_ = true;      ///< also when we join: the sender is to know that we are here
    std::uint64_t statusAt_ = 0;    ///< `next` as of the last STATUS
    std::optional<Time> lastCall_;  ///< after END: when the missing tail is given up
    Counts counts_;
};

}  // namespace netcluster::daemon::link
