// What the link says about loss and nonsense: each host's gaps, a full queue and bad datagrams, all
// at most once per pause, with the totals of what was held back. A healthy link is silent.
// Owned by Link; loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "remote.hpp"

namespace netcluster::daemon::link {

class LinkLog {
  public:
    /// Between two lines about the same loss.
    static constexpr std::chrono::seconds lossPause{1};
    /// Between two lines about bad datagrams: they mean another version, another key, or somebody
    /// who has no business here, and will not end soon. Likewise of a host that has our identity.
    static constexpr std::chrono::seconds badPause{30};

    void gap(Time now, const std::string& host, const GapReport& report);
    void queueFull(Time now, std::uint64_t events);
    void overflowed(Time now, std::uint64_t datagrams);
    /// Another host has our identity.
    void twin(Time now, const Remote& remote);
    /// `news`: the first of that sender for that reason, which is said at once as long as there are
    /// few of them.
    void bad(Time now, Bad reason, const Endpoint& from, bool news);

    /// Senders named at once between two ticks. Reason: a forger may claim any address.
    static constexpr int newsPerTick = 4;

    /// Says what was held back and may be said now. Called about once a second.
    void tick(Time now);

  private:
    struct Counter {
        std::uint64_t count = 0;
        Time quietUntil{};
        /// Adds to what is to be said; returns it, or 0 to keep quiet.
        std::uint64_t add(Time now, std::uint64_t more, std::chrono::seconds pause);
    };
    struct Gaps {
        std::uint64_t holes = 0;
        std::uint64_t datagrams = 0;
        std::uint64_t events = 0;
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::uint64_t behind = 0;  ///< holes that only what came through relays showed
        Time quietUntil{};
    };

    void say(Time now, const std::string& host, Gaps& gaps);
    void sayQueueFull(std::uint64_t count);
    void sayOverflowed(std::uint64_t count);
    void sayBad(std::uint64_t count);

    std::map<std::string, Gaps, std::less<>> gaps_;  ///< by host; as many as sessions at most
    Counter queueFull_;
    Counter overflowed_;
    Counter bad_;
    Counter twins_;
    int newsLeft_ = newsPerTick;
    Bad lastReason_ = Bad::none;
    Endpoint lastSender_;
};

}  // namespace netcluster::daemon::link
