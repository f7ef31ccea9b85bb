// What waits to be sent, and how fast it may go. Pure; the caller brings the clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "datagram.hpp"

namespace netcluster::daemon::link {

/// How fast one daemon sends at most. Reason: a third of a gigabit network, and what a receiver
/// checks and hands on with a core to spare. An event of 4 MiB takes 0.11 s.
inline constexpr std::uint64_t sendRate = 40'000'000;
/// The rate per byte of our own receive buffer, when that is the lower one: the other hosts are
/// taken to be like this one. Reason: a quarter of what Linux grants holds datagrams of others (it
/// charges twice their size, and our own come back to us), so no receiver is drowned that is busy
/// elsewhere for 10 ms. Where nobody raised net.core.rmem_max that is 10 MB/s.
inline constexpr std::uint64_t sendRatePerBufferByte = 25;
/// The rate for hosts that grant `receiveBuffer` bytes; 0 when that is not known.
std::uint64_t sendRateFor(std::uint64_t receiveBuffer);

/// What may go at once after a pause. Reason: a sixth of that smallest receive buffer, so that a
/// few hosts may begin to speak in the same moment.
inline constexpr std::uint64_t sendBurst = std::uint64_t{64} << 10;
/// What a datagram costs at least. Reason: a receiver's buffer is charged several hundred bytes for
/// one of a single byte, and reading it takes as long as reading a full one.
inline constexpr std::uint64_t datagramCost = 512;

/// After an event of many datagrams the sender rests for this part of the time it took. Reason: a
/// receiver that has it whole checks and delivers it in one go (10 ms for 4 MiB), while its buffer
/// fills; without the rest, the datagrams behind a large event would be the ones most often lost.
inline constexpr std::uint64_t restShare = 4;

/// A token bucket: full at the start, may go below zero by the last datagram taken.
class TokenBucket {
  public:
    TokenBucket(std::uint64_t bytesPerSecond, std::uint64_t burst);

    void setRate(std::uint64_t bytesPerSecond) { rate_ = static_cast<double>(bytesPerSecond); }
    bool ready(Time now);
    void spend(std::uint64_t bytes);

  private:
    double rate_;
    double burst_;
    double tokens_;
    Time filled_{};
};

/// Finished datagrams in the order of their sequence numbers, bounded in bytes.
class DatagramQueue {
  public:
    struct Entry {
        std::string datagram;
        std::uint64_t sequence = 0;
        std::uint64_t rest = 0;  ///< bytes to charge beside its own: a pause behind it
        bool numbered = false;   ///< its packet number has been written
    };

    explicit DatagramQueue(std::size_t capacity) : capacity_(capacity) {}

    /// Bytes that may wait, for events of up to `maxEvent` bytes. Reason: two of the largest events
    /// with what their datagrams add (at most 11 %, rounded up to an eighth), because the second
    /// may come while the first is being sent; and 8 MiB, a fifth of a second at the full rate, so
    /// that a burst of small events is smoothed and not cut.
    static std::size_t capacityFor(std::size_t maxEvent);

    bool hasRoom(std::size_t bytes) const {
        return bytes_ <= capacity_ && bytes <= capacity_ - bytes_;
    }
    /// The caller has asked `hasRoom`; the few bytes of a note on dropped events may go beyond it.
    void push(std::string datagram, std::uint64_t sequence, std::uint64_t rest = 0);
    Entry& front() { return entries_.front(); }
    void pop();
    void clear();

    bool empty() const { return entries_.empty(); }
    std::size_t bytes() const { return bytes_; }
    std::size_t size() const { return entries_.size(); }

  private:
    std::size_t capacity_;
    std::size_t bytes_ = 0;
    std::deque<Entry> entries_;
};

}  // namespace netcluster::daemon::link
