// Which event names nobody outside of this process wants for now, as the daemon told us; so that an
// event nobody else wants costs no system call. Owned by a Connection. Any thread.
//
// The knowledge is never stale: the daemon counts every change of anybody's subscriptions in a
// counter that we read (local::CounterView), before it answers who made the change. What we know
// holds for one value of that counter.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "frame.hpp"
#include "shared_counter.hpp"

namespace netcluster {

class Unwanted {
  public:
    /// At which value of the counter nobody wanted it: one for each combination of the flags that
    /// decide how far it goes (wire::reachFlags).
    using Generations = std::array<std::uint64_t, 4>;
    /// What one thread remembers of one name.
    struct Memo {
        Generations at = nowhere;
        std::uint64_t version = 0;  // of the table when it was looked up there
    };

    /// True unless it is known that nobody else wants it now.
    bool mayBeWanted(std::string_view name, std::uint8_t flags, Memo& memo) const {
        const std::uint64_t now = counter_.value();
        if (memo.at[reach(flags)] == now) return false;
        const std::uint64_t version = version_.load(std::memory_order_acquire);
        if (memo.version == version) return true;
        return lookUp(name, flags, memo) != now;
    }

    // -- connection's thread

    void attach(const local::Descriptor& counter) { counter_.attach(counter); }
    /// The connection broke: whoever is connected to next may know somebody.
    void detach() { counter_.detach(); }
    void learn(const wire::Unwanted& unwanted);

    /// Names remembered; beyond that all are forgotten. Reason: as maxRememberedNames.
    static constexpr std::size_t maxNames = 4096;

  private:
    static constexpr std::uint64_t never = ~std::uint64_t{0};  // 0 is a counter that is not there
    static constexpr Generations nowhere{never, never, never, never};
    static std::size_t reach(std::uint8_t flags) {
        return (flags & wire::broadcastFlag ? 1U : 0U) | (flags & wire::hostOnlyFlag ? 2U : 0U);
    }
    std::uint64_t lookUp(std::string_view name, std::uint8_t flags, Memo& memo) const;

    local::CounterView counter_;
    std::atomic<std::uint64_t> version_{0};
    mutable std::mutex mutex_;  // of the table
    std::unordered_map<std::string, Generations> table_;
};

}  // namespace netcluster
