// A link without its sockets: Packer, Sender, Doorkeeper and Receiver put together as Link::Impl
// does it (link_sending.cpp, link_hearing.cpp, link_impl.cpp), on a clock and a network of the
// test's. It knows what it sent and what it heard, so that the two can be held against each other.
//
// What is different: nothing is encrypted, though the doorkeeper may ask for proofs; sending takes
// the time that the wire would need; reading may be slow, and the receive buffer holds a certain
// number of datagrams, beyond which they are lost.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doorkeeper.hpp"
#include "link_testing.hpp"
#include "packer.hpp"
#include "receiver.hpp"
#include "sender.hpp"

namespace netcluster::daemon::link {

using namespace std::chrono_literals;

struct ModelSettings {
    std::size_t maxEvent = std::size_t{64} << 10;
    std::size_t queueRoom = std::size_t{1} << 20;
    std::size_t repairRoom = std::size_t{8} << 20;
    std::uint64_t rate = 0;
    std::uint32_t window = 256;  ///< datagrams; the receive buffer takes twice as many
    std::chrono::milliseconds heartbeat{1000};
    std::chrono::microseconds readingTime{0};  ///< of one datagram
    std::chrono::microseconds wireTime{10};    ///< of one datagram; a full one at 1 Gbit/s
    bool askForProofs = false;
};

/// When something happens that never does.
inline constexpr Time never = Time::max();

class ModelHost final : private ReceiverEvents {
  public:
    using Send = std::function<void(Time now, std::string datagram)>;

    ModelHost(std::uint8_t id, std::string name, const ModelSettings& settings, unsigned seed,
              Send send);

    void open(Time now);
    void close(Time now);

    /// One event of this many bytes, which goes out with `flush` at the latest. False: senders are
    /// held, and the event was not taken.
    bool emit(std::size_t size);
    /// The same, but when there is no room the event is left out and the others told.
    void push(std::size_t size);
    void flush(Time now);

    /// Into the receive buffer.
    void arrive(Time now, std::string_view datagram);
    /// Does nothing at all until then; its receive buffer fills.
    void stop(Time until) { stoppedUntil_ = until; }
    void setReadingTime(std::chrono::microseconds time) { settings_.readingTime = time; }

    /// When it has something to do.
    Time deadline() const;
    /// Does the first thing that is due.
    void run(Time now);

    // -- what happened

    struct Sent {
        std::uint64_t first = 0;  ///< datagrams that hold the event
        std::uint64_t last = 0;
        std::size_t size = 0;
    };
    struct Heard {
        std::uint64_t next = 0;             ///< index of the event expected next
        std::vector<std::uint64_t> missed;  ///< indices passed over
        std::vector<Range> gaps;            ///< as reported
        std::uint64_t dropped = 0;          ///< events that the host says it left out
        std::uint64_t events = 0;
        std::uint64_t resets = 0;
    };

    /// True when `other`'s events came in order, each once, whole, and all those that did not come
    /// stand in a gap that was reported, and none that stands in one came. `from`: its first event
    /// that is to be heard.
    bool agreesWith(const ModelHost& other, std::uint64_t from = 0) const;
    /// All that `other` sent has come or was reported missing.
    bool knowsAllOf(const ModelHost& other) const;

    const std::string& name() const { return name_; }
    const wire::Uuid& session() const { return session_; }
    const std::vector<Sent>& sent() const { return sent_; }
    const Heard& heard(const ModelHost& other) const;
    const Receiver& receiver() const { return receiver_; }
    const Sender& sender() const { return sender_; }
    const SendBuffer& buffer() const { return buffer_; }
    const Packer& packer() const { return packer_; }
    const std::vector<std::string>& notices() const { return notices_; }
    const std::vector<Bad>& bad() const { return bad_; }
    /// Lost in the receive buffer.
    std::uint64_t overflowed() const { return overflowed_; }
    /// The longest time that sending was held up by receivers.
    Time::duration longestHeld() const { return longestHeld_; }
    /// Nothing waits to be sent, read or asked for.
    bool quiet() const;
    /// False once a datagram was sent that a receiver waited for had no room for.
    bool keptWindows() const { return keptWindows_; }
    /// False once a batch was not of one size but for its last, or a datagram too long.
    bool batchesFit() const { return batchesFit_; }
    /// False once an event was dropped that there was said to be room for, or left behind in an
    /// open datagram while nothing else waited.
    bool keptPromises() const { return keptPromises_; }
    std::uint64_t datagramsSent(Type type) const {
        return sentByType_[static_cast<std::size_t>(type)];
    }

  private:
    void onEvents(const wire::EventRun& events) override;
    void onGap(const Remote& remote, const GapReport& gap) override;
    void onBad(Bad reason) override { bad_.push_back(reason); }
    void onHostOnline(const Remote& remote) override;
    void onHostExpired(const Remote& remote, std::string_view why) override;

    bool readBatch(Time now);
    void read(Time now, std::string_view datagram);
    void take(Time now, const Header& header, std::string_view body);
    void onNak(Time now, const Header& header, std::string_view body);
    void onStatus(Time now, const Header& header, std::string_view body);
    void endBatch(Time now);
    void endTurn(Time now);
    void onReady(Time now);
    void sendRequests(Time now);
    void onRequestsDue(Time now);
    void onHeartbeatDue(Time now);
    void onTail(Time now);
    void watchRequests();

    void pump(Time now);
    bool makeBatch(Time now);
    void sendBatch(Time now);
    bool everyWindowHolds(std::uint64_t sequence) const;
    void waitToSend(Time now);
    void sendHeartbeat(Time now, bool wantsStatus);
    void sendOnce(Time now, std::string datagram);
    std::string begin(Type type, bool repeated = false);
    std::string messageOf(std::size_t size) const;
    void add(std::size_t size);

    ModelSettings settings_;
    wire::Uuid session_;
    std::string name_;
    Send send_;
    SendBuffer buffer_;
    Packer packer_;
    Sender sender_;
    Doorkeeper door_;
    Receiver receiver_;

    bool open_ = false;
    std::uint64_t packet_ = 0;
    std::deque<std::string> inbox_;
    Time stoppedUntil_{};
    Time busyUntil_{};  ///< with what it has read
    Time readDue_ = never;
    Time readyDue_ = never;
    Time paceDue_ = never;
    Time tailDue_ = never;
    Time heartbeatDue_ = never;
    Time requestsDue_ = never;
    Time heldAsked_{};
    Time toldOldest_{};
    std::chrono::milliseconds tailDelay_{0};
    int requestsPutOff_ = 0;
    std::vector<std::uint64_t> chosen_;
    Receiver::Requests requests_;
    Nak nak_;
    std::vector<Challenge> challenges_;
    std::vector<Nonce> proofs_;

    std::vector<Sent> sent_;
    std::map<std::string, Heard, std::less<>> heard_;
    std::vector<std::string> notices_;
    std::vector<Bad> bad_;
    std::uint64_t overflowed_ = 0;
    std::optional<Time> heldSince_;
    Time::duration longestHeld_{0};
    bool keptWindows_ = true;
    bool batchesFit_ = true;
    bool keptPromises_ = true;
    std::uint64_t sentByType_[16] = {};
    std::uint8_t nonces_ = 0;
};

}  // namespace netcluster::daemon::link
