#include "router.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <set>
#include <utility>

namespace netcluster::daemon {
namespace {

using config::ChannelSettings;
using config::EventFilter;
using config::Settings;
using Names = std::vector<std::string>;

// A client of a channel: hears what matches, and remembers it.
class Client final : public Source, public Outlet {
  public:
    Client(std::string channel, std::function<bool(std::string_view)> wanted)
        : channel_(std::move(channel)), wanted_(std::move(wanted)) {
        uuid_[0] = ++made_;
    }

    const wire::Uuid& uuid() const override { return uuid_; }
    const std::string& channel() const override { return channel_; }
    void resume() override { ++resumed; }
    void reply(std::string_view, std::string_view, std::string_view) override {}
    void unwanted(std::string_view event, std::uint8_t reach, std::uint64_t generation) override {
        notWanted.emplace_back(event);
        lastReach = reach;
        lastGeneration = generation;
    }
    void refused(const wire::EventView& event, std::string_view) override {
        refusals.emplace_back(event.name);
    }
    void misbehaved(std::string_view) override { misbehaviour = true; }
    std::string label() const override { return channel_; }

    bool wants(std::string_view event) const override { return wanted_(event); }
    bool is(const Source& source) const override { return &source == this; }
    bool takesFrames() const override { return !json; }
    bool hearsNotices() const override { return notices; }
    bool deliver(Delivery& events) override {
        if (json && events.packet().empty()) return false;
        largestRun = std::max(largestRun, events.count());
        for (std::size_t n = 0; n < events.count(); ++n) heard.emplace_back(events.first().name);
        lastHost = events.first().host;
        lastData = json ? events.packet() : events.first().payload;
        lastFlags = events.first().flags;
        lastChannel = events.first().channel;
        return heard.size() - flushedUpTo == 1;
    }
    void flush() override { flushedUpTo = heard.size(); }
    bool holdsSenders(const wire::EventRun& events, std::size_t&) override {
        return full || heard.size() + events.count > room;
    }
    void awaitRoom(Waiter&) override { ++waiting; }
    bool holdsLink() const override { return lagging; }
    void holdLink(Waiter& link) override { heldLink = &link; }

    std::vector<std::string> take() {
        return std::exchange(heard, (flushedUpTo = 0, std::vector<std::string>{}));
    }

    std::vector<std::string> heard;
    std::vector<std::string> refusals;
    std::vector<std::string> notWanted;
    std::uint8_t lastReach = 0;
    std::uint64_t lastGeneration = 0;
    std::string lastHost, lastData, lastChannel;
    std::uint8_t lastFlags = 0xff;
    std::size_t flushedUpTo = 0;
    bool full = false, misbehaviour = false, json = false, notices = false;
    int waiting = 0, resumed = 0;
    bool lagging = false;
    Waiter* heldLink = nullptr;
    std::size_t largestRun = 0;
    std::size_t room = 1 << 20;

