#include "sender.hpp"

#include <algorithm>
#include <utility>

namespace netcluster::daemon::link {
namespace {

// Ranges remembered. Reason: what 64 receivers may ask for in one go; asked again if they still
// miss it.
constexpr std::size_t maxAsked = 4096;

}  // namespace

bool Sender::onNak(const Nak& nak) {
    bool all = true;
    for (Range range : nak.ranges) {
        // What was never sent nobody can miss.
        range.last = std::min(range.last, buffer_.sent());
        if (range.first > range.last) continue;
        counts_.asked += range.count();
        if (range.first < buffer_.oldest()) {
            all = false;
            counts_.gone += std::min(range.last + 1, buffer_.oldest()) - range.first;
            range.first = buffer_.oldest();
            if (range.first > range.last) continue;
        }
        if (asked_.size() >= maxAsked) continue;
        std::uint64_t& last = asked_[range.first];
        last = std::max(last, range.last);
    }
    return all;
}

void Sender::choose(Time now, std::size_t most, std::vector<std::uint64_t>& chosen) {
    chosen.clear();
    if (!bucket_.ready(now)) return;
    const std::uint64_t end = std::min(buffer_.highest(), flow_.limit());
    const bool fresh = end > buffer_.sent();
    chooseRepairs(now, fresh ? std::max<std::size_t>(1, most / repairShare) : most, chosen);
    for (std::uint64_t next = buffer_.sent() + 1; next <= end && chosen.size() < most; ++next) {
        if (!suits(chosen, next)) break;
        chosen.push_back(next);
    }
    if (chosen.empty() && held() && !std::exchange(wasHeld_, true)) ++counts_.held;
}

void Sender::chooseRepairs(Time now, std::size_t most, Chosen& chosen) {
    bool room = true;
    while (room && !asked_.empty()) {
        const auto range = asked_.begin();
        std::uint64_t next = std::max(range->first, buffer_.oldest());
        const std::uint64_t last = range->second;
        asked_.erase(range);
        for (; next <= last; ++next) {
            Time& repeated = buffer_.repeated(next);
            if (now - repeated < repeatPause) continue;
            room = chosen.size() < most && suits(chosen, next);
            if (!room) break;
            repeated = now;
            chosen.push_back(next);
        }
        if (next <= last) {
            std::uint64_t& kept = asked_[next];
            kept = std::max(kept, last);
        }
    }
}

bool Sender::suits(const Chosen& chosen, std::uint64_t sequence) const {
    if (chosen.empty()) return true;
    const std::size_t size = buffer_.body(chosen.front()).size();
    return buffer_.body(chosen.back()).size() == size && buffer_.body(sequence).size() <= size;
}

void Sender::onSent(Time now, const std::vector<std::uint64_t>& sent, std::uint64_t bytes) {
    if (sent.empty()) return;
    bucket_.spend(bytes);
    const std::uint64_t before = buffer_.sent();
    const auto fresh =
        std::count_if(sent.begin(), sent.end(), [&](std::uint64_t one) { return one > before; });
    const auto again = static_cast<std::uint64_t>(sent.size()) - static_cast<std::uint64_t>(fresh);
    if (fresh != 0) wasHeld_ = false;
    counts_.repaired += again;
    buffer_.markSent(sent.back());
    flow_.onSent(now, static_cast<std::uint64_t>(fresh), again);
}

}  // namespace netcluster::daemon::link
