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

    enum class Result {
        fresh,
        seen,   ///< before
        ahead,  ///< fresh, but behind a hole: what is before it may yet come by another way
    };

    /// All up to `number` counts as seen.
    void seenUpTo(std::uint64_t number);
    /// `back` as in Relayed; 0: what is before it may have been seen or not.
    Result judge(std::uint64_t number, std::uint64_t back) const;
    /// Of one that has not been seen, ahead or not: it has now.
    void add(std::uint64_t number, std::uint64_t back);

    std::size_t spans() const { return spans_.size(); }

  private:
    struct Span {
        std::uint64_t before = 0;  ///< the event before `first`; 0: not known
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };
    using Spans = std::vector<Span>;
    Spans::const_iterator notBefore(std::uint64_t number) const;
    bool seen(std::uint64_t number) const;

    std::uint64_t floor_ = 0;  ///< all up to here counts as seen
    Spans spans_;              ///< ascending, above the floor
};

}  // namespace netcluster::daemon::link