  private:
    static inline std::uint8_t made_ = 0;
    std::string channel_;
    std::function<bool(std::string_view)> wanted_;
    wire::Uuid uuid_{};
};

class FakeLink final : public NetOutlet {
  public:
    void send(const wire::EventRun& events) override {
        wire::forEachFrame(events.frames, [&](std::string_view frame) {
            sent.emplace_back(events.event(frame).name);
            lastFlags = static_cast<std::uint8_t>(frame[5]);
        });
        largestRun = std::max(largestRun, events.count);
    }
    void flush() override { ++flushes; }
    bool holdsSenders(const wire::EventRun& events) const override {
        return sent.size() + events.count > room;
    }
    void awaitRoom(Waiter& sender) override { waiting.push_back(&sender); }
    std::vector<std::string> sent;
    std::uint8_t lastFlags = 0;  // as they stand in the frame's bytes
    int flushes = 0;
    std::size_t largestRun = 0;
    std::size_t room = 1 << 20;
    std::vector<Waiter*> waiting;
};

EventFilter matching(std::string pattern) {
    return {EventFilter::Kind::matching, std::move(pattern)};
}
constexpr auto all = EventFilter::Kind::all;
constexpr auto none = EventFilter::Kind::none;

// Says who is meant as the test wishes, and what becomes of requests.
class FakeAddressing final : public Addressing {
  public:
    std::string whyNot(std::string_view to) override { return to == "bad" ? "no target" : ""; }
    bool isFor(std::string_view to, const wire::Uuid& client) override {
        ++asked;
        return meant.contains({std::string(to), client});
    }
    bool mayBeElsewhere(std::string_view to) override { return to != "here"; }
    Request onRequest(Source&, const wire::EventView& event) override {
        requests.emplace_back(event.name);
        return answer;
    }
    void onHostEvent(const wire::EventView& event) override { told.emplace_back(event.name); }
    void onCame(const wire::Uuid& client) override { clients.insert(client); }
    void onGone(const wire::Uuid& client) override { clients.erase(client); }
    void onNotice(std::string_view, std::string_view) override {}

    std::set<std::pair<std::string, wire::Uuid>> meant;
    std::set<wire::Uuid> clients;
    std::vector<std::string> requests, told;
    Request answer = Request::none;
    int asked = 0;
};

struct Host {
    Router router;
    FakeLink link;
    Settings settings;
    std::vector<std::shared_ptr<Client>> clients;

    using Channels = std::map<std::string, ChannelSettings>;
    explicit Host(
        Channels channels, std::function<void(std::uint64_t)> published = [](auto) {})
        : router(std::move(published)) {
        settings.channels = std::move(channels);
        settings.channels["control"];
        router.apply(settings);
        router.setLink(&link);
    }
    Client& join(
        const std::string& channel,
        std::function<bool(std::string_view)> wanted = [](auto) { return true; }) {
        clients.push_back(std::make_shared<Client>(channel, std::move(wanted)));
        router.join(channel, *clients.back());
        return *clients.back();
    }
    bool emitTo(Client& from, std::string_view name, std::string_view to) {
        wire::EventView event;
        event.name = name;
        event.channel = from.channel();
        event.payload = "1";
        event.to = to;
        bytes.clear();
        wire::appendEvent(bytes, event);
        const std::size_t taken = router.onEvents(from, wire::EventRun(view()));
        router.endTurn();
        return taken == 1;
    }
    bool emit(Client& from, std::string_view name, std::uint8_t flags = 0,
              std::string_view payload = "1") {
        bytes = build(from.channel(), name, flags, payload);
        const std::size_t taken = router.onEvents(from, wire::EventRun(view()));
        router.endTurn();
        return taken == 1;
    }
    std::size_t emitRun(Client& from, std::string_view name, std::size_t count,
                        std::uint8_t flags = 0) {
        bytes.clear();
        for (std::size_t n = 0; n < count; ++n) bytes += build(from.channel(), name, flags, "1");
        const std::size_t taken =
            router.onEvents(from, wire::readRun(view(), bytes, std::size_t{1} << 20));
        router.endTurn();
        return taken;
    }
    void arrive(const std::string& channel, std::string_view name, std::uint8_t flags = 0) {
        arriveRun(channel, name, 1, flags);
    }
    void arriveRun(const std::string& channel, std::string_view name, std::size_t count,
                   std::uint8_t flags = 0) {
        bytes.clear();
        for (std::size_t n = 0; n < count; ++n) {
            bytes += build(channel, name, flags | wire::remoteFlag, "1", "beta");
        }
        wire::EventRun run(view());
        run.frames = bytes;
        run.count = count;
        router.onNetEvents(run);
        router.endTurn();
    }

