// Which packet numbers of one session have been seen: the bitmap of RFC 6479, which moves on
// without shifting. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace netcluster::daemon::link {

/// Bits of the map, 1 KiB per session. Reason: 8,192 full datagrams are 10 MB, more than any
/// receive buffer here holds, so that what a second path brings late is told from what is replayed.
inline constexpr std::size_t replayBits = 8192;
/// How far behind the highest number another one may be. Less than the map by one word, since the
/// word that the highest number is in is cleared as a whole.
inline constexpr std::uint64_t replayReach = replayBits - 64;

class ReplayWindow {
  public:
    /// Not seen, and not so old that nobody can tell. Numbers start at 1: 0 is never fresh. Asked
    /// before the tag of a datagram is checked, since it is cheaper.
    bool fresh(std::uint64_t number) const;
    /// Remembers a number, when its tag was right: never before, or a forger could close the
    /// window on others. What is too old changes nothing.
    void set(std::uint64_t number);

    /// All up to `number` count as seen; what was set before is forgotten.
    void begin(std::uint64_t number);

    /// The highest number set; 0 before the first.
    std::uint64_t highest() const { return highest_; }

  private:
    static constexpr std::size_t words = replayBits / 64;

    std::array<std::uint64_t, words> map_{};
    std::uint64_t highest_ = 0;
};

}  // namespace netcluster::daemon::link
