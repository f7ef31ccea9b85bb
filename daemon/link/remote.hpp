// One session of another daemon, as heard: who it is, the order of its datagrams, the message under
// construction. Owned by Receiver; pure.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "datagram.hpp"
#include "frame.hpp"
#include "order_window.hpp"
#include "reassembler.hpp"

namespace netcluster::daemon::link {

using Endpoint = boost::asio::ip::udp::endpoint;

/// Events of another host that will never come.
struct GapReport {
    enum class Why {
        lost,           ///< datagrams `first` to `last` did not arrive
        droppedByHost,  ///< the sender's queue was full; `count` events
    };
    std::string_view host;
    Why why = Why::lost;
    std::uint64_t count = 0;  ///< datagrams or events, as `why` says
    std::uint64_t first = 0;  ///< sequence numbers of datagrams
    std::uint64_t last = 0;
};

/// What the receiver tells its owner, in order. Nothing here may call the receiver.
class ReceiverEvents {
  public:
    virtual ~ReceiverEvents() = default;
    /// `event.host` is the sender's name; the event has passed every check of takeMessage.
    virtual void onEvent(const wire::EventView& event) = 0;
    virtual void onGap(const GapReport& gap) = 0;
    /// Something in a datagram of `host` could not be used.
    virtual void onBad(Bad reason) = 0;
    virtual void onHostOnline(std::string_view host, const Endpoint& address) = 0;
    virtual void onHostGone(std::string_view host, std::string_view why) = 0;
};

/// What all remotes of a receiver share.
struct RemoteContext {
    std::size_t maxEvent = 0;
    MemoryBudget& budget;
    ReceiverEvents& events;
};

class Remote final : private OrderWindow::Out {
  public:
    struct Counts {
        std::uint64_t datagrams = 0;      ///< taken, duplicates not included
        std::uint64_t events = 0;         ///< handed on
        std::uint64_t duplicates = 0;     ///< datagrams seen before or given up before
        std::uint64_t gaps = 0;           ///< holes in the numbers
        std::uint64_t lost = 0;           ///< datagrams missing in those holes
        std::uint64_t droppedByHost = 0;  ///< events the sender says it left out
        std::uint64_t resets = 0;         ///< jumps of the numbers beyond `maxJump`
    };

    Remote(RemoteContext& context, const wire::Uuid& session, std::string_view name);

    void onData(Time now, const Data& data, std::string_view body);
    void onHeartbeat(Time now, const Heartbeat& heartbeat);
    void onEnd(Time now, std::uint64_t highest);
    void expire(Time now);
    std::optional<Time> deadline() const { return window_.deadline(); }

    /// A message whose sender went silent is given up.
    void dropUnfinished();

    const std::string& name() const { return name_; }
    const wire::Uuid& session() const { return session_; }
    const Counts& counts() const { return counts_; }
    std::uint64_t incomplete() const { return reassembler_.incomplete(); }

    // Kept by the receiver, which knows when a datagram came and from where.
    Time lastHeard{};
    Endpoint address;
    bool online = false;
    bool ended = false;
    wire::Uuid host{};         ///< zeros until the first heartbeat
    std::string version;       ///< empty until the first heartbeat
    std::uint64_t uptime = 0;  ///< ms, as of the last heartbeat

  private:
    void inOrder(Time now, std::string_view body) override;
    void missing(std::uint64_t first, std::uint64_t last) override;
    void judge(OrderWindow::Result result);
    void takeEvents(std::string_view messages);
    void takeFragment(std::string_view content);

    RemoteContext& context_;
    wire::Uuid session_;
    std::string name_;
    OrderWindow window_;
    Reassembler reassembler_;
    std::uint64_t endsAt_ = numberLimit;  ///< highest number the session may use, known after END
    Counts counts_;
};

}  // namespace netcluster::daemon::link
