#include "router.hpp"

#include <algorithm>
#include <iterator>
#include <netcluster/control.hpp>
#include <random>

#include "dump.hpp"
#include "log.hpp"

namespace netcluster::daemon {
namespace {

// Names remembered per channel and way. Reason: programs use tens of names, a few use thousands;
// beyond that the memo starts anew rather than grow.
constexpr std::size_t maxMemo = 4096;

void dumpEach(const std::string& where, const wire::EventRun& events) {
    wire::forEachFrame(events.frames,
                       [&](std::string_view frame) { dumpEvent(where, events.event(frame)); });
}

}  // namespace

// Begins anywhere, so that what a client was told by an earlier daemon is never taken for this
// one's.
Router::Router(std::function<void(std::uint64_t)> published)
    : published_(std::move(published)), generation_(std::random_device{}()) {
    generation_ = (generation_ << 20) + 1;
    published_(generation_);
}

void Router::apply(const config::Settings& settings) {
    table_ = RouteTable(settings);
    dumpNet_ = settings.link.dumpNet;
    newGeneration();
    lastChannel_ = nullptr;
    std::erase_if(ports_, [&](const auto& port) { return !table_.find(port.first); });
    for (const auto& [name, ignored] : settings.channels) {
        if (const ChannelRules* rules = table_.find(name)) ports_[name].rules = rules;
    }
}

void Router::setLink(NetOutlet* link) {
    link_ = link;
    newGeneration();
}

Router::Port* Router::find(std::string_view channel) {
    const auto found = ports_.find(channel);
    return found == ports_.end() ? nullptr : &found->second;
}

// Of thousands of events in a row the sources are clients of one channel.
Router::Port* Router::portOf(const Source& source) {
    if (&source.channel() != lastChannel_) {
        lastPort_ = find(source.channel());
        lastChannel_ = &source.channel();
    }
    return lastPort_;
}

void Router::join(const std::string& channel, Outlet& outlet) {
    lastChannel_ =
        nullptr;  // a channel that was closed may have left its name's address to another
    Port* port = find(channel);
    if (!port) {  // nothing is routed to control
        if (channel == config::controlChannel) administrators_.push_back(&outlet);
        return;
    }
    port->outlets.push_back(&outlet);
    newGeneration();
    if (addressing_) addressing_->onCame(outlet.uuid());
}

void Router::leave(const std::string& channel, Outlet& outlet) {
    std::erase(touched_, &outlet);
    std::erase(crowded_, &outlet);
    std::erase(administrators_, &outlet);
    Port* port = find(channel);
    if (!port) return;
    std::erase(port->outlets, &outlet);
    newGeneration();
    if (addressing_) addressing_->onGone(outlet.uuid());
}

const ChannelCounters* Router::counters(std::string_view channel) const {
    const auto found = ports_.find(channel);
    return found == ports_.end() ? nullptr : &found->second.counters;
}

const Router::Route& Router::route(Port& port, Way way, std::string_view event) {
    Memo& memo = port.memo[static_cast<std::size_t>(way)];
    auto found = memo.find(event);
    if (found == memo.end()) {
        if (memo.size() >= maxMemo) memo.clear();
        found = memo.emplace(std::string(event), Route{}).first;
    }
    if (found->second.generation != generation_) rebuild(found->second, port, way, event);
    return found->second;
}

void Router::rebuild(Route& route, Port& port, Way way, std::string_view event) {
    route = Route{};
    route.generation = generation_;
    if (way == Way::local || way == Way::localBroadcast) {
        route.refused = event.starts_with(wire::reservedPrefix) || !wire::validEventName(event);
        if (route.refused) {
            route.oneByOne = true;
            return;
        }
        route.toNet = link_ && (way == Way::localBroadcast || port.rules->toNet.lets(event));
    } else if (!port.rules->fromNet.lets(event)) {
        route.notAccepted = true;
        return;
    }
    addAudience(route, port, event);
    if (way == Way::localBroadcast) {
        for (const auto& [name, other] : ports_) {
            if (&other != &port) addAudience(route, other, event);
        }
    } else if (way != Way::netBroadcast) {
        for (const std::string& target : port.rules->targets) {
            if (const auto found = ports_.find(target); found != ports_.end()) {
                addAudience(route, found->second, event);
            }
        }
    }
    route.oneByOne = port.rules->dump ||
                     !std::all_of(route.outlets.begin(), route.outlets.end(),
                                  [](const Outlet* outlet) { return outlet->takesFrames(); });
}

void Router::addAudience(Route& route, const Port& port, std::string_view event) const {
    for (Outlet* outlet : port.outlets) {
        if (outlet->wants(event)) route.outlets.push_back(outlet);
    }
}

std::size_t Router::onEvents(Source& source, const wire::EventRun& events) {
    const wire::EventView& event = events.first;
    Port* port = portOf(source);
    if (!port) return events.count;  // the channel is being closed
    if (event.broadcast() && !port->rules->allowBroadcast) {
        if (events.count > 1) return takeApart(source, events, 1);
        return onEvents(source, wire::EventRun(wire::withoutBroadcast(event)));
    }
    const Way way = event.broadcast() ? Way::localBroadcast : Way::local;
    const Route& route = this->route(*port, way, event.name);
    if (events.count > 1 && route.oneByOne) return takeApart(source, events, 1);
    if (route.refused) return takeReserved(source, *port, events);
    if (addressing_ && !event.to.empty()) {
        if (const std::string why = addressing_->whyNot(event.to); !why.empty()) {
            for (std::size_t n = 0; n < events.count; ++n) refuse(source, *port, event, why);
            return events.count;
        }
    }
    const bool mayLeave = route.toNet && !(event.flags & wire::hostOnlyFlag);
    const bool toNet =
        mayLeave && (event.to.empty() || !addressing_ || addressing_->mayBeElsewhere(event.to));
    if (toNet && port->rules->holdSenders && link_->holdsSenders(events)) {
        if (events.count > 1) return takeApart(source, events, (events.count + 1) / 2);
        link_->awaitRoom(source);
        return 0;
    }
    if (Outlet* full = whoHolds(route, source, events)) {
        if (events.count > 1) return takeApart(source, events, (events.count + 1) / 2);
        full->awaitRoom(source);
        return 0;
    }
    port->counters.received += events.count;
    if (port->rules->dump) dumpEvent(source.channel(), event);
    deliver(route, *port, events, &source);
    if (toNet) {
        net_.sent += events.count;
        link_->send(events);
    } else if (!mayLeave && reachesNobodyElse(route, source) && !port->rules->dump) {
        source.unwanted(event.name, event.flags & wire::reachFlags, generation_);
    }
    return events.count;
}

// An event whose name only the daemon may emit, or a request.
std::size_t Router::takeReserved(Source& source, Port& port, const wire::EventRun& one) {
    // The other hosts are to hear of it.
    if (link_ && control::changesNodes(one.first.name) && link_->holdsSenders(one)) {
        link_->awaitRoom(source);
        return 0;
    }
    using Request = Addressing::Request;
    switch (addressing_ ? addressing_->onRequest(source, one.first) : Request::none) {
        case Request::later:
            return 0;
        case Request::taken:
            return 1;
        case Request::none:
            break;
    }
    refuse(source, port, one.first, "a name that clients may not emit");
    return 1;
}

void Router::refuse(Source& source, Port& port, const wire::EventView& event,
                    std::string_view why) {
    ++port.counters.refused;
    source.refused(event, why);
}

bool Router::isFor(const Outlet& outlet, const wire::EventView& event) const {
    return event.to.empty() || !addressing_ || addressing_->isFor(event.to, outlet.uuid());
}

bool Router::reachesNobodyElse(const Route& route, const Source& source) {
    return route.outlets.empty() || (route.outlets.size() == 1 && route.outlets[0]->is(source));
}

// `step` events at a time, as far as they are taken.
std::size_t Router::takeApart(Source& source, const wire::EventRun& events, std::size_t step) {
    std::size_t taken = 0;
    for (std::string_view rest = events.frames; !rest.empty();) {
        wire::EventRun part(events.event(rest.substr(0, wire::frameSize(rest))));
        part.frames = wire::firstFrames(rest, step);
        part.count = std::min(step, events.count - taken);
        const std::size_t ofPart = onEvents(source, part);
        taken += ofPart;
        if (ofPart < part.count) break;
        rest.remove_prefix(part.frames.size());
    }
    return taken;
}

Outlet* Router::whoHolds(const Route& route, const Source& source,
                         const wire::EventRun& events) const {
    std::size_t claimed = 0;
    for (Outlet* outlet : route.outlets) {
        if (outlet->is(source) || !isFor(*outlet, events.first)) continue;
        if (outlet->holdsSenders(events, claimed)) return outlet;
    }
    return nullptr;
}

void Router::deliver(const Route& route, Port& port, const wire::EventRun& events, Source* source) {
    Delivery delivery(events, arena_);
    for (Outlet* outlet : route.outlets) {
        if ((source && outlet->is(*source)) || !isFor(*outlet, events.first)) continue;
        port.counters.delivered += events.count;
        if (outlet->deliver(delivery)) touched_.push_back(outlet);
    }
    if (source && delivery.notJson()) source->misbehaved("data that is not JSON");
}

void Router::onNetEvents(const wire::EventRun& events) {
    const wire::EventView& event = events.first;
    if (dumpNet_) dumpEach("net/" + std::string(event.channel), events);
    if (addressing_ && event.channel == control::channel && control::isBetweenDaemons(event.name)) {
        return wire::forEachFrame(events.frames, [&](std::string_view frame) {
            addressing_->onHostEvent(events.event(frame));
        });
    }
    net_.received += events.count;
    if (event.broadcast()) {
        for (auto& [name, port] : ports_) (void)fromNet(port, Way::netBroadcast, events);
    } else if (Port* port = find(event.channel)) {
        if (!fromNet(*port, Way::net, events)) net_.notAccepted += events.count;
    } else {
        net_.noChannel += events.count;
    }
}

// False when the channel takes no such events from the link.
bool Router::fromNet(Port& port, Way way, const wire::EventRun& events) {
    const Route& route = this->route(port, way, events.first.name);
    if (route.notAccepted) return false;
    port.counters.fromNet += events.count;
    if (port.rules->dump) dumpEach(std::string(events.first.channel), events);
    if (!route.oneByOne) {
        deliver(route, port, events, nullptr);
    } else {
        wire::forEachFrame(events.frames, [&](std::string_view frame) {
            deliver(route, port, wire::EventRun(events.event(frame)), nullptr);
        });
    }
    for (Outlet* outlet : route.outlets) {
        const bool known = !crowded_.empty() && crowded_.back() == outlet;
        if (!known && outlet->holdsLink()) crowded_.push_back(outlet);
    }
    return true;
}

bool Router::holds(Waiter& link) {
    const auto first = std::find_if(crowded_.begin(), crowded_.end(),
                                    [](const Outlet* outlet) { return outlet->holdsLink(); });
    const bool any = first != crowded_.end();
    // One at a time: the link asks again when that one has let go.
    if (any) (*first)->holdLink(link);
    crowded_.clear();
    return any;
}

// A channel that takes nothing from the link misses nothing of it either.
void Router::onNetNotice(std::string_view event, std::string_view json) {
    if (addressing_) addressing_->onNotice(event, json);
    tellClients(event, json);
}

void Router::tellClients(std::string_view event, std::string_view json) {
    tell(administrators_, config::controlChannel, event, json);
    for (const auto& [name, port] : ports_) {
        if (event == control::netGap && port.rules->fromNet.letsNothing()) continue;
        tell(port.outlets, name, event, json);
    }
}

bool Router::tellHosts(std::string_view event, std::string_view json, Waiter& teller) {
    if (!link_) return true;
    wire::EventView said;
    said.name = event;
    said.channel = config::controlChannel;
    said.payload = json;
    said.knownJson = true;
    std::string& frame = arena_.next();
    wire::appendEvent(frame, said);
    said.whole = frame;
    const wire::EventRun one(said);
    if (link_->holdsSenders(one)) {
        link_->awaitRoom(teller);
        return false;
    }
    link_->send(one);
    return true;
}

void Router::tell(const std::vector<Outlet*>& clients, std::string_view channel,
                  std::string_view event, std::string_view json) {
    std::vector<Outlet*> hearers;  // a copy: who is found dead as it is told leaves
    std::copy_if(clients.begin(), clients.end(), std::back_inserter(hearers),
                 [](const Outlet* outlet) { return outlet->hearsNotices(); });
    if (hearers.empty()) return;
    wire::EventView notice;
    notice.name = event;
    notice.channel = channel;
    notice.payload = json;
    notice.knownJson = true;
    std::string& frame = arena_.next();
    wire::appendEvent(frame, notice);
    notice.whole = frame;
    const wire::EventRun one(notice);
    Delivery delivery(one, arena_);
    for (Outlet* outlet : hearers) {
        if (outlet->deliver(delivery)) touched_.push_back(outlet);
    }
}

void Router::endTurn() {
    // A flush may close its client, which leaves; so take one at a time.
    while (!touched_.empty()) {
        Outlet* outlet = touched_.back();
        touched_.pop_back();
        outlet->flush();
    }
    if (link_) link_->flush();
    arena_.reset();
}

}  // namespace netcluster::daemon
