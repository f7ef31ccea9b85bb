// The interfaces that cut the cycle between routing and what moves bytes: sessions hand events in
// (Source -> FrameSink), routing hands them out (Outlet, NetOutlet), the link hands in what other
// hosts sent (NetSink). Everything here runs on the daemon's one loop thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "frame.hpp"

namespace netcluster::daemon {

/// Events while they are being delivered; see delivery.hpp.
class Delivery;

/// Who hands events in and may be held up for those who take them.
class Waiter : public std::enable_shared_from_this<Waiter> {
  public:
    virtual ~Waiter() = default;
    /// The queue that held it up has room again: go on reading.
    virtual void resume() = 0;
};

/// A client as routing sees it when it emits.
class Source : public Waiter {
  public:
    virtual const wire::Uuid& uuid() const = 0;
    virtual const std::string& channel() const = 0;
    /// Sends one event to this client alone (control's replies); written at the end of the turn.
    virtual void reply(std::string_view event, std::string_view json, std::string_view id) = 0;
    /// Nobody else wants what it emitted: an event of that name and, of its flags, those of the
    /// reach (wire::reachFlags), as long as the router's generation is this.
    virtual void unwanted(std::string_view event, std::uint8_t reach, std::uint64_t generation) = 0;
    /// It emitted something that goes nowhere, for this reason: counted, logged once. It stays.
    /// Who wrote a `to` that cannot be read is told, where its library has not told it.
    virtual void refused(const wire::EventView& event, std::string_view why) = 0;
    /// It sent something no honest client sends: its connection ends after this turn.
    virtual void misbehaved(std::string_view how) = 0;
    /// Channel and uuid, for the log.
    virtual std::string label() const = 0;
};

/// A client as routing sees it when it receives.
class Outlet {
  public:
    virtual ~Outlet() = default;
    virtual const wire::Uuid& uuid() const = 0;
    virtual bool wants(std::string_view event) const = 0;
    /// True when it takes frames as they are, so that a run of them can be given to it at once.
    virtual bool takesFrames() const = 0;
    /// True when it is to be told what happens on the link: see NetSink::onNetNotice.
    virtual bool hearsNotices() const = 0;
    /// True when this outlet and `source` are the same client.
    virtual bool is(const Source& source) const = 0;
    /// Queues the events; nothing is written before `flush`, at the end of the turn. True for the
    /// first of a turn: the caller then owes the flush.
    [[nodiscard]] virtual bool deliver(Delivery& events) = 0;
    virtual void flush() = 0;
    /// True when these events do not fit and the client may hold its senders up for them
    /// (slowconsumer "block"). `claimed`: what their other receivers, asked before, will take of
    /// the room common to all; its own share is added.
    virtual bool holdsSenders(const wire::EventRun& events, std::size_t& claimed) = 0;
    /// `sender.resume()` is called once, when this outlet stops holding senders.
    virtual void awaitRoom(Waiter& sender) = 0;
    /// The same for the link: true when this outlet lags behind what comes from there, and reads
    /// on. It holds the link up for a part of `stalltimeout` at most; if it has not caught up by
    /// then, not again before it has.
    virtual bool holdsLink() const = 0;
    virtual void holdLink(Waiter& link) = 0;
};

/// Where sessions hand in what their clients emit: the router, or control for its own channel.
class FrameSink {
  public:
    virtual ~FrameSink() = default;
    /// The events point into the session's buffer; nothing of them is kept after `endTurn`. Returns
    /// how many were taken (delivered, or refused and counted). Fewer than all: a receiver of the
    /// next one is full, and nobody was given it; it is to be offered again after `resume`.
    [[nodiscard]] virtual std::size_t onEvents(Source& source, const wire::EventRun& events) = 0;
    /// All events of one read have been handed in: write what was queued.
    virtual void endTurn() = 0;
};

/// Who is who: for events that say whom they are for ("to"), and for what clients and other daemons
/// say of nodes.
class Addressing {
  public:
    virtual ~Addressing() = default;
    /// What is wrong with an address; empty: nothing.
    virtual std::string whyNot(std::string_view to) = 0;
    virtual bool isFor(std::string_view to, const wire::Uuid& client) = 0;
    /// False when all it may be for are on this host.
    virtual bool mayBeElsewhere(std::string_view to) = 0;
    /// An event of a reserved name, which may be a request about nodes.
    enum class Request {
        none,   ///< it is not
        taken,  ///< and answered
        later   ///< too many just now: offer it again after `source.resume()`
    };
    virtual Request onRequest(Source& source, const wire::EventView& event) = 0;
    /// An event on the channel `control` of another host: what its daemon says of its nodes.
    virtual void onHostEvent(const wire::EventView& event) = 0;
    /// A client of a channel has come, or left.
    virtual void onCame(const wire::Uuid& client) = 0;
    virtual void onGone(const wire::Uuid& client) = 0;
    /// What happened on the link: as NetSink::onNetNotice.
    virtual void onNotice(std::string_view event, std::string_view json) = 0;
};

/// The link, as routing sees it.
class NetOutlet {
  public:
    virtual ~NetOutlet() = default;
    /// Takes a copy; sent at the end of the turn at the latest. What there is no room for is left
    /// out, counted, and told to the other hosts.
    virtual void send(const wire::EventRun& events) = 0;
    virtual void flush() = 0;
    /// True when there is no room for these now, and there will be.
    virtual bool holdsSenders(const wire::EventRun& events) const = 0;
    /// `sender.resume()` is called once, when there is.
    virtual void awaitRoom(Waiter& sender) = 0;
};

/// What happened on the link: one of the names of <netcluster/control.hpp>, and its data.
struct Notice {
    std::string_view event;
    std::string json;
};

/// Where the link hands in what other hosts sent.
class NetSink {
  public:
    virtual ~NetSink() = default;
    /// Frames as clients get them: with the sending host's name and marked as remote. They are well
    /// formed and their name valid; all else (channel, rules) is for routing to judge. They stand
    /// still until `endTurn` has returned. Never blocks.
    virtual void onNetEvents(const wire::EventRun& events) = 0;
    /// What happened on the link, in order with its events: `event` is one of the names of
    /// <netcluster/control.hpp>, `json` its data as docs/control-protocol.md draws it. Written at
    /// `endTurn`, like events. Never blocks; keeps nothing of either.
    virtual void onNetNotice(std::string_view event, std::string_view json) = 0;
    /// All events of one batch of datagrams have been handed in.
    virtual void endTurn() = 0;
    /// Asked after `endTurn`. True: a client lags behind; hand in nothing more until
    /// `link.resume()` is called, which is soon.
    virtual bool holds(Waiter& link) = 0;
};

}  // namespace netcluster::daemon
