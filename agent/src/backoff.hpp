// How long to wait before the next attempt to connect. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace netcluster {

/// Random, so that the agents of a host do not all come back at the same moment after the daemon
/// restarted: between half of a bound and the bound, which doubles up to `most`.
class Backoff {
  public:
    static constexpr std::chrono::milliseconds least{50};
    static constexpr std::chrono::milliseconds most{5000};

    explicit Backoff(unsigned seed) : random_(seed) {}

    std::chrono::milliseconds next() {
        const auto from = static_cast<int>(bound_.count() / 2);
        const auto to = static_cast<int>(bound_.count());
        bound_ = std::min(bound_ * 2, most);
        return std::chrono::milliseconds(std::uniform_int_distribution<int>(from, to)(random_));
    }
    void reset() { bound_ = first; }

  private:
    static constexpr std::chrono::milliseconds first = least * 2;
    std::chrono::milliseconds bound_ = first;  // the next wait is between half of it and it
    std::minstd_rand random_;
};

}  // namespace netcluster
