// A conversation of sessions (script.hpp) with the receiving half of the link, in virtual time:
// what it hands on is valid whatever was said, and its memory keeps within its bound.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "expect.hpp"
#include "receiver.hpp"
#include "script.hpp"

using namespace netcluster;
using namespace netcluster::daemon::link;
using namespace std::chrono_literals;
using netcluster::fuzz::expect;
using netcluster::fuzz::Script;
using netcluster::fuzz::Step;

namespace {

constexpr std::size_t maxEvent = 65536;
constexpr std::uint8_t sessions = 4;

// Holds what it is told against what may be told.
struct Judge : ReceiverEvents {
    void onEvents(const wire::EventRun& events) override {
        std::size_t count = 0;
        wire::forEachFrame(events.frames, [&](std::string_view frame) {
            ++count;
            judge(events.event(frame));
        });
        expect(count == events.count, "a run has as many events as it says");
    }
    void onGap(const Remote& remote, const GapReport& gap) override {
        expect(gap.count > 0 || gap.why == GapReport::Why::reset, "a gap is of something");
        expect(gap.first <= gap.last, "a gap's numbers are in order");
        expect(validHostName(remote.name()), "a gap is of a host");
    }
    void onBad(Bad reason) override { expect(!badName(reason).empty(), "a reason has a name"); }
    void onHostOnline(const Remote& remote) override {
        expect(validHostName(remote.name()), "who is online has a name");
    }
    void onHostExpired(const Remote& remote, std::string_view why) override {
        expect(validHostName(remote.name()) && !why.empty(),
               "who is gone has a name, and a reason");
    }

  private:
    static void judge(const wire::EventView& event) {
        expect(!event.name.empty() && event.name.size() <= 255, "an event has a name");
        expect(!event.name.starts_with("nc-") || event.channel == "control",
               "no event for clients has a reserved name");
        expect(!event.channel.empty() && event.channel.size() <= 64, "an event has a channel");
        expect(event.payload.size() <= maxEvent, "an event is no larger than allowed");
        expect(validHostName(event.host), "an event has a host");
    }
};

class Conversation {
  public:
    explicit Conversation(std::string_view bytes) : script_(bytes) {}

    void run() {
        while (!script_.empty()) {
            step();
            expect(receiver_.memoryUsed() <= memoryLimit(maxEvent),
                   "memory keeps within its bound");
            expect(receiver_.remotes().size() <= maxSessions, "there is room for so many sessions");
        }
        pass(1h);
    }

  private:
    struct Session {
        std::uint64_t packet = 0;
        std::uint64_t next = 1;
    };

    void step() {
        switch (script_.step()) {
            case Step::raw:
                return hear(std::string(script_.bytes(script_.number<std::uint16_t>())));
            case Step::data:
                return data();
            case Step::heartbeat:
                return heartbeat();
            case Step::end:
                return end();
            case Step::nak:
                return nak();
            case Step::pass:
                return pass(std::chrono::milliseconds(script_.number<std::uint16_t>()));
        }
    }

    void data() {
        std::string datagram = begin(Type::data);
        const std::uint64_t sequence = ahead(who_);
        speakers_[who_].next = sequence + 1;
        appendDataHead(datagram, sequence, name());
        const auto start = script_.number<std::uint8_t>();
        wire::storeLittle(datagram.data() + datagram.size() - 2,
                          start == 255 ? noStart : std::uint16_t{start});
        datagram.append(script_.bytes(script_.number<std::uint8_t>()));
        hear(datagram);
    }

    void heartbeat() {
        std::string datagram = begin(Type::heartbeat);
        Heartbeat heartbeat;
        heartbeat.highest = ahead(who_);
        const std::uint64_t kept = script_.number<std::uint8_t>();
        heartbeat.oldest = kept < heartbeat.highest ? heartbeat.highest - kept : 1;
        heartbeat.uptime = 5000;
        heartbeat.host.fill(who_);
        const std::string host = name();
        heartbeat.name = host;
        heartbeat.version = "2.0";
        appendHeartbeat(datagram, heartbeat);
        hear(datagram);
    }

    void end() {
        std::string datagram = begin(Type::end);
        appendEnd(datagram, ahead(who_));
        hear(datagram);
    }

    void nak() {
        std::string datagram = begin(Type::nak);
        const std::uint8_t asked = script_.number<std::uint8_t>() % sessions;
        const std::uint64_t first = ahead(asked);
        appendNak(datagram, sessionOf(asked), {{first, first + script_.number<std::uint8_t>()}});
        hear(datagram);
    }

    static wire::Uuid sessionOf(std::uint8_t number) {
        wire::Uuid session{};
        session.fill(static_cast<unsigned char>(number + 1));
        return session;
    }

    std::string begin(Type type) {
        who_ = script_.number<std::uint8_t>() % sessions;
        Header header;
        header.type = type;
        header.session = sessionOf(who_);
        header.packet = ++speakers_[who_].packet;
        std::string datagram;
        appendHeader(datagram, header);
        return datagram;
    }

    std::string name() const { return "host" + std::to_string(who_); }

    // Small steps forward and back around the session's next number; never 0.
    std::uint64_t ahead(std::uint8_t session) {
        const auto distance = static_cast<std::int8_t>(script_.number<std::uint8_t>());
        const std::uint64_t next = speakers_[session].next;
        if (distance >= 0) return next + static_cast<std::uint64_t>(distance);
        const auto back = static_cast<std::uint64_t>(-distance);
        return back < next ? next - back : 1;
    }

    // Of the others the receiver is not told.
    static bool isForReceiver(Type type) {
        return type == Type::data || type == Type::heartbeat || type == Type::end ||
               type == Type::nak;
    }

    void hear(const std::string& datagram) {
        Header header;
        if (readHeader(datagram, header) != Bad::none || !isForReceiver(header.type)) return;
        receiver_.onDatagram(now_, header, std::string_view(datagram).substr(headerSize),
                             {boost::asio::ip::make_address_v4(0x0A4D0001U), 4454});
        if (++heard_ % batch == 0) endBatch();
    }

    void endBatch() {
        receiver_.endBatch();
        receiver_.forgetEvents();
    }

    void pass(std::chrono::milliseconds time) {
        now_ += time;
        endBatch();
        Receiver::Requests due;
        receiver_.requests(now_, due);
        for (const Nak& nak : due.naks) {
            expect(!nak.ranges.empty(), "who asks asks for something");
            for (const Range& range : nak.ranges) {
                expect(range.first != 0 && range.first <= range.last, "a range is in order");
            }
        }
        receiver_.expireSilent(now_, true);
        endBatch();
    }

    static constexpr int batch = 4;
    Script script_;
    Judge judge_;
    Receiver receiver_{maxEvent, 1000ms, 4454, judge_};
    Time now_{1h};
    std::map<std::uint8_t, Session> speakers_;
    std::uint8_t who_ = 0;
    int heard_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    Conversation({reinterpret_cast<const char*>(bytes), size}).run();
    return 0;
}
