#include "link_log.hpp"

#include <utility>

#include "log.hpp"
#include "receiver.hpp"

namespace netcluster::daemon::link {

std::uint64_t LinkLog::Counter::add(Time now, std::uint64_t more, std::chrono::seconds pause) {
    count += more;
    if (count == 0 || now < quietUntil) return 0;
    quietUntil = now + pause;
    return std::exchange(count, 0);
}

void LinkLog::gap(Time now, const std::string& host, const GapReport& report) {
    auto found = gaps_.find(host);
    if (found == gaps_.end()) {
        if (gaps_.size() >= 2 * maxSessions) return;  // counted all the same
        found = gaps_.emplace(host, Gaps{}).first;
    }
    Gaps& gaps = found->second;
    if (gaps.holes++ == 0) gaps.first = report.first;
    gaps.last = report.last;
    if (report.why == GapReport::Why::lost && report.count == 0) ++gaps.behind;
    (report.why == GapReport::Why::dropped ? gaps.events : gaps.datagrams) += report.count;
    if (now >= gaps.quietUntil) say(now, found->first, gaps);
}

void LinkLog::say(Time now, const std::string& host, Gaps& gaps) {
    if (gaps.datagrams != 0) {
        log::warn("link: {} datagrams of host {} did not arrive ({} gaps, numbers {} to {})",
                  gaps.datagrams, host, gaps.holes, gaps.first, gaps.last);
    }
    if (gaps.events != 0) {
        log::warn("link: host {} left out {} events: its link queue was full", host, gaps.events);
    }
    if (gaps.behind != 0) {
        log::warn("link: something of host {} may have been lost before it came to a relay", host);
    }
    gaps = {};
    gaps.quietUntil = now + lossPause;
}

void LinkLog::queueFull(Time now, std::uint64_t events) {
    sayQueueFull(queueFull_.add(now, events, lossPause));
}

void LinkLog::sayQueueFull(std::uint64_t count) {
    if (count != 0) log::warn("link: {} events dropped: link queue full", count);
}

void LinkLog::overflowed(Time now, std::uint64_t datagrams) {
    sayOverflowed(overflowed_.add(now, datagrams, lossPause));
}

void LinkLog::sayOverflowed(std::uint64_t count) {
    if (count == 0) return;
    log::warn(
        "link: {} datagrams lost in our socket's buffer: this host is too slow, or "
        "net.core.rmem_max too small",
        count);
}

void LinkLog::twin(Time now, const Remote& remote) {
    if (twins_.add(now, 1, badPause) == 0) return;
    log::warn(
        "link: host {} at {} has our identity ({}): is it a copy of this machine? Neither knows "
        "the "
        "other's nodes; give one of them another machine id or run directory",
        remote.name(), text(remote.address), wire::uuidText(remote.said.host));
}

void LinkLog::bad(Time now, Bad reason, const Endpoint& from, bool news) {
    if (!news) return;  // said before; counted all the same
    if (newsLeft_ > 0) {
        --newsLeft_;
        log::warn("link: datagrams from {} are refused: {}", from.address().to_string(),
                  badMeaning(reason));
        return;
    }
    lastReason_ = reason;
    lastSender_ = from;
    sayBad(bad_.add(now, 1, badPause));
}

void LinkLog::sayBad(std::uint64_t count) {
    if (count == 0) return;
    log::warn("link: datagrams of {} more senders are refused, the last from {}: {}", count,
              lastSender_.address().to_string(), badMeaning(lastReason_));
}

void LinkLog::tick(Time now) {
    newsLeft_ = newsPerTick;
    for (auto it = gaps_.begin(); it != gaps_.end();) {
        const bool mayspeak = now >= it->second.quietUntil;
        if (mayspeak && it->second.holes != 0) {
            say(now, it->first, it->second);
        } else if (mayspeak) {
            it = gaps_.erase(it);
            continue;
        }
        ++it;
    }
    sayQueueFull(queueFull_.add(now, 0, lossPause));
    sayOverflowed(overflowed_.add(now, 0, lossPause));
    sayBad(bad_.add(now, 0, badPause));
}

}  // namespace netcluster::daemon::link
