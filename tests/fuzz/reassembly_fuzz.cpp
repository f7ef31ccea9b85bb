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
    void onEvent(const wire::EventView& event) override {
        expect(!event.name.empty() && event.name.size() <= 255, "an event has a name");
        expect(!event.name.starts_with("nc-"), "no event from the net has a reserved name");
        expect(!event.channel.empty() && event.channel.size() <= 64, "an event has a channel");
        expect(event.payload.size() <= maxEvent, "an event is no larger than allowed");
        expect(validHostName(event.host), "an event has a host");
    }
    void onGap(const GapReport& gap) override {
        expect(gap.count > 0, "a gap is of something");
        expect(gap.first <= gap.last, "a gap's numbers are in order");
    }
    void onBad(Bad reason) override { expect(!badName(reason).empty(), "a reason has a name"); }
    void onHostOnline(std::string_view host, const Endpoint&) override {
        expect(validHostName(host), "who is online has a name");
    }
    void onHostGone(std::string_view host, std::string_view why) override {
        expect(validHostName(host) && !why.empty(), "who is gone has a name, and a reason");
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
            case Step::events:
                return events();
            case Step::fragment:
                return fragment();
            case Step::dropped:
                return dropped();
            case Step::heartbeat:
                return heartbeat();
            case Step::end:
                return end();
            case Step::pass:
                return pass(std::chrono::milliseconds(script_.number<std::uint16_t>()));
        }
    }

    void events() {
        std::string datagram = beginData(Form::events);
        datagram.append(script_.bytes(script_.number<std::uint8_t>()));
        hear(datagram);
    }

    void fragment() {
        std::string datagram = beginData(Form::fragment);
        Fragment fragment;
        fragment.size = script_.number<std::uint16_t>();
        fragment.index = script_.number<std::uint8_t>();
        fragment.count = script_.number<std::uint8_t>();
        appendFragmentHead(datagram, fragment);
        datagram.append(script_.bytes(script_.number<std::uint8_t>()));
        hear(datagram);
    }

    void dropped() {
        std::string datagram = beginData(Form::dropped);
        appendDropped(datagram, script_.number<std::uint8_t>());
        hear(datagram);
    }

    void heartbeat() {
        std::string datagram = begin(Type::heartbeat);
        wire::Uuid host{};
        host.fill(static_cast<unsigned char>(who_));
        appendHeartbeat(datagram, {ahead(), 5000, host, name(), "2.0"});
        hear(datagram);
    }

    void end() {
        std::string datagram = begin(Type::end);
        appendEnd(datagram, ahead());
        hear(datagram);
    }

    std::string begin(Type type) {
        who_ = script_.number<std::uint8_t>() % sessions;
        wire::Uuid session{};
        session.fill(static_cast<unsigned char>(who_ + 1));
        std::string datagram;
        appendHeader(datagram, {type, session, ++speakers_[who_].packet});
        return datagram;
    }

    std::string beginData(Form form) {
        std::string datagram = begin(Type::data);
        const std::uint64_t sequence = ahead();
        speakers_[who_].next = sequence + 1;
        appendDataHead(datagram, sequence, name(), form);
        return datagram;
    }

    std::string name() const { return "host" + std::to_string(who_); }

    // Small steps forward and back around the session's next number; never 0.
    std::uint64_t ahead() {
        const auto distance = static_cast<std::int8_t>(script_.number<std::uint8_t>());
        const std::uint64_t next = speakers_[who_].next;
        if (distance >= 0) return next + static_cast<std::uint64_t>(distance);
        const auto back = static_cast<std::uint64_t>(-distance);
        return back < next ? next - back : 1;
    }

    void hear(const std::string& datagram) {
        Header header;
        if (readHeader(datagram, header) != Bad::none) return;
        receiver_.onDatagram(now_, header, std::string_view(datagram).substr(headerSize),
                             {boost::asio::ip::make_address_v4(0x0A4D0001U), 4454});
    }

    void pass(std::chrono::milliseconds time) {
        now_ += time;
        receiver_.expireHoles(now_);
        receiver_.expireSilent(now_);
    }

    Script script_;
    Judge judge_;
    Receiver receiver_{maxEvent, 1000ms, judge_};
    Time now_{1h};
    std::map<std::uint8_t, Session> speakers_;
    std::uint8_t who_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    Conversation({reinterpret_cast<const char*>(bytes), size}).run();
    return 0;
}
