// A network that loses, repeats, delays and splits, in virtual time and from a seed: what is sent
// into it comes out by time, for each receiver on its own, and a seed always makes the same mess.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "datagram.hpp"

namespace netcluster::daemon::link {

struct Mess {
    int lossPercent = 0;
    int duplicatePercent = 0;
    int latePercent = 0;  ///< take `late` longer at most
    std::chrono::milliseconds late{10};
};

class LossyNetwork {
  public:
    struct Arrival {
        std::size_t to = 0;
        std::size_t from = 0;
        std::shared_ptr<const std::string> datagram;
    };

    LossyNetwork(unsigned seed, std::size_t hosts, Mess all)
        : random_(seed), mess_(hosts, all), cutUntil_(hosts) {}

    /// To everybody else.
    void send(Time now, std::size_t from, std::string datagram) {
        const auto shared = std::make_shared<const std::string>(std::move(datagram));
        for (std::size_t to = 0; to < mess_.size(); ++to) {
            if (to != from) sendTo(now, {to, from, shared});
        }
    }

    /// What comes to this host, from now on.
    void setMess(std::size_t host, Mess mess) { mess_[host] = mess; }
    /// Nothing comes to or from this host until then.
    void cut(std::size_t host, Time until) { cutUntil_[host] = until; }

    /// When the next datagram arrives.
    Time next() const { return onItsWay_.empty() ? Time::max() : onItsWay_.begin()->first; }
    Arrival take() { return std::move(onItsWay_.extract(onItsWay_.begin()).mapped()); }

    bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
    std::uint32_t number(std::uint32_t below) {
        return static_cast<std::uint32_t>(random_()) % below;
    }

  private:
    void sendTo(Time now, const Arrival& arrival) {
        const Mess& mess = mess_[arrival.to];
        if (now < cutUntil_[arrival.to] || now < cutUntil_[arrival.from]) return;
        if (chance(mess.lossPercent)) return;
        onItsWay_.emplace(now + delay(mess), arrival);
        if (chance(mess.duplicatePercent)) onItsWay_.emplace(now + delay(mess), arrival);
    }

    std::chrono::microseconds delay(const Mess& mess) {
        const auto late = static_cast<std::uint32_t>(std::chrono::microseconds(mess.late).count());
        return std::chrono::microseconds(100 + (chance(mess.latePercent) ? number(late) : 0));
    }

    std::minstd_rand random_;
    std::vector<Mess> mess_;  ///< of what comes to each host
    std::vector<Time> cutUntil_;
    std::multimap<Time, Arrival> onItsWay_;
};

}  // namespace netcluster::daemon::link
