// Hosts with a Relay each, and ways between them, in virtual time: what they say arrives in order
// on each way, after a delay of its own; ways are cut and mended, hosts die and come back. What the
// streams below do (repair, windows) is taken as done: a way brings all or is cut.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "datagram.hpp"
#include "link_testing.hpp"
#include "receiver.hpp"
#include "relay.hpp"

namespace netcluster::daemon::link {

using namespace std::chrono_literals;

/// One daemon: its relay, what it says, and what its clients heard.
class RelayHost final : private RelayEvents {
  public:
    struct Said {
        enum class Kind { event, relayed, heartbeat } kind;
        std::uint64_t number = 0;  ///< of an event; the packet of a heartbeat
        std::uint64_t before = 0;  ///< the event before it
        std::string bytes;
    };
    struct HeardEvent {
        std::string host;
        std::string event;
    };

    RelayHost(std::size_t index, std::uint32_t start, bool passesOn, Time now, std::mt19937& random)
        : name("host" + std::to_string(index)), began_(now), random_(random) {
        session = uuidOf(static_cast<std::uint8_t>(index + 1));
        host = session;
        session[15] = 99;
        wire::storeLittle(reinterpret_cast<char*>(session.data()) + 8, start);
        RelayEvents& events = *this;
        relay = std::make_unique<Relay>(host, session, 1s, passesOn, events);
    }

    void emit(const std::string& event) {
        // Some share a datagram, some do not.
        number_ += random_() % 3 == 0 ? 2048 : 40;
        out.push_back({Said::Kind::event, number_, std::exchange(last_, number_), event});
    }

    void turn(Time now) {
        for (auto it = neighbours_.begin(); it != neighbours_.end();) {
            if (now - it->second.lastHeard <= heartbeatsMissed * 1s) {
                ++it;
                continue;
            }
            const wire::Uuid gone = it->first;
            it = neighbours_.erase(it);
            relay->onNeighbourGone(gone, "silent");
        }
        relay->onTurn(true);
        out.push_back({Said::Kind::heartbeat, ++packet_, 0, heartbeat(now)});
    }

    void hear(Time now, RelayHost& from, const Said& said, bool knowsBefore) {
        relay->setTime(now);
        Neighbour& neighbour = neighbours_[from.session];
        neighbour.lastHeard = now;
        switch (said.kind) {
            case Said::Kind::heartbeat: {
                Heartbeat heartbeat;
                readHeartbeat(said.bytes, heartbeat);
                neighbour.online = true;
                return relay->onNeighbour(from.session, from.name, heartbeat, said.number,
                                          said.bytes);
            }
            case Said::Kind::event:
                return hearEvent(from, said, knowsBefore);
            case Said::Kind::relayed:
                return hearRelayed(from, said.bytes);
        }
    }

    std::string name;
    wire::Uuid session{};
    wire::Uuid host{};
    std::unique_ptr<Relay> relay;
    std::deque<Said> out;
    std::vector<HeardEvent> heard;
    std::set<std::string> there;

  private:
    struct Neighbour {
        Time lastHeard{};
        bool online = false;
        std::uint64_t lastEvent = 0;
    };

    void hearEvent(RelayHost& from, const Said& said, bool knowsBefore) {
        Origin* origin = relay->watched(from.session, from.name);
        neighbours_[from.session].lastEvent = said.number;
        if (!origin) return heard.push_back({from.name, said.bytes});
        Relayed event = ofOrigin(*origin, Relayed::Kind::event, said.number);
        if (knowsBefore && said.before != 0) {
            event.back = static_cast<std::uint32_t>(said.number - said.before);
        }
        event.content = said.bytes;
        if (relay->takeDirect(*origin, event) != Relay::Verdict::take) return;
        heard.push_back({from.name, said.bytes});
        relay->passOn(from.session, event, *origin);
        relay->release(*origin);
    }

    void hearRelayed(RelayHost& from, const std::string& bytes) {
        wire::FrameView frame;
        wire::nextFrame(bytes, bytes.size(), frame);
        Relayed relayed;
        if (readRelayed(frame, relayed) != Bad::none) {
            heard.push_back({"", "what cannot be read"});
            return;
        }
        Origin* origin = nullptr;
        if (relay->judge(from.session, from.name, relayed, origin) != Relay::Verdict::take) return;
        heard.push_back({std::string(relayed.name), std::string(relayed.content)});
        relay->passOn(from.session, relayed, *origin);
        relay->release(*origin);
    }

    std::string heartbeat(Time now) const {
        Heartbeat said;
        said.host = host;
        said.name = name;
        said.version = "1";
        const auto at = [](Time time) {
            return static_cast<std::uint64_t>(
                std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch())
                    .count());
        };
        said.clock = at(now);
        said.uptime = at(now) - at(began_);
        for (const auto& [id, neighbour] : neighbours_) {
            if (neighbour.online) said.heard.push_back(sessionPrefix(id));
        }
        std::string datagram;
        appendHeader(datagram, {Type::heartbeat, 0, session, packet_, false});
        appendHeartbeat(datagram, said);
        return datagram.substr(headerSize);
    }

    void onPassOn(std::string_view message) override {
        out.push_back({Said::Kind::relayed, 0, 0, std::string(message)});
    }
    void onThere(const Origin& origin) override { there.insert(origin.name); }
    void onGone(const Origin& origin, std::string_view) override { there.erase(origin.name); }
    bool onHeld(const wire::Uuid&, std::string_view event, std::string_view from) override {
        heard.push_back({std::string(from), std::string(event)});
        return true;
    }
    std::uint64_t directPosition(const wire::Uuid& id) const override {
        const auto found = neighbours_.find(id);
        return found == neighbours_.end() ? 0 : found->second.lastEvent;
    }

