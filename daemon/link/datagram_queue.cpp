#include "datagram_queue.hpp"

#include <algorithm>
#include <utility>

#include "message.hpp"

namespace netcluster::daemon::link {

std::uint64_t sendRateFor(std::uint64_t receiveBuffer) {
    return receiveBuffer == 0 ? sendRate
                              : std::min(sendRate, receiveBuffer * sendRatePerBufferByte);
}

TokenBucket::TokenBucket(std::uint64_t bytesPerSecond, std::uint64_t burst)
    : rate_(static_cast<double>(bytesPerSecond)),
      burst_(static_cast<double>(burst)),
      tokens_(burst_) {}

bool TokenBucket::ready(Time now) {
    if (now > filled_) {
        const std::chrono::duration<double> passed = now - filled_;
        tokens_ = std::min(burst_, tokens_ + passed.count() * rate_);
        filled_ = now;
    }
    return tokens_ > 0;
}

void TokenBucket::spend(std::uint64_t bytes) {
    tokens_ -= static_cast<double>(std::max<std::uint64_t>(bytes, datagramCost));
}

std::size_t DatagramQueue::capacityFor(std::size_t maxEvent) {
    const std::size_t largest = messageLimit(maxEvent);
    return std::max(std::size_t{8} << 20, 2 * (largest + largest / 8));
}

void DatagramQueue::push(std::string datagram, std::uint64_t sequence, std::uint64_t rest) {
    bytes_ += datagram.size();
    entries_.push_back({std::move(datagram), sequence, rest, false});
}

void DatagramQueue::pop() {
    bytes_ -= entries_.front().datagram.size();
    entries_.pop_front();
}

void DatagramQueue::clear() {
    entries_.clear();
    bytes_ = 0;
}

}  // namespace netcluster::daemon::link
