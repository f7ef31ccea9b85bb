// Which events of one session have been seen, whatever ways they came by. Pure.
//
// Events are numbered with gaps between them, so each brings the number of the one before it: what
// came without a hole is one span, however long ago it was. As long as every way brings everything,
// there is one span, and a late copy is known as such for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace netcluster::daemon::link {

class OriginWindow {
  public:
    /// Spans kept at most. Reason: each hole is a loss, or a way that is slower than another;
    /// beyond so many the oldest events count as seen, so that nothing comes twice. 24 KiB.
    static constexpr std::size_t maxSpans = 1024;

    /// All up to `number` counts as seen.
    void seenUpTo(std::uint64_t number);
    /// False: seen before. `back` as in Relayed.
    bool add(std::uint64_t number, std::uint64_t back);

    std::size_t spans() const { return spans_.size(); }

  private:
    struct Span {
        std::uint64_t before = 0;  ///< the event before `first`; 0: not known
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };
    std::uint64_t floor_ = 0;  ///< all up to here counts as seen
    std::vector<Span> spans_;  ///< ascending, above the floor
};

}  // namespace netcluster::daemon::link
