// A network that loses, repeats and delays, in virtual time and from a seed: what is sent into it
// comes out by time, and a seed always makes the same mess.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "datagram.hpp"

namespace netcluster::daemon::link {

struct Mess {
    int lossPercent = 0;
    int duplicatePercent = 0;
    int latePercent = 0;  ///< take `late` longer at most
    std::chrono::milliseconds late{10};
};

template <typename Message>
class LossyNetwork {
  public:
    LossyNetwork(unsigned seed, Mess mess) : random_(seed), mess_(mess) {}

    void send(Time now, const Message& message) {
        if (chance(mess_.lossPercent)) return;
        onItsWay_.emplace(now + delay(), message);
        if (chance(mess_.duplicatePercent)) onItsWay_.emplace(now + delay(), message);
    }

    std::optional<Time> next() const {
        if (onItsWay_.empty()) return {};
        return onItsWay_.begin()->first;
    }
    Message take() { return std::move(onItsWay_.extract(onItsWay_.begin()).mapped()); }

    bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
    std::uint32_t number(std::uint32_t below) {
        return static_cast<std::uint32_t>(random_()) % below;
    }

  private:
    std::chrono::microseconds delay() {
        const auto late = std::chrono::microseconds(mess_.late).count();
        return std::chrono::microseconds(
            100 + (chance(mess_.latePercent) ? static_cast<int>(random_() % late) : 0));
    }

    std::mt19937 random_;
    Mess mess_;
    std::multimap<Time, Message> onItsWay_;
};

}  // namespace netcluster::daemon::link
