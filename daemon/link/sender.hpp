// What to send next: what was asked for again before what is new, as fast as the receivers, the
// network and `netrate` allow. Decides; sends nothing. Owned by Link; pure, the caller brings the
// clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "datagram.hpp"
#include "flow_control.hpp"
#include "send_buffer.hpp"
#include "token_bucket.hpp"

namespace netcluster::daemon::link {

/// Asked for again within this time, a datagram is not repeated: the last repetition is still on
/// its way. Reason: less than a receiver waits before it asks again (`nakRetry`).
inline constexpr std::chrono::milliseconds repeatPause{3};
/// Of a batch, what repeating may take while new datagrams wait as well. Reason: one host that
/// lost much must not silence the others; a quarter repairs a loss of 20 %.
inline constexpr std::size_t repairShare = 4;

class Sender {
  public:
    struct Counts {
        std::uint64_t repaired = 0;  ///< datagrams sent again
        std::uint64_t asked = 0;     ///< datagrams that were asked for, each time counted
        std::uint64_t gone = 0;      ///< of these, no longer kept
        std::uint64_t held = 0;      ///< times that waiting datagrams began to be held up
    };

    /// `rate`: bytes per second, 0 for no limit. The buffer is the caller's.
    Sender(SendBuffer& buffer, std::uint64_t rate) : buffer_(buffer), bucket_(rate) {}

    FlowControl& flow() { return flow_; }
    const FlowControl& flow() const { return flow_; }

    /// False when some of it is no longer kept: the asker is to be told what is oldest.
    bool onNak(const Nak& nak);

    /// Up to `most` sequence numbers to send now, in `chosen`; none when nothing may be sent. All
    /// of one size but for the last, which may be shorter: so the system can take them as one
    /// piece.
    void choose(Time now, std::size_t most, std::vector<std::uint64_t>& chosen);
    /// They have been sent, in so many bytes.
    void onSent(Time now, const std::vector<std::uint64_t>& sent, std::uint64_t bytes);

    /// True when the receivers' windows alone keep it from sending.
    bool held() const { return buffer_.waiting() != 0 && buffer_.sent() >= flow_.limit(); }
    /// To be called from time to time while `held`.
    bool onHeld(Time now) { return flow_.onHeld(now); }
    /// When `netrate` lets the next one pass; only after `choose` chose none though something
    /// waits and nothing is held.
    Time rateAllowsAt() const { return bucket_.readyAt(); }
    bool wants() const { return buffer_.waiting() != 0 || !asked_.empty(); }

    const Counts& counts() const { return counts_; }

  private:
    using Chosen = std::vector<std::uint64_t>;
    void chooseRepairs(Time now, std::size_t most, Chosen& chosen);
    bool suits(const Chosen& chosen, std::uint64_t sequence) const;

    SendBuffer& buffer_;
    TokenBucket bucket_;
    FlowControl flow_;
    std::map<std::uint64_t, std::uint64_t> asked_;  ///< ranges to repeat: first -> last
    bool wasHeld_ = false;
    Counts counts_;
};

}  // namespace netcluster::daemon::link
