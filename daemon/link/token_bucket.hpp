// How fast the link may send ("netrate"): a bucket that fills with time. Pure; the caller brings
// the clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "datagram.hpp"

namespace netcluster::daemon::link {

/// What may go at once after a pause. Reason: one batch of datagrams, so that the rate is kept
/// without giving up batches.
inline constexpr double sendBurst = 64 << 10;

class TokenBucket {
  public:
    /// 0: no limit.
    explicit TokenBucket(std::uint64_t bytesPerSecond)
        : rate_(static_cast<double>(bytesPerSecond)) {}

    bool ready(Time now) {
        if (now > filled_) {
            const std::chrono::duration<double> passed = now - filled_;
            tokens_ = std::min(sendBurst, tokens_ + passed.count() * rate_);
            filled_ = now;
        }
        return rate_ == 0 || tokens_ > 0;
    }
    /// May go below zero by the last batch taken.
    void spend(std::uint64_t bytes) { tokens_ -= static_cast<double>(bytes); }
    /// When it is ready again; only after `ready` has said no.
    Time readyAt() const {
        const std::chrono::duration<double> wait(-tokens_ / rate_);
        return filled_ + std::chrono::ceil<std::chrono::microseconds>(wait) +
               std::chrono::microseconds(1);
    }

  private:
    double rate_;
    double tokens_ = sendBurst;
    Time filled_{};
};

}  // namespace netcluster::daemon::link