  private:
    static std::string build(const std::string& channel, std::string_view name, int flags,
                             std::string_view payload, std::string_view host = {}) {
        wire::EventView event;
        event.flags = static_cast<std::uint8_t>(flags);
        event.host = host;
        event.name = name;
        event.channel = channel;
        event.payload = payload;
        std::string bytes;
        wire::appendEvent(bytes, event);
        return bytes;
    }
    wire::EventView view() const {
        wire::FrameView frame;
        REQUIRE(wire::nextFrame(bytes, 1 << 20, frame) == wire::Walk::frame);
        return *wire::readEvent(frame);
    }
    std::string bytes;
};

using Heard = std::vector<std::string>;

}  // namespace

TEST_CASE("an address chooses among those whom the rules let an event reach") {
    ChannelSettings toB;
    toB.propagateToChannels = "^B$";
    toB.propagateToNet = {all, {}};
    Host host({{"A", toB}, {"B", {}}, {"C", {}}});
    FakeAddressing addressing;
    host.router.setAddressing(&addressing);
    Client& from = host.join("A");
    Client& a = host.join("A");
    Client& b = host.join("B");
    Client& c = host.join("C");
    CHECK(addressing.clients.size() == 4);
    for (const Client* client : {&from, &b, &c}) addressing.meant.insert({"x", client->uuid()});
    CHECK(host.emitTo(from, "e", "x"));
    CHECK(a.take().empty());
    CHECK(b.take() == Heard{"e"});
    CHECK(c.take().empty());
    CHECK(host.link.sent.size() == 1);

    CHECK(host.emitTo(from, "e", "here"));
    CHECK(host.link.sent.size() == 1);
    CHECK(from.notWanted.empty());  // of that address alone is it known that nobody else wants it
    CHECK(host.emitTo(from, "e", "bad"));
    CHECK(from.refusals == Heard{"e"});
    CHECK(host.router.counters("A")->refused == 1);
    CHECK(host.link.sent.size() == 1);

    // A client that is full holds up those alone that emit for it.
    a.full = true;
    CHECK(host.emitTo(from, "e", "x"));
    CHECK_FALSE(host.emit(from, "e"));
    a.full = false;
    const int before = addressing.asked;
    CHECK(host.emit(from, "e"));
    CHECK(addressing.asked == before);  // without an address nobody is asked
    host.router.leave("B", b);
    CHECK(addressing.clients.size() == 3);
}

TEST_CASE("requests are answered, put off while they are too many, or refused") {
    Host host(Host::Channels{{"A", {}}});
    FakeAddressing addressing;
    host.router.setAddressing(&addressing);
    Client& from = host.join("A");
    Client& other = host.join("A");
    using Request = Addressing::Request;
    addressing.answer = Request::taken;
    CHECK(host.emitRun(from, "nc-node-register", 3) == 3);
    CHECK(addressing.requests.size() == 3);
    addressing.answer = Request::later;
    CHECK(host.emitRun(from, "nc-node-register", 3) == 0);
    CHECK(addressing.requests.size() == 4);
    // The other hosts are to hear of it: not while the link has no room.
    addressing.answer = Request::taken;
    host.link.room = 0;
    CHECK(host.emitRun(from, "nc-node-register", 1) == 0);
    CHECK(host.link.waiting.size() == 1);
    CHECK(host.emitRun(from, "nc-node-stats", 1) == 1);
    host.link.room = 1000;
    CHECK(host.router.counters("A")->refused == 0);
    addressing.answer = Request::none;
    CHECK(host.emitRun(from, "nc-node", 2) == 2);
    CHECK(host.router.counters("A")->refused == 2);
    CHECK(other.take().empty());
    CHECK(host.link.sent.empty());
}

TEST_CASE("what other daemons say of nodes reaches the registry alone") {
    Host host(Host::Channels{{"A", {}}});
    FakeAddressing addressing;
    host.router.setAddressing(&addressing);
    Client& a = host.join("A");
    for (const char* name : {"nc-node", "nc-nodes", "nc-nodes-wanted", "nc-node-stats"}) {
        host.arriveRun("control", name, 2);
        host.arrive("control", name, wire::broadcastFlag);
    }
    CHECK(addressing.told.size() == 12);
    host.arrive("control", "hello");
    CHECK(addressing.told.size() == 12);
    CHECK(a.take().empty());
}

// One row per rule of design section "Routing rules": an event emitted on `from`, and which of the
// channels A, B, AB and the link it reaches.
TEST_CASE("the table of routes") {
    struct Row {
        const char* what;
        ChannelSettings rules;  // of A
        std::uint8_t flags;
        const char* event;
        std::set<std::string> reached;
    };
    ChannelSettings isolated, toAll, toB, toExactlyA, net, netSome, both, noBroadcast;
    toAll.propagateToChannels = ".*";
    toB.propagateToChannels = "B";
    toExactlyA.propagateToChannels = "^A$";
    net.propagateToNet = {all, {}};
    netSome.propagateToNet = matching("pub\\..*");
    both.propagateToChannels = ".*";
    both.propagateToNet = {all, {}};
    noBroadcast.allowBroadcast = false;
    const Row rows[] = {
        {"own channel only", isolated, 0, "e", {"A"}},
        {".* is every other channel, once, and never control", toAll, 0, "e", {"A", "AB", "B"}},
        {"a rule is searched in names", toB, 0, "e", {"A", "AB", "B"}},
        {"a rule that finds only its own channel adds nothing", toExactlyA, 0, "e", {"A"}},
        {"the link", net, 0, "e", {"A", "link"}},
        {"the link, by name: whole match", netSome, 0, "pub.x", {"A", "link"}},
        {"the link, by name: no match", netSome, 0, "xpub.x", {"A"}},
        {"channels and link", both, 0, "e", {"A", "AB", "B", "link"}},
        {"host scope stays on the host", both, wire::hostOnlyFlag, "e", {"A", "AB", "B"}},
        {"broadcast overrides the rules",
         isolated,
         wire::broadcastFlag,
         "e",
         {"A", "AB", "B", "link"}},
        {"unless the channel forbids it", noBroadcast, wire::broadcastFlag, "e", {"A"}},
        {"broadcast of host scope",
         isolated,
         static_cast<std::uint8_t>(wire::broadcastFlag | wire::hostOnlyFlag),
         "e",
         {"A", "AB", "B"}},
        {"reserved names go nowhere", both, wire::broadcastFlag, "nc-control-stats", {}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Host host({{"A", row.rules}, {"B", {}}, {"AB", {}}});
        Client& sender = host.join("A");
        std::map<std::string, Client*> others;
        for (const char* channel : {"A", "B", "AB", "control"})
            others[channel] = &host.join(channel);
        for (int round = 1; round <= 2; ++round) {  // the second time from the memo
            CHECK(host.emit(sender, row.event, row.flags));
            std::set<std::string> reached;
            for (auto& [channel, client] : others) {
                const Heard heard = client->take();
                CHECK(heard.size() <= 1);
                if (!heard.empty()) reached.insert(channel);
            }
            if (!host.link.sent.empty()) reached.insert("link");
            CHECK(host.link.sent.size() <= 1);
            host.link.sent.clear();
            CHECK(reached == row.reached);
            CHECK(sender.heard.empty());
        }
    }
}

TEST_CASE("a broadcast that is not allowed crosses the link as no broadcast") {
    ChannelSettings a;
    a.propagateToNet = {all, {}};
    Host host(Host::Channels{{"A", a}});
    Client& sender = host.join("A");
    host.emit(sender, "e", wire::broadcastFlag);
    CHECK(host.link.lastFlags == wire::broadcastFlag);
    host.settings.channels["A"].allowBroadcast = false;
    host.router.apply(host.settings);
    host.emit(sender, "e", wire::broadcastFlag);
    CHECK(host.link.sent.size() == 2);
    CHECK(host.link.lastFlags == 0);
}

TEST_CASE("propagation is one hop: no chain, no loop") {
    ChannelSettings toB, toC, toA;
    toB.propagateToChannels = "^B$";
    toC.propagateToChannels = "^C$";
    toA.propagateToChannels = "^A$";
    Host host({{"A", toB}, {"B", toC}, {"C", toA}});
    Client& sender = host.join("A");
    Client& a = host.join("A");
    Client& b = host.join("B");
    Client& c = host.join("C");
    host.emit(sender, "e");
    CHECK(a.heard == Heard{"e"});
    CHECK(b.heard == Heard{"e"});
    CHECK(c.heard.empty());
}

TEST_CASE("events of the link: own channel, its rules, never back to the link") {
    ChannelSettings a, b, c;
    a.propagateToChannels = "^B$";
    a.propagateToNet = {all, {}};
    b.propagateToNet = {all, {}};
    b.acceptFromNet = {none, {}};
    c.acceptFromNet = matching("ok.*");
    Host host({{"A", a}, {"B", b}, {"C", c}});
    Client& onA = host.join("A");
    Client& onB = host.join("B");
    Client& onC = host.join("C");

    host.arrive("A", "e");
    CHECK(onA.take() == Heard{"e"});
    CHECK(onB.take() == Heard{"e"});
    CHECK(onA.lastHost == "beta");

    host.arrive("B", "e");
    CHECK(onB.take().empty());
    CHECK(host.router.netCounters().notAccepted == 1);

    host.arrive("C", "ok-1");
    host.arrive("C", "not ok");
    CHECK(onC.take() == Heard{"ok-1"});

    host.arrive("Z", "e");
    host.arrive("control", "e");
    CHECK(host.router.netCounters().noChannel == 2);

    host.arrive("Z", "ok-2", wire::broadcastFlag);  // to all that accept, whatever its channel
    CHECK(onA.take() == Heard{"ok-2"});
    CHECK(onB.take().empty());
    CHECK(onC.take() == Heard{"ok-2"});
    CHECK(host.link.sent.empty());
}

TEST_CASE("a listener's pattern and the route decide together") {
    ChannelSettings a;
    a.propagateToChannels = "B";
    Host host({{"A", a}, {"B", {}}});
    Client& sender = host.join("A");
    Client& picky = host.join("B", [](std::string_view name) { return name == "yes"; });
    host.emit(sender, "yes");
    host.emit(sender, "no");
    CHECK(picky.heard == Heard{"yes"});
}

TEST_CASE("new rules, new clients and new patterns hold at once") {
    Host host({{"A", {}}, {"B", {}}});
    Client& sender = host.join("A");
    Client& b = host.join("B");
    host.emit(sender, "e");
    CHECK(b.take().empty());

    host.settings.channels["A"].propagateToChannels = ".*";
    host.router.apply(host.settings);
    host.emit(sender, "e");
    CHECK(b.take() == Heard{"e"});

    bool wants = false;
    Client& late = host.join("B", [&](auto) { return wants; });
    host.emit(sender, "e");
    CHECK(late.take().empty());
    wants = true;
    host.router.subscriptionsChanged();
    host.emit(sender, "e");
    CHECK(late.take() == Heard{"e"});

    host.router.leave("B", late);
    host.emit(sender, "e");
    CHECK(late.take().empty());

    host.settings.channels.erase("B");
    host.router.apply(host.settings);
    CHECK_FALSE(host.router.counters("B"));
}

TEST_CASE("a full receiver holds the sender, and nobody gets the event before it fits") {
    Host host(Host::Channels{{"A", {}}});
    Client& sender = host.join("A");
    Client& quick = host.join("A");
    Client& slow = host.join("A");
    slow.full = true;
    CHECK_FALSE(host.emit(sender, "e"));
    CHECK(slow.waiting == 1);
    CHECK(quick.heard.empty());
    slow.full = false;
    CHECK(host.emit(sender, "e"));
    CHECK(quick.heard == Heard{"e"});

    sender.full = true;  // its own queue holds nobody up, itself least of all
    CHECK(host.emit(sender, "e"));
}

TEST_CASE("a run goes out as one to those who take frames") {
    Host host(Host::Channels{{"A", {}}});
    Client& sender = host.join("A");
    Client& listener = host.join("A");
    Client& deaf = host.join("A", [](auto) { return false; });
    CHECK(host.emitRun(sender, "e", 5) == 5);
    CHECK(listener.heard.size() == 5);
    CHECK(listener.largestRun == 5);
    CHECK(deaf.heard.empty());
    CHECK(host.router.counters("A")->received == 5);
    CHECK(host.router.counters("A")->delivered == 5);

    CHECK(host.emitRun(sender, "nc-e", 3) == 3);
    CHECK(sender.refusals.size() == 3);
    CHECK(host.router.counters("A")->refused == 3);
}

TEST_CASE("a run is taken apart for packets and where it may not be broadcast, not for the link") {
    ChannelSettings toNet;
    toNet.propagateToNet = {all, {}};
    ChannelSettings noBroadcast;
    noBroadcast.allowBroadcast = false;
    Host host(Host::Channels{{"A", {}}, {"N", toNet}, {"Q", noBroadcast}});
    Client& sender = host.join("A");
    Client& packets = host.join("A");
    Client& frames = host.join("A");
    packets.json = true;
    CHECK(host.emitRun(sender, "e", 4) == 4);
    CHECK(packets.heard.size() == 4);
    CHECK(frames.heard.size() == 4);
    CHECK(frames.largestRun == 1);

    CHECK(host.emitRun(host.join("N"), "e", 4) == 4);
    CHECK(host.link.sent == Heard{"e", "e", "e", "e"});
    CHECK(host.link.largestRun == 4);

    Client& quiet = host.join("Q");
    Client& neighbour = host.join("Q");
    CHECK(host.emitRun(quiet, "e", 4, wire::broadcastFlag) == 4);
    CHECK(neighbour.heard.size() == 4);
    CHECK(packets.heard.size() == 4);  // of A: not reached
}

TEST_CASE("of a run that does not fit, what fits is delivered") {
    Host host(Host::Channels{{"A", {}}});
    Client& sender = host.join("A");
    Client& quick = host.join("A");
    Client& slow = host.join("A");
    for (std::size_t room = 0; room <= 9; ++room) {
        quick.take();
        slow.take();
        slow.room = room;
        slow.waiting = 0;
        CHECK(host.emitRun(sender, "e", 9) == room);
        CHECK(quick.heard.size() == room);
        CHECK(slow.heard.size() == room);
        CHECK(slow.waiting == (room < 9 ? 1 : 0));
    }
}

TEST_CASE("a full link holds the senders of channels that hold, and takes what fits of a run") {
    ChannelSettings holds;
    holds.propagateToNet = {all, {}};
    ChannelSettings drops = holds;
    drops.slowConsumer = config::SlowConsumer::dropOldest;
    Host host(Host::Channels{{"H", holds}, {"D", drops}});
    Client& holding = host.join("H");
    Client& neighbour = host.join("H");
    Client& dropping = host.join("D");

    host.link.room = 0;
    CHECK_FALSE(host.emit(holding, "e"));
    CHECK(host.link.waiting == std::vector<Waiter*>{&holding});
    CHECK(neighbour.heard.empty());
    // The link says itself what it leaves out of the others.
    CHECK(host.emit(dropping, "e"));
    CHECK(host.link.sent == Heard{"e"});
    // What does not leave the host waits for nobody.
    CHECK(host.emit(holding, "e", wire::hostOnlyFlag));
    CHECK(neighbour.take() == Heard{"e"});

    for (std::size_t room = 0; room <= 9; ++room) {
        host.link.sent.clear();
        host.link.waiting.clear();
        host.link.room = room;
        CHECK(host.emitRun(holding, "e", 9) == room);
        CHECK(host.link.sent.size() == room);
        CHECK(neighbour.take().size() == room);
        CHECK(host.link.waiting.size() == (room < 9 ? 1 : 0));
    }
}

TEST_CASE("a client that lags behind what the link brings holds the link, one after the other") {
    struct Reader final : Waiter {
        void resume() override {}
    };
    const auto reader = std::make_shared<Reader>();
    Host host(Host::Channels{{"A", {}}, {"B", {}}});
    Client& quick = host.join("A");
    Client& slow = host.join("A");
    Client& slower = host.join("A");
    Client& elsewhere = host.join("B");
    CHECK_FALSE(host.router.holds(*reader));
    slow.lagging = slower.lagging = elsewhere.lagging = true;
    host.arrive("A", "e");
    CHECK(host.router.holds(*reader));
    CHECK((slow.heldLink != nullptr) != (slower.heldLink != nullptr));
    CHECK(quick.heldLink == nullptr);
    // Who is not given anything holds nobody.
    CHECK(elsewhere.heldLink == nullptr);
    slow.lagging = slower.lagging = false;
    host.arrive("A", "e");
    CHECK_FALSE(host.router.holds(*reader));
}

TEST_CASE("a run of the link goes on as one to those who take frames, and one by one to others") {
    Host host(Host::Channels{{"A", {}}, {"B", {}}});
    Client& frames = host.join("A");
    host.arriveRun("A", "e", 5);
    CHECK(frames.take().size() == 5);
    CHECK(frames.largestRun == 5);
    CHECK(frames.lastHost == "beta");
    CHECK(host.router.counters("A")->fromNet == 5);
    CHECK(host.router.netCounters().received == 5);

    Client& packets = host.join("A");
    packets.json = true;
    Client& elsewhere = host.join("B");
    host.arriveRun("A", "e", 3, wire::broadcastFlag);
    CHECK(frames.heard.size() == 3);
    CHECK(packets.heard.size() == 3);
    CHECK(elsewhere.heard.size() == 3);
    CHECK(host.link.sent.empty());

    host.arriveRun("Z", "e", 4);
    CHECK(host.router.netCounters().noChannel == 4);
}

TEST_CASE(
    "a sender is told when nobody else wants its event, and of which generation that is true") {
    ChannelSettings toNet;
    toNet.propagateToNet = {all, {}};
    ChannelSettings dumped;
    dumped.dumpToConsole = true;
    std::uint64_t published = 0;
    Host host(Host::Channels{{"A", {}}, {"N", toNet}, {"D", dumped}},
              [&](std::uint64_t generation) { published = generation; });
    Client& sender = host.join("A");
    bool wants = false;
    host.join("A", [&](auto) { return wants; });
    host.emit(sender, "e");
    CHECK(sender.notWanted == Heard{"e"});
    CHECK(sender.lastReach == 0);
    CHECK(sender.lastGeneration == published);

    host.emit(sender, "e", wire::hostOnlyFlag | wire::bytesFlag);
    CHECK(sender.lastReach == wire::hostOnlyFlag);
    host.emit(sender, "e", wire::broadcastFlag);  // that would go to the link
    CHECK(sender.notWanted.size() == 2);

    wants = true;
    host.router.subscriptionsChanged();
    CHECK(published != sender.lastGeneration);
    host.emit(sender, "e");
    CHECK(sender.notWanted.size() == 2);

    Client& toLink = host.join("N");
    host.emit(toLink, "e");
    CHECK(toLink.notWanted.empty());
    host.emit(toLink, "e", wire::hostOnlyFlag);
    CHECK(toLink.notWanted == Heard{"e"});

    Client& toLog = host.join("D");
    host.emit(toLog, "e");
    CHECK(toLog.notWanted.empty());

    for (const auto& change : std::vector<std::function<void()>>{
             [&] { host.join("D"); }, [&] { host.router.leave("N", toLink); },
             [&] { host.router.apply(host.settings); }, [&] { host.router.setLink(nullptr); }}) {
        const std::uint64_t before = published;
        change();
        CHECK(published != before);
        CHECK(published != 0);
    }
}

TEST_CASE("a refused name is counted and told, and the client stays") {
    Host host(Host::Channels{{"A", {}}});
    Client& sender = host.join("A");
    Client& other = host.join("A");
    for (const char* name : {"nc-", "nc-control-reloadconfig", ""}) host.emit(sender, name);
    CHECK(sender.refusals.size() == 3);
    CHECK(host.router.counters("A")->refused == 3);
    CHECK(host.router.counters("A")->received == 0);
    CHECK(other.heard.empty());
    CHECK_FALSE(sender.misbehaviour);
}

TEST_CASE("data that is not JSON harms its sender only") {
    Host host(Host::Channels{{"A", {}}});
    Client& sender = host.join("A");
    Client& json = host.join("A");
    json.json = true;
    host.emit(sender, "e", 0, "{broken");
    CHECK(json.heard.empty());
    CHECK(sender.misbehaviour);
}

TEST_CASE("the memo is bounded") {
    Host host(Host::Channels{{"A", {}}});
    Client& sender = host.join("A");
    Client& other = host.join("A");
    for (int i = 0; i < 10000; ++i) host.emit(sender, "e" + std::to_string(i));
    CHECK(other.heard.size() == 10000);
}

TEST_CASE("a notice of the link reaches control and who asked, in the encoding of each") {
    ChannelSettings deaf;
    deaf.acceptFromNet = {none, {}};
    Host host(Host::Channels{{"A", {}}, {"deaf", deaf}});
    Client& administrator = host.join("control");
    Client& program = host.join("control");
    Client& asks = host.join("A", [](auto) { return false; });
    Client& other = host.join("A");
    Client& onDeaf = host.join("deaf");
    administrator.notices = program.notices = asks.notices = onDeaf.notices = true;
    administrator.json = true;
    const std::string data = R"({"id":"1","name":"beta"})";

    host.router.onNetNotice("nc-host-online", data);
    CHECK(asks.flushedUpTo == 0);
    host.router.endTurn();
    CHECK(asks.take() == Names{"nc-host-online"});
    CHECK(asks.lastData == data);
    CHECK(asks.lastChannel == "A");
    CHECK(asks.lastFlags == 0);
    CHECK(administrator.take() == Names{"nc-host-online"});
    CHECK(administrator.lastData.find("\"channel\":\"control\"") != std::string::npos);
    CHECK(administrator.lastData.find(data) != std::string::npos);
    CHECK(program.take() == Names{"nc-host-online"});
    CHECK(onDeaf.take() == Names{"nc-host-online"});
    CHECK(other.take().empty());

    // A channel that takes nothing from the link misses nothing of it.
    host.router.onNetNotice("nc-net-gap", data);
    host.router.endTurn();
    CHECK(asks.take() == Names{"nc-net-gap"});
    CHECK(program.take() == Names{"nc-net-gap"});
    CHECK(onDeaf.take().empty());
    CHECK(other.take().empty());
}

TEST_CASE("who has left is told of nothing") {
    Host host(Host::Channels{{"A", {}}});
    Client& administrator = host.join("control");
    Client& asks = host.join("A");
    administrator.notices = asks.notices = true;
    host.router.leave("control", administrator);
    host.router.leave("A", asks);
    host.router.onNetNotice("nc-host-online", "{}");
    host.router.endTurn();
    CHECK(administrator.heard.empty());
    CHECK(asks.heard.empty());
}

TEST_CASE("notices stay in order with the events of the link") {
    Host host(Host::Channels{{"A", {}}});
    Client& asks = host.join("A");
    asks.notices = true;
    host.arrive("A", "before");
    host.router.onNetNotice("nc-net-gap", "{}");
    host.arrive("A", "after");
    CHECK(asks.take() == Names{"before", "nc-net-gap", "after"});
}

}  // namespace netcluster::daemon
