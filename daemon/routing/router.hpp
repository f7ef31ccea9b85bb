// Decides who gets an event: the rules of design "Routing rules", applied to the clients that are
// there. Knows channels by name and clients as Outlets; opens no socket.
// Owned by Server; loop thread only.
//
// What an event name leads to is memoised per channel, so that a name seen before costs one
// look-up: no pattern is run, nothing is allocated. The memo is dropped when anything it rests on
// changes. A run of events of one name costs one look-up in all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "delivery.hpp"
#include "interfaces.hpp"
#include "route_table.hpp"

namespace netcluster::daemon {

struct ChannelCounters {
    std::uint64_t received = 0;   ///< events clients of the channel emitted and the daemon took
    std::uint64_t fromNet = 0;    ///< events that arrived on it from the link
    std::uint64_t delivered = 0;  ///< event x receiver
    std::uint64_t refused = 0;    ///< reserved or impossible names
};

struct NetCounters {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t noChannel = 0;    ///< dropped: this host has no channel of that name
    std::uint64_t notAccepted = 0;  ///< dropped: "acceptfromnet" says no
};

class Router final : public FrameSink, public NetSink {
  public:
    /// `published` is told of every new generation before anything is routed by it.
    explicit Router(std::function<void(std::uint64_t generation)> published = [](std::uint64_t) {});

    /// New rules; channels that are gone are forgotten (their clients must have left).
    void apply(const config::Settings& settings);
    void setLink(NetOutlet* link);
    /// Before the first event; without it every address is everybody's.
    void setAddressing(Addressing* addressing) { addressing_ = addressing; }

    void join(const std::string& channel, Outlet& outlet);
    void leave(const std::string& channel, Outlet& outlet);
    /// It was given something outside of an event's delivery: `endTurn` flushes it.
    void awaitsFlush(Outlet& outlet) { touched_.push_back(&outlet); }
    /// A client's patterns changed: what was memoised may be wrong.
    void subscriptionsChanged() { newGeneration(); }

    std::size_t onEvents(Source& source, const wire::EventRun& events) override;
    void onNetEvents(const wire::EventRun& events) override;
    void onNetNotice(std::string_view event, std::string_view json) override;
    void endTurn() override;
    /// To all clients that hear notices.
    void tellClients(std::string_view event, std::string_view json);
    /// To the other hosts' daemons, in order with what is sent to their clients. False when the
    /// link has no room for it now: `teller.resume()` is called once, when it has.
    [[nodiscard]] bool tellHosts(std::string_view event, std::string_view json, Waiter& teller);
    bool holds(Waiter& link) override;

    /// For sessions and the link, to build what must last until the end of the turn.
    TurnArena& arena() { return arena_; }

    const ChannelCounters* counters(std::string_view channel) const;
    const NetCounters& netCounters() const { return net_; }
    const RouteTable& table() const { return table_; }

  private:
    /// Where an event comes from, and so which rules hold for it.
    enum class Way { local, localBroadcast, net, netBroadcast };
    static constexpr std::size_t ways = 4;

    struct Route {
        std::uint64_t generation = 0;
        bool refused = false;      // the name may not be emitted
        bool notAccepted = false;  // acceptfromnet says no
        bool toNet = false;
        bool oneByOne = false;  // each event needs something of its own: a run is taken apart
        std::vector<Outlet*> outlets;
    };
    struct NameHash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    using Memo = std::unordered_map<std::string, Route, NameHash, std::equal_to<>>;

    struct Port {
        const ChannelRules* rules = nullptr;
        std::vector<Outlet*> outlets;
        Memo memo[ways];
        ChannelCounters counters;
    };

    void newGeneration() { published_(++generation_); }
    const Route& route(Port& port, Way way, std::string_view event);
    void rebuild(Route& route, Port& port, Way way, std::string_view event);
    void addAudience(Route& route, const Port& port, std::string_view event) const;
    std::size_t takeApart(Source& source, const wire::EventRun& events, std::size_t step);
    void deliver(const Route& route, Port& port, const wire::EventRun& events, Source* source);
    Outlet* whoHolds(const Route& route, const Source& source, const wire::EventRun& events) const;
    bool isFor(const Outlet& outlet, const wire::EventView& event) const;
    std::size_t takeReserved(Source& source, Port& port, const wire::EventRun& one);
    void refuse(Source& source, Port& port, const wire::EventView& event, std::string_view why);
    bool fromNet(Port& port, Way way, const wire::EventRun& events);
    void tell(const std::vector<Outlet*>& clients, std::string_view channel, std::string_view event,
              std::string_view json);
    Port* find(std::string_view channel);
    Port* portOf(const Source& source);
    static bool reachesNobodyElse(const Route& route, const Source& source);

    const std::function<void(std::uint64_t)> published_;
    RouteTable table_;
    std::map<std::string, Port, std::less<>> ports_;
    std::vector<Outlet*> administrators_;       // clients of control: told of notices, no events
    const std::string* lastChannel_ = nullptr;  // the name as the last source holds it, and
    Port* lastPort_ = nullptr;                  // where that led
    NetOutlet* link_ = nullptr;
    Addressing* addressing_ = nullptr;
    bool dumpNet_ = false;
    TurnArena arena_;
    std::vector<Outlet*> touched_;
    std::vector<Outlet*> crowded_;  // by what came from the link in this turn
    std::uint64_t generation_;
    NetCounters net_;
};

}  // namespace netcluster::daemon