    Time began_;
    std::mt19937& random_;
    std::map<wire::Uuid, Neighbour> neighbours_;
    std::uint64_t number_ = 2048;
    std::uint64_t last_ = 0;
    std::uint64_t packet_ = 0;
};

/// The hosts, and the ways between them. A way is used in both directions.
class RelayNetwork {
  public:
    RelayNetwork(std::size_t count, unsigned seed, const std::set<std::size_t>& relays)
        : random(seed), hosts_(count), relays_(relays) {
        for (std::size_t host = 0; host < count; ++host) start(host);
    }

    void connect(std::size_t one, std::size_t other) {
        connect(one, other, std::chrono::microseconds(100 + random() % 40'000));
    }
    void connect(std::size_t one, std::size_t other, std::chrono::microseconds delay) {
        for (const auto& way : {std::pair(one, other), std::pair(other, one)}) {
            ways_[way] = Way{delay, now, false};
        }
    }
    void cut(std::size_t one, std::size_t other) {
        ways_.erase({one, other});
        ways_.erase({other, one});
    }
    void start(std::size_t host) {
        hosts_[host] =
            std::make_shared<RelayHost>(host, ++starts_, relays_.contains(host), now, random);
        turnDue_[host] = now + std::chrono::milliseconds(random() % 1000);
        for (auto& [way, state] : ways_) {
            if (way.first == host || way.second == host) state.joined = false;
        }
    }
    void kill(std::size_t host) { hosts_[host].reset(); }
    bool alive(std::size_t host) const { return hosts_[host] != nullptr; }

    RelayHost& operator[](std::size_t host) { return *hosts_[host]; }
    std::size_t size() const { return hosts_.size(); }
    bool connected(std::size_t one, std::size_t other) const {
        return ways_.contains({one, other});
    }

    void emit(std::size_t host, const std::string& event) {
        hosts_[host]->emit(event);
        send(host);
    }

    void runFor(Time::duration time) {
        const Time end = now + time;
        while (step(end)) {
        }
        now = end;
    }

    /// Whom `from` reaches: neighbours, and on from those of them that are relays.
    std::set<std::size_t> reachable(std::size_t from) const {
        std::set<std::size_t> found{from};
        std::deque<std::size_t> open{from};
        for (; !open.empty(); open.pop_front()) {
            for (std::size_t other = 0; other < hosts_.size(); ++other) {
                if (!alive(other) || !connected(open.front(), other)) continue;
                if (found.insert(other).second && relays_.contains(other)) open.push_back(other);
            }
        }
        return found;
    }

    std::mt19937 random;
    Time now{1h};

  private:
    struct Way {
        std::chrono::microseconds delay;
        Time free;            ///< what is said next arrives no sooner: ways keep the order
        bool joined = false;  ///< something has been heard on it
    };
    struct Arrival {
        Time when{};
        std::uint64_t order = 0;
        std::size_t to = 0;
        std::weak_ptr<RelayHost> from;
        std::weak_ptr<RelayHost> receiver;
        std::pair<std::size_t, std::size_t> way;
        RelayHost::Said said{};
        bool operator>(const Arrival& other) const {
            return std::pair(when, order) > std::pair(other.when, other.order);
        }
    };

    void send(std::size_t host) {
        auto& out = hosts_[host]->out;
        for (; !out.empty(); out.pop_front()) {
            for (auto& [way, state] : ways_) {
                if (way.first != host || !alive(way.second)) continue;
                const auto jitter = std::chrono::microseconds(random() % 5000);
                state.free = std::max(state.free, now + state.delay + jitter);
                arrivals_.push({state.free, ++order_, way.second, hosts_[host], hosts_[way.second],
                                way, out.front()});
            }
        }
    }

    bool step(Time end) {
        Time first = Time::max();
        if (!arrivals_.empty()) first = arrivals_.top().when;
        std::size_t turns = hosts_.size();
        std::size_t held = hosts_.size();
        for (std::size_t host = 0; host < hosts_.size(); ++host) {
            if (!alive(host)) continue;
            if (turnDue_[host] < first) {
                first = turnDue_[host];
                turns = host;
            }
            if (const auto due = hosts_[host]->relay->deadline(); due && *due < first) {
                first = *due;
                held = host;
            }
        }
        if (first > end) return false;
        now = std::max(now, first);
        if (held < hosts_.size() && hosts_[held]->relay->deadline() == first) {
            hosts_[held]->relay->releaseDue(now);
            send(held);
        } else if (turns < hosts_.size() && turnDue_[turns] == first) {
            hosts_[turns]->turn(now);
            turnDue_[turns] += 1s;
            send(turns);
        } else {
            arrive();
        }
        return true;
    }

    void arrive() {
        const Arrival arrival = arrivals_.top();
        arrivals_.pop();
        const auto from = arrival.from.lock();
        const auto receiver = arrival.receiver.lock();
        const auto way = ways_.find(arrival.way);
        if (!receiver || way == ways_.end()) return;
        if (!from) return;  // for simplicity, what it said goes with it
        const bool isEvent = arrival.said.kind == RelayHost::Said::Kind::event;
        receiver->hear(now, *from, arrival.said, way->second.joined);
        if (isEvent) way->second.joined = true;
        send(arrival.to);
    }

    std::vector<std::shared_ptr<RelayHost>> hosts_;
    std::set<std::size_t> relays_;
    std::map<std::size_t, Time> turnDue_;
    std::map<std::pair<std::size_t, std::size_t>, Way> ways_;
    std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
    std::uint64_t order_ = 0;
    std::uint32_t starts_ = 0;
};

}  // namespace netcluster::daemon::link
